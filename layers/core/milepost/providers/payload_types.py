"""Types for payloads of all providers: they trim and validate, and never repeat values in errors.

Fields that identify the order and its status are required and read strictly. All other fields are
facts: an invalid fact is left out and named in ``Shape.unread``, so that it doesn't hold back the
status. Null, or an empty text where a date, a number or a list is expected, means that the field is
missing.
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
"""Maximum characters that are kept of a remark or reason, so that a provider's mistake doesn't
exceed the size of an item."""
LONGEST_WORD: Final = 200
"""Maximum characters of a status word."""
MOST_PARTS: Final = 100
"""Maximum number of elements that are kept of a list, such as invoices."""
MOST_UNREAD: Final = 20
"""Maximum number of names that are kept of unreadable fields."""
LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair: possible in JSON, but text with it can't be stored."""
_ROUNDS: Final = 4
"""Maximum number of validations of one payload: each may find mistakes that an outer one had
hidden."""


class Shape(BaseModel):
    """A payload. Unknown fields are ignored, since every provider may add some."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    # Not a private attribute of pydantic: that would slow down every part of a valid payload.
    _unread: ClassVar[tuple[str, ...]] = ()
    _unread_by_part: ClassVar[dict[str, dict[int | None, list[tuple[int, str]]]]] = {}

    @property
    def unread(self) -> list[str]:
        """Names of the fields that were left out because they are unreadable; at most 20."""
        return list(self._unread[:MOST_UNREAD])

    def unread_for(self, name: str, place: int) -> list[str]:
        """The names that belong to one element of a list, or to no element."""
        if not self._unread:
            return []
        by_part = self._unread_by_part.get(name)
        if by_part is None:
            by_part = self._unread_by_part[name] = _by_part(name, self._unread)
        found = sorted((*by_part.get(place, ()), *by_part.get(None, ())))
        return [one for _, one in found[:MOST_UNREAD]]

    def note_unread(self, names: Iterable[str]) -> None:
        """Add names of fields that are left out."""
        object.__setattr__(self, "_unread", tuple(dict.fromkeys(names)))
        object.__setattr__(self, "_unread_by_part", {})


def _by_part(name: str, unread: Iterable[str]) -> dict[int | None, list[tuple[int, str]]]:
    """The names with their position, by the index of the element that they belong to; None for
    others.

    The names are without the index, so that an element gives the same names at any position. This
    is done once, since an order may have thousands of elements with unreadable fields.
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
    """The text without surrounding white space, cut if it is too long; None if it is blank."""
    if not text.isascii() and LONE_SURROGATE.search(text):
        raise ValueError("a text with half a character in it")
    trimmed = text.strip()
    if len(trimmed) > LONGEST_TEXT:
        trimmed = trimmed[: LONGEST_TEXT - 1] + "…"
    return trimmed or None


def _text(text: str) -> str | None:
    # Half of a surrogate pair can't be stored as text.
    text.encode()
    return trim_text(text)


def _kind(text: str) -> str | None:
    trimmed = _text(text)
    return normal_form(trimmed) if trimmed else None


def read_word(text: str) -> str:
    """A status word or an event's name: trimmed, otherwise as the provider writes it.

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
    """The value; None for a blank text if the field isn't a text."""
    return None if isinstance(value, str) and not value.strip() else value


def _none_if_missing(value: Any) -> Any:
    return [] if missing_if_blank(value) is None else value


Id = Annotated[str, AfterValidator(read_id)]
"""An id, trimmed, not longer than keys allow; in JSON it may be a number."""
Word = Annotated[str, AfterValidator(read_word)]
"""A status word or an event's name: trimmed, otherwise as the provider writes it."""
Text = Annotated[str, AfterValidator(_text)] | None
"""An optional text: null, empty and blank give None."""
Kind = Annotated[str, AfterValidator(_kind)] | None
"""An optional word of a fixed vocabulary, such as the kind of an invoice. It is trimmed and in
lower case, for comparison."""
Instant = Annotated[datetime, PlainValidator(read_instant)]
"""An instant in ISO 8601 with a time zone, from 2000 to 2099; converted to UTC."""
MaybeWord = Annotated[Word | None, BeforeValidator(missing_if_blank)]
MaybeInstant = Annotated[datetime | None, PlainValidator(_maybe_instant)]
MaybeDay = Annotated[str | None, PlainValidator(_maybe_day)]
"""A day, such as 2026-03-01, from 2000 to 2099."""
MaybeAmount = Annotated[Decimal | None, PlainValidator(_maybe_amount)]
"""An exact ``Decimal`` with at most as many digits as DynamoDB stores; in JSON it may be a text."""
MaybeFlag = Annotated[bool | None, BeforeValidator(missing_if_blank)]

Part = TypeVar("Part")
Parts = Annotated[list[Part], BeforeValidator(_none_if_missing), Field(max_length=MOST_PARTS)]
"""A list of facts, at most ``MOST_PARTS`` of them; null gives an empty list."""


AnyShape = TypeVar("AnyShape", bound=Shape)


def read_shape(shape: type[AnyShape], value: Json) -> AnyShape:
    """Parse a payload, without facts that are unreadable: ``unread`` names those.

    :raises BadPayload: when a required field is missing or invalid; names the fields and the
        errors, without their contents
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
"""Maximum digits of an amount when it is written out: as many as DynamoDB stores."""


_NUMBER: Final = re.compile(r"[+-]?\d{1,60}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,4})?", re.ASCII)


def read_amount(value: Any) -> Decimal:
    """The exact value of a JSON number, or of a text in the form of one.

    Texts such as 1,280.00 or 1_280 are refused: it is unknown which character separates thousands.

    :raises ValueError: when it isn't a number, or has too many digits
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
