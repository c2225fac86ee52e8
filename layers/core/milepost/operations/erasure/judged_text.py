"""Whether data that can't be read as an order belongs to the customer: judged by its text, in any
encoding.

Only long, unambiguous values decide; whatever else may be the customer's is for a person to check.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from milepost.common.phone_numbers import PhoneForms, numbers_in
from milepost.operations.erasure import encoded_text
from milepost.operations.erasure.subject import (
    BESIDE_OTHERS,
    IN_A_TEXT,
    NOTHING,
    PART_OF_NUMBER,
    SHORT_ID,
    SHORTEST_DISTINCTIVE,
    SHORTEST_HINT,
    SHORTEST_VALUE,
    THEIR_NAME,
    THEIRS,
    Judgement,
    Subject,
    Verdict,
)
from milepost.orders.customer_identifiers import phones


def judge_raw(raw: bytes, subject: Subject, *, connection: str | None) -> Judgement:
    """Whether bytes belong to the customer, by the values of a JSON document, or by a text.

    :param connection: the connection whose ids they contain; None if that isn't known
    """
    return _judge([(encoded_text.text_of(raw), True)], subject, connection)


def judge_value(value: Any, subject: Subject, *, connection: str | None) -> Judgement:
    """Whether a JSON value belongs to the customer. A complete value is decisive; a part of a
    longer text is only a hint."""
    return _judge([(text, False) for text in encoded_text.leaves(value)], subject, connection)


def _judge(parts: list[tuple[str, bool]], subject: Subject, connection: str | None) -> Judgement:
    """Whether texts belong to the customer. Each text says whether any part of it is decisive, or
    only the complete text.
    """
    best, others, seen = NOTHING, False, set[str]()
    while parts:
        text, anywhere = parts.pop()
        for readings in encoded_text.parts_in(text):
            found = list[_Found]()
            for reading in readings:
                if reading in seen:
                    continue
                seen.add(reading)
                value = encoded_text.value_of(reading)
                if value is not None:
                    parts += [(one, False) for one in encoded_text.leaves(value)]
                    continue
                found.append(_Found(reading, subject, connection))
            best = max(
                (best, *(one.judge(decides=anywhere or one.is_one_value) for one in found)),
                key=lambda one: one.verdict,
            )
            others = others or _name_others([one for one in found if anywhere or one.is_one_value])
    if best.verdict is Verdict.THEIRS and others:
        return BESIDE_OTHERS
    return best


def _name_others(readings: "list[_Found]") -> bool:
    """Whether a part of a text, in its alternative readings, names another person.

    A wrong reading of the customer's address looks like another address: decoded ``anna+tag@...``
    loses its tag. So somebody else is named if every reading with the most addresses says so.
    """
    most = max((one.addresses for one in readings), default=0)
    return most > 0 and all(one.names_others for one in readings if one.addresses == most)


class _Found:
    """What one reading of a text contains of the subject."""

    def __init__(self, text: str, subject: Subject, connection: str | None) -> None:
        self._text = text
        self._subject = subject
        self._connection = connection
        self._emails = list(encoded_text.emails_in(text))

    @property
    def is_one_value(self) -> bool:
        """Whether the text is only addresses, a number or an id, as in a field."""
        plain = self._text.strip()
        if self._emails:
            return encoded_text.is_addresses_only(plain)
        return " " not in plain or not any(c.isalpha() for c in plain)

    @property
    def addresses(self) -> int:
        return len(self._emails)

    @property
    def names_others(self) -> bool:
        return any(not self._owns(spellings) for spellings in self._emails)

    def judge(self, *, decides: bool) -> Judgement:
        if self._names_them():
            return THEIRS if decides else IN_A_TEXT
        if self._has_part_of_number():
            return PART_OF_NUMBER
        if self._has_short_id():
            return SHORT_ID
        return THEIR_NAME if self._has_name() else NOTHING

    def _names_them(self) -> bool:
        if any(self._owns(spellings) for spellings in self._emails):
            return True
        if any(one.is_whole and self._has(one.forms) for one in numbers_in(self._text)):
            return True
        return any(len(word) >= SHORTEST_DISTINCTIVE for word in self._ids())

    def _has_part_of_number(self) -> bool:
        return any(self._has(one.forms) for one in numbers_in(self._text))

    def _has(self, number: PhoneForms) -> bool:
        return self._subject.knows_any(phones(number.asked))

    def _has_short_id(self) -> bool:
        plain = self._text.strip().casefold()
        return self._subject.knows(f"hint:{plain}") or any(
            len(word) >= (SHORTEST_VALUE if word == plain else SHORTEST_HINT)
            for word in self._ids()
        )

    def _has_name(self) -> bool:
        phrases = encoded_text.phrases_in(self._text, self._subject.name_lengths)
        return any(self._subject.knows(f"name:{phrase}") for phrase in phrases)

    def _owns(self, spellings: Iterable[str]) -> bool:
        return any(self._subject.owns_email(one) for one in spellings)

    def _ids(self) -> Iterator[str]:
        if self._connection is None:
            return
        for word in (self._text.strip().casefold(), *encoded_text.words_in(self._text)):
            if len(word) <= 200 and self._subject.knows(f"id:{self._connection}:{word}"):
                yield word
