"""The clock of a connection's forecasts: calendar time, or business time if deadlines count it.

A clock turns seconds since 1970 (UTC) into seconds of its own and back. Days that don't count take
no time on a business clock, so an order that waits over Easter doesn't look slow.
"""

from bisect import bisect_left
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from milepost.common.business_days import IsBusinessDay, business_days_of
from milepost.connections.connection import Connection
from milepost.connections.tracks import BUSINESS
from milepost.forecasts.slowdown import DAY, WEEK
from milepost.forecasts.stays import Stay

_FIRST_YEAR: Final = 2015
_LAST_YEAR: Final = 2080
"""Years outside of these have no holidays here: every day counts."""


class Clock(Protocol):
    """Converts times to seconds of this clock, and back; ``week`` is the number of its seconds in
    an ordinary week.
    """

    @property
    def week(self) -> float: ...
    def counted(self, moment: float) -> float:
        """The clock's reading at a time (seconds since 1970)."""

    def moment(self, counted: float) -> float:
        """The first time at which the clock has this reading."""


class _Calendar:
    """Every second counts."""

    week = WEEK

    def counted(self, moment: float) -> float:
        return moment

    def moment(self, counted: float) -> float:
        return counted


class _Business:
    """Seconds of business days, each from midnight to midnight of the local clock."""

    week = 5 * DAY

    def __init__(self, counts: IsBusinessDay, *, time_zone: str) -> None:
        self._counts = counts
        self._zone = ZoneInfo(time_zone)
        self._days: list[date] = []
        self._known = date(_FIRST_YEAR, 1, 1)
        """The first day that was not looked at yet."""

    def counted(self, moment: float) -> float:
        local = datetime.fromtimestamp(moment, self._zone)
        day = local.date()
        if day.year < _FIRST_YEAR:
            return (day - date(_FIRST_YEAR, 1, 1)).days * DAY + _since_midnight(local)
        self._look_until(min(day.year, _LAST_YEAR))
        number = bisect_left(self._days, day)
        if number == len(self._days) and day >= self._known:
            return (number + (day - self._known).days) * DAY + _since_midnight(local)
        is_counted = number < len(self._days) and self._days[number] == day
        return number * DAY + (_since_midnight(local) if is_counted else 0.0)

    def moment(self, counted: float) -> float:
        number, rest = divmod(counted, DAY)
        while number >= len(self._days) and self._known.year <= _LAST_YEAR:
            self._look_until(self._known.year)
        if number < 0:
            day = date(_FIRST_YEAR, 1, 1) + timedelta(days=number)
        elif number < len(self._days):
            day = self._days[int(number)]
        else:
            day = self._known + timedelta(days=number - len(self._days))
        midnight = datetime.combine(day, time(), self._zone)
        return (midnight + timedelta(seconds=rest)).timestamp()

    def _look_until(self, year: int) -> None:
        end = date(year + 1, 1, 1)
        while self._known < end:
            if self._counts(self._known):
                self._days.append(self._known)
            self._known += timedelta(days=1)


def _since_midnight(local: datetime) -> float:
    return local.hour * 3600.0 + local.minute * 60 + local.second + local.microsecond / 1e6


CALENDAR: Final[Clock] = _Calendar()


def clock_of(connection: Connection | None) -> Clock:
    """The clock that counts this connection's deadlines."""
    if connection is None or connection.stage_days_count != BUSINESS:
        return CALENDAR
    return _business_clock(connection.country, connection.region, connection.time_zone)


@cache
def _business_clock(country: str, region: str | None, time_zone: str) -> Clock:
    return _Business(business_days_of(country, region), time_zone=time_zone)


def on_clock(stay: Stay, clock: Clock) -> Stay:
    """The same stay, with its times converted from calendar time to another clock."""
    if clock is CALENDAR:
        return stay
    return replace(
        stay,
        entered=clock.counted(stay.entered),
        left=None if stay.left is None else clock.counted(stay.left),
        ended=None if stay.ended is None else clock.counted(stay.ended),
    )
