"""Converts values of a payload: times, days, amounts and texts, in the formats of a file."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from milepost.common.identifiers import read_id
from milepost.common.status import normal_form
from milepost.common.timestamps import NotATime, format_instant, read_day, read_instant
from milepost.providers.declared.file_orders import IN_TEXT, Times
from milepost.providers.detail_parts import read_notes
from milepost.providers.payload_types import read_amount, read_word, trim_text

Convert: TypeAlias = Callable[[Any], Any]
"""Converts a value of a payload, never None, to a fact; None if the value means that there is none.
Raises ``ValueError`` for an unreadable value."""

LONGEST_TIME: Final = 64
_MOST_NOTES: Final = 20


class TimeReader:
    """Reads times in the formats of one provider.

    ``amounts`` goes with it to those who convert values: the unit of the provider's amounts.
    """

    def __init__(self, times: Times, *, amounts: str = "units") -> None:
        self.amounts = amounts
        self._zone: tzinfo | None = None if times.zone == IN_TEXT else ZoneInfo(times.zone)
        self._patterns = tuple(times.patterns)
        self._not_set = frozenset(times.not_set)

    @property
    def zone(self) -> tzinfo:
        """The time zone of the provider's times that don't name one."""
        return self._zone or UTC

    def instant(self, value: Any) -> datetime | None:
        """The instant, in UTC; None for a text that means that no time is set.

        :raises ValueError: when it can't be read
        """
        if isinstance(value, str):
            value = value.strip()
            if not value or value in self._not_set:
                return None
            if len(value) > LONGEST_TIME:
                raise NotATime("not a time")
            if self._patterns and (moment := self._by_pattern(value)):
                return read_instant(moment.isoformat(), zone=self._zone)
            if value.isdigit() and len(value) in (10, 13):
                value = int(value)
        elif str(value) in self._not_set:
            return None
        return read_instant(value, zone=self._zone)

    def _by_pattern(self, text: str) -> datetime | None:
        for pattern in self._patterns:
            try:
                return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone comes after it
            except (ValueError, OverflowError):
                continue
        return None

    def instant_text(self, value: Any) -> str | None:
        """The instant in the form of details."""
        moment = self.instant(value)
        return format_instant(moment) if moment else None

    def day(self, value: Any) -> str | None:
        """The day in the form of details."""
        if isinstance(value, str):
            value = value.strip()
            if not value or value in self._not_set:
                return None
            if self._patterns and (moment := self._by_pattern(value)):
                value = moment.date().isoformat()
        return read_day(value).isoformat()


def text(value: Any) -> str | None:
    """A text, trimmed; a number as its text."""
    if isinstance(value, str):
        return trim_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("no text")  # noqa: TRY004 - every slip of a value is one kind of error
    return str(value)


def kind(value: Any) -> str | None:
    """A word for comparison: without outer white space, and in lower case."""
    found = text(value)
    return normal_form(found) if found else None


def amount(value: Any) -> Decimal | None:
    """An exact number."""
    return None if isinstance(value, str) and not value.strip() else read_amount(value)


def flag(value: Any) -> bool | None:
    """A boolean, as JSON or as the words true and false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().casefold()) in ("true", "false", ""):
        return {"true": True, "false": False}.get(word)
    raise ValueError("neither true nor false")


def notes(value: Any) -> list[Any] | None:
    """Notes: a text with one note on each line, or a list of texts."""
    if isinstance(value, list):
        value = "\n".join(found for one in value[:_MOST_NOTES] if (found := text(one)))
    found = text(value)
    return list(read_notes(found)) if found else None


def identifier(value: Any) -> str:
    """The id of an order or item."""
    found = text(value)
    if found is None:
        raise ValueError("an id that is empty or blank")
    return read_id(found)


def word(value: Any) -> str:
    """A status word, unchanged; ``true`` and ``false`` are words too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("no word")  # noqa: TRY004 - every slip of a value is one kind of error
    return read_word(value)


_AMOUNT, _DAY, _FLAG, _INSTANT, _KIND, _NOTES = (
    *("amount", "day", "flag", "instant", "kind", "notes"),
)
_MONEY: Final = frozenset({"payment.amount", "commission.amount", "invoices.amount"})
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("ordered_at", "signed_at", "appointment", "fulfilment_at", "installation_initiated_at"),
        _INSTANT,
    ),
    **dict.fromkeys(("delivery_start", "delivery_end", "invoices.due_on"), _DAY),
    **dict.fromkeys(("commission.paid_at", "invoices.paid_at", "emails.sent_at"), _INSTANT),
    **dict.fromkeys(("yearly_consumption", "previous_consumption"), _AMOUNT),
    **dict.fromkeys(_MONEY, _AMOUNT),
    **dict.fromkeys(("invoices.paid", "emails.sent"), _FLAG),
    **dict.fromkeys(("commission.status", "invoices.kind"), _KIND),
    "notes": _NOTES,
}
"""The kind of each fact that is not a text."""


def in_hundredths(value: Any) -> Decimal | None:
    """An exact number of hundredths, as units."""
    found = amount(value)
    return None if found is None else found / 100


def converter(name: str, times: TimeReader) -> Convert:
    """The function that converts a value to the fact of this name."""
    if name in _MONEY and times.amounts == "hundredths":
        return in_hundredths
    return {
        _INSTANT: times.instant_text,
        _DAY: times.day,
        _AMOUNT: amount,
        _FLAG: flag,
        _KIND: kind,
        _NOTES: notes,
    }.get(_KINDS.get(name, ""), text)
