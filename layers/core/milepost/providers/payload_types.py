"""What the payloads of all providers are made of: types that trim, check and never echo.

What an order's identity and status need is required, and read strictly. All else is a fact: one
that can't be read is left out, and named in ``Shape.unread``, so that it withholds no status.
Null, and an empty text where a date, a number or a list is expected, mean that it is missing.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
)

from milepost.common.errors import BadPayload
from milepost.common.identifiers import read_id
from milepost.common.status import normal_form
from milepost.common.timestamps import read_day, read_instant
from milepost.providers.base import Json
from milepost.providers.lenient_parsing import Unusable, name_of, places_to_leave_out, without

LONGEST_TEXT: Final = 2_000
"""Characters kept of a remark or reason; a provider's slip must not outgrow a stored item."""
LONGEST_WORD: Final = 200
"""Characters of a status word."""
MOST_PARTS: Final = 100
"""Parts kept of a list, such as invoices."""
MOST_UNREAD: Final = 20
"""Names kept of fields that can't be read."""
LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Of a pair of surrogates: JSON can say it, but no text with it can be stored."""
_ROUNDS: Final = 4
"""Validations of one payload: what an outer mistake hid is found by the next."""


class Shape(BaseModel):
    """A payload. Fields that are not named in it are ignored, as every provider reserves them."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    # No private attribute of pydantic's: that would cost each part of a good payload as well.
    _unread: ClassVar[tuple[str, ...]] = ()
    _unread_by_part: ClassVar[dict[str, dict[int | None, list[tuple[int, str]]]]] = {}

    @property
    def unread(self) -> list[str]:
        """Names of the fields that were left out, since they can't be read; 20 at most."""
        return list(self._unread[:MOST_UNREAD])

    def unread_for(self, name: str, place: int) -> list[str]:
        """Of these names those that are about one part of a list, or about no part of it."""
        if not self._unread:
            return []
        by_part = self._unread_by_part.get(name)
        if by_part is None:
            by_part = self._unread_by_part[name] = _by_part(name, self._unread)
        found = sorted((*by_part.get(place, ()), *by_part.get(None, ())))
        return [one for _, one in found[:MOST_UNREAD]]

    def note_unread(self, names: Iterable[str]) -> None:
        """Name what was left out."""
        object.__setattr__(self, "_unread", tuple(dict.fromkeys(names)))
        object.__setattr__(self, "_unread_by_part", {})


def _by_part(name: str, unread: Iterable[str]) -> dict[int | None, list[tuple[int, str]]]:
    """The names, with their place, by the number of the part that they are about; None for others.

    Without its number, so that a part says the same wherever it stands. Sorted out once: an order
    may have thousands of parts, each with something that can't be read.
    """
    start = f"{name}."
    found: dict[int | None, list[tuple[int, str]]] = {}
    for at, one in enumerate(unread):
        number, dot, rest = one.removeprefix(start).partition(".")
        if not one.startswith(start):
            found.setdefault(None, []).append((at, one))
        elif dot:
            found.setdefault(int(number), []).append((at, start + rest))
    return found


def trim_text(text: str) -> str | None:
    """The text without white space around it, cut when it is too long; None for a blank one."""
    if not text.isascii() and LONE_SURROGATE.search(text):
        raise ValueError("a text with half a character in it")
    trimmed = text.strip()
    if len(trimmed) > LONGEST_TEXT:
        trimmed = trimmed[: LONGEST_TEXT - 1] + "…"
    return trimmed or None


def _text(text: str) -> str | None:
    # Half of a surrogate pair is no text that could be stored.
    text.encode()
    return trim_text(text)


def _kind(text: str) -> str | None:
    trimmed = _text(text)
    return normal_form(trimmed) if trimmed else None


def read_word(text: str) -> str:
    """A status word, or the name of an event: trimmed, and as the provider writes it.

    :raises ValueError: when it is blank, too long, or not printable
    """
    word = text.strip()
    is_printable = word.isprintable() or "".join(word.split()).isprintable()
    if not word or len(word) > LONGEST_WORD or not is_printable:
        raise ValueError(f"not a word of 1 to {LONGEST_WORD} printable characters")
    return word


def _maybe_day(value: Any) -> str | None:
    return None if missing_if_blank(value) is None else read_day(value).isoformat()


def _maybe_instant(value: Any) -> datetime | None:
    return None if missing_if_blank(value) is None else read_instant(value)


def _maybe_amount(value: Any) -> Decimal | None:
    return None if missing_if_blank(value) is None else read_amount(value)


def missing_if_blank(value: Any) -> Any:
    """The value; None for a blank text, where none is expected."""
    return None if isinstance(value, str) and not value.strip() else value


def _none_if_missing(value: Any) -> Any:
    return [] if missing_if_blank(value) is None else value


Id = Annotated[str, AfterValidator(read_id)]
"""An id, trimmed, as long as keys can hold; JSON may give it as a number."""
Word = Annotated[str, AfterValidator(read_word)]
"""A status, or the name of an event: as the provider writes it, trimmed."""
Text = Annotated[str, AfterValidator(_text)] | None
"""A text that may be missing: null, empty and blank are all None."""
Kind = Annotated[str, AfterValidator(_kind)] | None
"""A word of a provider's that we know by name, such as the kind of an invoice; it may be missing.
In lower case and trimmed, since both don't count."""
Instant = Annotated[datetime, PlainValidator(read_instant)]
"""An instant of ISO 8601 with a zone, from 2000 to 2099; in UTC."""
MaybeWord = Annotated[Word | None, BeforeValidator(missing_if_blank)]
MaybeInstant = Annotated[datetime | None, PlainValidator(_maybe_instant)]
MaybeDay = Annotated[str | None, PlainValidator(_maybe_day)]
"""A day, such as 2026-03-01, from 2000 to 2099."""
MaybeAmount = Annotated[Decimal | None, PlainValidator(_maybe_amount)]
"""An exact ``Decimal``, of as many digits as DynamoDB keeps; JSON may give it as a text."""
MaybeFlag = Annotated[bool | None, BeforeValidator(missing_if_blank)]

Part = TypeVar("Part")
Parts = Annotated[list[Part], BeforeValidator(_none_if_missing), Field(max_length=MOST_PARTS)]
"""A list of facts, of which so many are kept; null is an empty one."""


AnyShape = TypeVar("AnyShape", bound=Shape)


def read_shape(shape: type[AnyShape], value: Json) -> AnyShape:
    """The payload in its shape, without the facts that can't be read: ``unread`` names those.

    :raises BadPayload: when something required is missing or wrong: says which fields, and how,
        without their contents
    """
    left_out: list[str] = []
    for _ in range(_ROUNDS):
        try:
            said = shape.model_validate(value)
        except ValidationError as error:
            try:
                places = places_to_leave_out(shape, error)
            except Unusable as unusable:
                raise BadPayload(f"not the expected {shape.__name__}: {unusable}") from None
            left_out += map(name_of, places)
            value = without(value, places)
        else:
            if left_out:
                said.note_unread(left_out)
            return said
    raise BadPayload(f"not the expected {shape.__name__}: most of it can't be read")


MOST_DIGITS: Final = 38
"""Digits of an amount when it is written out: as many as DynamoDB keeps."""


_NUMBER: Final = re.compile(r"[+-]?\d{1,60}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,4})?", re.ASCII)


def read_amount(value: Any) -> Decimal:
    """The exact number that a JSON number, or a text in the form of one, says.

    A text such as 1,280.00 or 1_280 is none: which of its signs parts thousands isn't known.

    :raises ValueError: when it is none, or has too many digits
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic takes no TypeError
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number such as 1280.00")
    number = Decimal(text)
    if not number:
        return Decimal(0)
    _, digits, exponent = number.as_tuple()
    places = max(-int(exponent), 0)
    if max(number.adjusted() + 1, 1) + places > MOST_DIGITS or len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of more than {MOST_DIGITS} digits")
    return number
