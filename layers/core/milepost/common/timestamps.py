"""Dates and times: which formats are parsed, which years are possible, and safe arithmetic.

Providers write "not set" as a date: 0001-01-01 (.NET), 0000-00-00 (MySQL), 1900-01-01, the Unix
epoch, 9999-12-31. A date outside of ``EARLIEST`` to ``LATEST`` is such a slip and never a fact:
adapters leave it out (``providers/shapes``), and what reads a stored one takes it for missing.
Nothing here raises ``OverflowError``: shifting and adding stop at the ends of the calendar.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Final

from milepost.common.errors import BadPayload

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The first instant that a provider's date can mean."""
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""The first instant after all those that a provider's date can mean."""

_FIRST: Final = datetime(1, 1, 3, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 29, tzinfo=UTC)
"""Between these two every time zone can express every instant."""
_DAY_LENGTH: Final = len("2026-03-01")
_MILLISECONDS_FROM: Final = 10**11
"""A number of seconds that large is after the year 5000, one of milliseconds before 1974."""

_FORM: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,12}))?)?"
    r" ?(?:(Z)|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
"""ISO 8601 as systems write it: also a lower-case z, a zone without a colon or after a space."""


class NotATime(ValueError):
    """Not a possible date or time; the message says why, without the text itself."""


def read_iso(text: str) -> datetime:
    """The datetime of an ISO 8601 text; naive if the text has no time zone.

    24:00 is the next day's midnight; a leap second is the second after it.

    :raises NotATime: when it isn't one
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise NotATime("not a time: expected ISO 8601 such as 2026-03-01T09:00:00Z")
    try:
        return _from_parts(*found.groups())
    except (ValueError, OverflowError):
        raise NotATime("not a time: there is no such day or hour") from None


def _from_parts(*parts: str | None) -> datetime:
    numbers = [int(part or 0) for part in parts[:6]]
    year, month, day, hour, minute, second = numbers
    beyond = timedelta(0)
    if (hour, minute, second) == (24, 0, 0):
        hour, beyond = 0, timedelta(days=1)
    elif second == 60:
        second, beyond = 59, timedelta(seconds=1)
    microsecond = int((parts[6] or "").ljust(6, "0")[:6])
    utc, sign, hours, minutes = parts[7:]
    zone: tzinfo | None = UTC if utc else None
    if sign:
        text = f"2000-01-01T00:00{sign}{hours}:{minutes or '00'}"
        zone = datetime.fromisoformat(text).tzinfo
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone) + beyond


def read_instant(value: object, *, zone: tzinfo | None = None) -> datetime:
    """The instant, in UTC, of a provider's JSON value.

    :param value: a text of ISO 8601, or the number of seconds or milliseconds since 1970
    :param zone: of texts that name none; a time that comes twice when clocks are put back is the
        first, one that is skipped counts on from the hour before
    :raises NotATime: when it isn't one, or not between 2000 and 2099
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise NotATime("not a time: expected a text such as 2026-03-01T09:00:00Z")
    if not isinstance(value, str):
        return _in_range(_from_number(value))
    moment = read_iso(value)
    if moment.tzinfo is None:
        if zone is None:
            raise NotATime("a time without a zone: expected ISO 8601 ending in Z or +hh:mm")
        moment = moment.replace(tzinfo=zone)
    try:
        return _in_range(moment.astimezone(UTC))
    except OverflowError:
        raise _out_of_range() from None


def read_day(value: object) -> date:
    """The day of a provider's text, which may be followed by a time.

    :raises NotATime: when it isn't one, or not between 2000 and 2099
    """
    if not isinstance(value, str):
        raise NotATime("not a day: expected a text such as 2026-03-01")
    day = read_iso(value.strip()).date()
    if not EARLIEST.date() <= day < LATEST.date():
        raise _out_of_range()
    return day


def _from_number(number: float | Decimal) -> datetime:
    try:
        # The range of dates that can be right is so small that the units can't be confused.
        divisor = 1000 if abs(float(number)) >= _MILLISECONDS_FROM else 1
        return datetime.fromtimestamp(float(number) / divisor, UTC)
    except (ValueError, OverflowError, OSError):
        raise _out_of_range() from None


def _in_range(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise _out_of_range()
    return moment


def _out_of_range() -> NotATime:
    return NotATime("a date that can't be right: before 2000 or after 2099")


def is_in_range(moment: datetime) -> bool:
    """Whether an aware datetime is in the range that a provider's date may have."""
    return EARLIEST <= moment < LATEST


def stored_moment(text: str | None) -> datetime | None:
    """The instant of a stored instant; for a stored day, midnight (UTC).

    None where there is none, and for what can't be a date: versions before kept such dates.
    """
    day = stored_day(text)
    if day is not None:
        return datetime.combine(day, time(), tzinfo=UTC)
    try:
        return read_instant(text)
    except NotATime:
        return None


def stored_day(text: str | None) -> date | None:
    """The stored day; None if there is none, if it is an instant, or if it isn't a possible
    date.
    """
    if not isinstance(text, str) or len(text) != _DAY_LENGTH:
        return None
    try:
        return read_day(text)
    except NotATime:
        return None


def if_in_range(text: str | None) -> str | None:
    """The text of a stored date; None if there is none, or if it isn't a possible date."""
    return text if stored_moment(text) is not None else None


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Convert an aware datetime to a time zone. At the ends of the calendar, where that isn't
    possible, the result is the nearest possible datetime."""
    return _bounded(moment).astimezone(zone)


def later(moment: datetime, by: timedelta) -> datetime:
    """The sum of an aware datetime and a duration; at most the end of the calendar."""
    moment = _bounded(moment)
    room = (_LAST - moment) if by > timedelta(0) else (_FIRST - moment)
    return moment + (min(by, room) if by > timedelta(0) else max(by, room))


def _bounded(moment: datetime) -> datetime:
    return min(max(moment, _FIRST), _LAST)


def format_instant(instant: datetime) -> str:
    """An aware datetime as ISO 8601 in UTC, with milliseconds if there are any."""
    utc = whole_milliseconds(instant)
    spec = "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat("T", spec)[: -len("+00:00")] + "Z"


def whole_milliseconds(instant: datetime) -> datetime:
    """The same in UTC, truncated to milliseconds."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    finer = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - finer) if finer else utc


def parse_instant(text: str) -> datetime:
    """The aware UTC datetime, in milliseconds, of an ISO 8601 text with a time zone.

    :raises BadPayload: when it is no date, or has no zone
    """
    try:
        instant = read_iso(text)
        if instant.tzinfo is None:
            raise BadPayload("a time without a zone: expected ISO 8601 ending in Z or +hh:mm")
        return whole_milliseconds(instant)
    except (NotATime, OverflowError):
        raise BadPayload("not a time: expected ISO 8601 such as 2026-03-01T09:00:00Z") from None


def sortable(moment: datetime) -> str:
    """An instant as the text by which the index sorts, in seconds."""
    return format_instant(moment.replace(microsecond=0))
