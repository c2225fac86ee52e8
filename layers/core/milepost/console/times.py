"""Times relative to now, and in full in the reader's time zone."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from milepost.common.errors import BadPayload
from milepost.common.timestamps import format_instant, in_zone, parse_instant
from milepost.console.request import Request

ZONE_COOKIE: Final = "milepost-zone"
"""Set by console.js: the browser's time zone."""
_STEPS: Final = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=7), "week"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z")
_NOW: Final = timedelta(seconds=45)
_LONGEST_ZONE: Final = 64


def zone_of(request: Request) -> ZoneInfo:
    """The reader's time zone, from the browser; otherwise UTC."""
    name = request.cookies.get(ZONE_COOKIE, "").replace("%2F", "/")
    try:
        return ZoneInfo(name) if name and len(name) <= _LONGEST_ZONE else ZoneInfo("UTC")
    except (ValueError, OSError, LookupError):
        return ZoneInfo("UTC")


def relative(moment: datetime, now: datetime) -> str:
    """The distance from now, such as ``5 minutes ago`` or ``in 3 days``."""
    away = abs(moment - now)
    if away < _NOW:
        return "now"
    length, unit = next((step for step in _STEPS if away >= step[0]), _STEPS[-1])
    number = max(1, round(away / length))
    said = f"{number} {unit}{'s' if number > 1 else ''}"
    return f"in {said}" if moment > now else f"{said} ago"


def relative_day(day: date, today: date) -> str:
    """The same for a day without a time."""
    number = (day - today).days
    if abs(number) <= 1:
        return ("yesterday", "today", "tomorrow")[number + 1]
    return f"in {number} days" if number > 0 else f"{-number} days ago"


def full(moment: datetime, zone: tzinfo) -> str:
    """Day, time and zone, such as ``Fri 27 Nov 2026, 07:30 CET``."""
    at = in_zone(moment, zone)
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M %Z}"


def full_day(day: date) -> str:
    """A day such as ``Fri 27 Nov 2026``."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def days_between(first: object, last: object, *, now: datetime, zone: tzinfo) -> str:
    """The days from one instant to another, such as ``3 to 9 Dec``; without the second one, ``after
    3 Dec``. The year is written unless it is the current one."""
    this_year = in_zone(now, zone).year
    start, end = (_day_in(one, zone) for one in (first, last))
    if start is None:
        return "–"
    if end is None:
        return f"after {_short_day(start, this_year)}"
    if start == end:
        return _short_day(end, this_year)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} to {_short_day(end, this_year)}"
    return f"{_short_day(start, this_year)} to {_short_day(end, this_year)}"


def _day_in(said: object, zone: tzinfo) -> date | None:
    read = read_time(said)
    return in_zone(read, zone).date() if isinstance(read, datetime) else read


def _short_day(day: date, this_year: int) -> str:
    return f"{day.day} {day:%b}" + (f" {day.year}" if day.year != this_year else "")


def read_time(said: object) -> datetime | date | None:
    """An instant, or a day without a time; None for anything else."""
    if isinstance(said, datetime | date):
        return said
    text = str(said or "")
    try:
        if len(text) == len("2026-11-27"):
            return date.fromisoformat(text)
        return parse_instant(text)
    except (BadPayload, ValueError):
        return None


def time_element(said: object, *, now: datetime, zone: tzinfo, both: bool = False) -> Markup:
    """A ``<time>`` element: the relative time, with the full time as its title or next to it.

    :param said: an instant or a day, also as text; anything else is shown unchanged
    :param both: the full time is shown as well
    """
    read = read_time(said)
    if read is None:
        return Markup("{}").format(said if said is not None else "–")
    if isinstance(read, datetime):
        stamp, short, long = format_instant(read), relative(read, now), full(read, zone)
    else:
        today = in_zone(now.astimezone(UTC), zone).date()
        stamp, short, long = read.isoformat(), relative_day(read, today), full_day(read)
    # Their parts are of days, hours and names of zones: nothing to escape, and a page has hundreds.
    shown = f' <span class="full">{long}</span>' if both else ""
    return Markup(  # noqa: S704 - see above
        f'<time datetime="{stamp}" title="{long}"><span class="rel">{short}</span>{shown}</time>'
    )


def with_readable_times(text: str, zone: tzinfo) -> str:
    """A sentence, with its instants as ``<time>`` elements in the reader's zone."""

    def written(found: re.Match[str]) -> str:
        read = read_time(found[0])
        return full(read, zone) if isinstance(read, datetime) else found[0]

    return _INSTANT.sub(written, text)
