"""Personal data in texts: whether a text names a person whom its order knows, or has an address.

Names are recognized however they are written: in any case, with or without accents (``Müller``,
``Mueller``), with an ending (``Müllers``), or within a longer word. If in doubt, a text counts as
naming somebody: it is then not sent, and can still be read with the order.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from milepost.common.spellings import spellings_of, visible
from milepost.orders.details import Customer, Details

_SHORTEST_NAME: Final = 3
"""Letters from which on a word is compared in any case; shorter names have to be written alike."""
_SHORTEST_WITH_ENDING: Final = 4
_LONGEST_ENDING: Final = 2
_SHORTEST_WITHIN: Final = 5
"""Letters of a customer's name from which on it is looked for within longer words."""
_SHORTEST_VALUE: Final = 4
_PHONE_END: Final = 7
"""Digits at the end of a phone number that are the same with and without its prefixes."""
_WORD: Final = re.compile(r"[^\W_]+")
_CONTACT: Final = re.compile(
    # An email or web address, as many digits as in a phone number or code, or a person's title.
    r"@|https?:|www\.|(?:\d[\s./()+-]*){5,}"
    r"|\b(?:mr|mrs|ms|miss|mx|sir|madame?|dr|prof|herrn?|hrn?|frau|fru)\b(?:\.\s*|\s+)\w"
    # Shorter numbers after words that say what they are: codes of doors, and dates of birth.
    r"|\b(?:pin|(?:pass|adgangs)?[ck]ode|passwor[dt])\b\D{0,12}(?:\d[\s.-]*){3,}"
    r"|\b(?:born|birth(?:day|date)?|dob|geb(?:oren|urtsdatum)?|født)\b\D{0,12}\d",
    re.IGNORECASE,
)
_FAMILY: Final = re.compile(r"\b[Ff]am(?:ily|ilien?)?\b\.?\s*(?=[^\W\d_a-z])[^\W\d_]\w")
"""A family with its name, which has a capital: other words may follow, too."""
_NAMING: Final = ("customer", "installer", "person")
"""Facts in which each word may name a person."""
_NOT_PERSONAL: Final = frozenset(
    {
        *("reason", "reason_source", "cause", "notes", "emails", "action", "result", "outcome"),
        *("service_type", "offer", "track", "reference", "delivery_state", "acknowledged"),
        *("installation_type", "meter_phase", "onboarding_flow"),
    }
)
"""Facts that name no person, or are free text themselves: a reason may repeat them."""
_COARSE: Final = frozenset(
    {"city", "region", "country", "kind", "status", "currency", "type", "model"}
)
"""Parts of facts that many customers share: a reason may say that a town is not served."""


def looks_like_contact(text: str) -> bool:
    """Whether a text has an address, a number as long as a phone number, or a title such as
    "Mr"."""
    shown = visible(text)
    return any(one.search(shown) is not None for one in (_CONTACT, _FAMILY))


def names_somebody(text: str, details: Details) -> bool:
    """Whether a text looks like contact data, or contains personal data of the order.

    It finds what the order's own facts contain. It can't find a person whom the provider names
    without a title and who appears nowhere else in the order.
    """
    return looks_like_contact(text) or repeats_facts(text, details)


def repeats_facts(text: str, details: Details) -> bool:
    """Whether a text contains personal data of the order: for Milepost's own texts, whose times and
    identifiers are no contact data."""
    facts: Mapping[str, Any] = details
    said = _Said(text)
    if any(said.has_name(name) for key in _NAMING for name in _texts(facts.get(key))):
        return True
    if said.has_customer(details.get("customer", {})):
        return True
    street = details.get("address", {}).get("street", "")
    return said.has_street(street) or any(said.has_value(value) for value in _values(details))


def names_customer(text: str, details: Details) -> bool:
    """The same for a short label, such as a reference, which may have the customer's number."""
    customer, said = details.get("customer", {}), _Said(text)
    return (
        any(said.has_name(name, numbers=False) for name in _texts(customer))
        or said.has_customer(customer)
        or said.has_phone(customer.get("phone", ""))
    )


class _Said:
    """A text that may leave, in every spelling."""

    def __init__(self, text: str) -> None:
        self._as_written = frozenset(_WORD.findall(visible(text)))
        self._readings = spellings_of(visible(text))
        self._words = frozenset(word for one in self._readings for word in _WORD.findall(one))
        self._squeezed = tuple(_squeezed(one) for one in self._readings)

    def has_name(self, name: str, *, numbers: bool = True) -> bool:
        """Whether the text has a word of this name.

        :param numbers: whether words with digits count
        """
        words = (*_WORD.findall(visible(name)), *map(_squeezed, visible(name).split()))
        return any(
            self._has_word(word) for word in words if numbers or not any(c.isdigit() for c in word)
        )

    def has_customer(self, customer: Customer) -> bool:
        """Whether the text has a name of this customer, or the name in their email address."""
        mailbox = customer.get("email", "").rpartition("@")[0]
        words = (*_WORD.findall(visible(customer.get("name", ""))), _squeezed(mailbox))
        return any(
            word in text
            for said in words
            for word in spellings_of(said)
            for text in self._squeezed
            if len(word) >= _SHORTEST_WITHIN
        )

    def has_phone(self, phone: str) -> bool:
        end = "".join(c for c in phone if c.isdigit())[-_PHONE_END:]
        return len(end) == _PHONE_END and any(end in text for text in self._squeezed)

    def has_street(self, street: str) -> bool:
        """Whether the text has the house number and the beginning of a word of the street."""
        words = [w for w in _WORD.findall(spellings_of(visible(street))[0]) if len(w) > 1]
        numbers = {word for word in words if word[0].isdigit()}
        beginnings = tuple(
            word[:_SHORTEST_VALUE]
            for word in words
            if word.isalpha() and len(word) >= _SHORTEST_VALUE
        )
        return bool(numbers & self._words) and any(
            word.startswith(beginnings) for word in self._words if beginnings
        )

    def has_value(self, value: str) -> bool:
        """Whether the text has the whole value, with any punctuation."""
        values = {_squeezed(one) for one in spellings_of(visible(value))}
        return any(
            one in text for one in values for text in self._squeezed if len(one) >= _SHORTEST_VALUE
        )

    def _has_word(self, name: str) -> bool:
        if any(unicodedata.category(c) == "Lo" for c in name) and len(name) > 1:
            # Scripts without capitals: many are written without spaces.
            return any(word in text for word in spellings_of(name) for text in self._squeezed)
        if len(name) < _SHORTEST_NAME:
            return (
                len(name) > 1
                and name[0].isupper()
                and bool({name, name.upper()} & self._as_written)
            )
        return any(_is_it(word, spelled) for spelled in spellings_of(name) for word in self._words)


def _is_it(word: str, name: str) -> bool:
    """Whether a word is this name, possibly with an ending."""
    if not word.startswith(name):
        return False
    more = len(word) - len(name)
    return more == 0 or (more <= _LONGEST_ENDING and len(name) >= _SHORTEST_WITH_ENDING)


def _values(details: Details) -> Iterator[str]:
    facts: Mapping[str, Any] = details
    for name, value in facts.items():
        if name not in _NOT_PERSONAL:
            yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name not in _COARSE:
                yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _squeezed(text: str) -> str:
    return "".join(_WORD.findall(text))
