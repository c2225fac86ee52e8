"""What values of a payload mean: times, days, amounts and texts, in the forms of a file."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from milepost.common.identifiers import read_id
from milepost.common.status import normal_form
from milepost.common.timestamps import NotATime, format_instant, read_day, read_instant
from milepost.providers.declared.file_facts import IN_TEXT, Times
from milepost.providers.detail_parts import read_notes
from milepost.providers.payload_types import read_amount, read_word, trim_text

Convert: TypeAlias = Callable[[Any], Any]
"""Takes a value of a payload that isn't None, and gives a fact, or None where it says nothing.
Raises ``ValueError`` for one that can't be read."""

LONGEST_TIME: Final = 64
_MOST_NOTES: Final = 20


class TimeReader:
    """Reads times as one provider writes them."""

    def __init__(self, times: Times) -> None:
        self._zone: tzinfo | None = None if times.zone == IN_TEXT else ZoneInfo(times.zone)
        self._patterns = tuple(times.patterns)
        self._not_set = frozenset(times.not_set)

    @property
    def zone(self) -> tzinfo:
        """The zone in which the provider writes times that name none."""
        return self._zone or UTC

    def instant(self, value: Any) -> datetime | None:
        """The instant, in UTC; None for a text that means that there is none.

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
        """The instant as details hold it."""
        moment = self.instant(value)
        return format_instant(moment) if moment else None

    def day(self, value: Any) -> str | None:
        """The day as details hold it."""
        if isinstance(value, str):
            value = value.strip()
            if not value or value in self._not_set:
                return None
            if self._patterns and (moment := self._by_pattern(value)):
                value = moment.date().isoformat()
        return read_day(value).isoformat()


def text(value: Any) -> str | None:
    """A text, trimmed; a number as it is written."""
    if isinstance(value, str):
        return trim_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("no text")  # noqa: TRY004 - every slip of a value is one kind of error
    return str(value)


def kind(value: Any) -> str | None:
    """A word that is compared, so that case and white space don't count."""
    found = text(value)
    return normal_form(found) if found else None


def amount(value: Any) -> Decimal | None:
    """An exact number."""
    return None if isinstance(value, str) and not value.strip() else read_amount(value)


def flag(value: Any) -> bool | None:
    """Yes or no, as JSON says it or as the words true and false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().casefold()) in ("true", "false", ""):
        return {"true": True, "false": False}.get(word)
    raise ValueError("neither true nor false")


def notes(value: Any) -> list[Any] | None:
    """Remarks: a text with one a line, or a list of texts."""
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
    """A status word, as it is written; ``true`` and ``false`` are words too."""
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
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("ordered_at", "signed_at", "appointment", "fulfilment_at", "installation_initiated_at"),
        _INSTANT,
    ),
    **dict.fromkeys(("delivery_start", "delivery_end", "invoices.due_on"), _DAY),
    **dict.fromkeys(("commission.paid_at", "invoices.paid_at", "emails.sent_at"), _INSTANT),
    **dict.fromkeys(("yearly_consumption", "previous_consumption"), _AMOUNT),
    **dict.fromkeys(("payment.amount", "commission.amount", "invoices.amount"), _AMOUNT),
    **dict.fromkeys(("invoices.paid", "emails.sent"), _FLAG),
    **dict.fromkeys(("commission.status", "invoices.kind"), _KIND),
    "notes": _NOTES,
}
"""What a fact is, by its name; all others are texts."""


def converter(name: str, times: TimeReader) -> Convert:
    """What makes a fact of this name of a value."""
    return {
        _INSTANT: times.instant_text,
        _DAY: times.day,
        _AMOUNT: amount,
        _FLAG: flag,
        _KIND: kind,
        _NOTES: notes,
    }.get(_KINDS.get(name, ""), text)
