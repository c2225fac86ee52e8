"""Local times in a recipient's time zone, including days on which the clocks change.

A local time that occurs twice means its first occurrence. A skipped one means the next existing
minute. Moments are instants in UTC; ``zone`` is an IANA name.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_SECOND: Final = timedelta(seconds=1)


def moment_of(day: date, clock: time, zone: str) -> datetime:
    """When the local time on that day is this time."""
    shown, info = datetime.combine(day, clock), ZoneInfo(zone)
    moment = shown.replace(tzinfo=info).astimezone(UTC)
    if moment.astimezone(info).replace(tzinfo=None) == shown:
        return moment
    # Left out. Read by the offset after the change it lies before it; by the one before, after it.
    return _change_between(shown.replace(tzinfo=info, fold=1).astimezone(UTC), moment, info)


def next_at(clock: time, now: datetime, zone: str) -> datetime:
    """The next time after ``now`` at which the local time is this; once on each calendar day."""
    return min(moment for moment in _moments_near(now, clock, zone) if moment > now)


def last_at(clock: time, now: datetime, zone: str) -> datetime:
    """The last time, at ``now`` or before, at which the local time was this; once on each calendar
    day.
    """
    return max(moment for moment in _moments_near(now, clock, zone) if moment <= now)


def _moments_near(now: datetime, clock: time, zone: str) -> Iterator[datetime]:
    """When the local time is this, on the days around ``now``."""
    today = now.astimezone(ZoneInfo(zone)).date()
    days = (today + number * _DAY for number in range(-4, 5))
    return (moment_of(day, clock, zone) for day in days if not _is_left_out(day, zone))


def next_full_hour(now: datetime, zone: str) -> datetime:
    """The next full hour of the local time, after ``now``."""
    info, moment = ZoneInfo(zone), now.astimezone(UTC)
    while True:
        shown = moment.astimezone(info)
        past = shown - shown.replace(minute=0, second=0, microsecond=0)
        moment += _HOUR - past
        # If the clocks have changed by half an hour in the meantime, it is half past.
        if moment.astimezone(info).time().replace(hour=0) == time():
            return moment


def end_of_period(start: time, end: time, now: datetime, zone: str) -> datetime | None:
    """When the daily period that includes ``now`` ends; None if none includes it.

    It lasts from ``start`` to ``end``, over midnight if ``end`` is the earlier one.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    ends = []
    for begun in (today + number * _DAY for number in range(-2, 2)):
        ended = begun if start <= end else begun + _DAY
        if moment_of(begun, start, zone) <= now < moment_of(ended, end, zone):
            ends.append(moment_of(ended, end, zone))
    return max(ends, default=None)


def _is_left_out(day: date, zone: str) -> bool:
    """Whether the day doesn't exist in the time zone, as on islands that moved across the date
    line.
    """
    return moment_of(day, time(), zone).astimezone(ZoneInfo(zone)).date() != day


def _change_between(before: datetime, after: datetime, info: ZoneInfo) -> datetime:
    """The first instant after the clocks change; it is between these two."""
    old = before.astimezone(info).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(info).utcoffset() == old:
            before = middle
        else:
            after = middle
    # Clocks are changed at whole seconds.
    return after.replace(microsecond=0)
