"""Business days: which days count, by country and region.

The holidays come from the package ``holidays``. It is imported when a connection first asks for a
business day, so that functions that never do start without it.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from milepost.common.timestamps import is_in_range, later

_DAY: Final = timedelta(days=1)
_MOST_COUNTED: Final = timedelta(days=3_660)
"""A time that is counted day by day; a longer one is a slip, and counted in calendar days."""

IsBusinessDay = Callable[[date], bool]


class UnknownCountry(LookupError):
    """The holidays of this country are not known; the message says what to do."""


class UnknownRegion(LookupError):
    """The country has no such region; the message lists its regions."""


@cache
def business_days_of(country: str, region: str | None = None) -> IsBusinessDay:
    """Whether a day is a business day in the region: neither on a weekend nor a public holiday.

    :param country: ISO 3166-1, two letters
    :param region: ISO 3166-2 without the country
    :raises UnknownCountry: when the package doesn't know it
    :raises UnknownRegion: likewise
    """
    from holidays import country_holidays  # noqa: PLC0415 - see above

    try:
        public = country_holidays(country)
    except NotImplementedError:
        raise UnknownCountry(
            f"no public holidays are known of {country!r}: name another country, or count "
            "calendar days"
        ) from None
    if region is None:
        return public.is_working_day
    if region not in public.subdivisions:
        known = ", ".join(public.subdivisions) or "none with holidays of their own"
        raise UnknownRegion(f"{country} has no region {region!r}; its regions are: {known}")
    return country_holidays(country, subdiv=region).is_working_day


def end_of_business_time(
    begins: datetime, allowed: timedelta, *, counts: IsBusinessDay, time_zone: str
) -> datetime:
    """The time after this duration, in which only business days count; in UTC.

    A day is one from an hour of the local clock to the same hour of the next business day. Of years
    that can't be right no holidays are known: there every day counts.
    """
    ends_at = later(begins, allowed)
    if allowed > _MOST_COUNTED or not (is_in_range(begins) and is_in_range(ends_at)):
        return ends_at
    local = begins.astimezone(ZoneInfo(time_zone))
    if not counts(local.date()):
        local = _at(_next(local.date(), counts), time(), local)
    for _ in range(allowed.days):
        local = _at(_next(local.date(), counts), local.time(), local)
    ends = (local.astimezone(UTC) + (allowed % _DAY)).astimezone(local.tzinfo)
    if not counts(ends.date()):
        ends = _at(_next(ends.date(), counts), ends.time(), ends)
    return ends.astimezone(UTC)


def _next(day: date, counts: IsBusinessDay) -> date:
    following = day + _DAY
    while not counts(following):
        following += _DAY
    return following


def _at(day: date, clock: time, like: datetime) -> datetime:
    return datetime.combine(day, clock, tzinfo=like.tzinfo)
