"""Times as operators enter and read them, in one time zone that is always shown."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cli.errors import WrongUse
from milepost.common.allowed_years import FIRST_YEAR, LAST_YEAR, require_near
from milepost.common.errors import BadPayload
from milepost.common.timestamps import format_instant, in_zone, parse_instant

UTC_ZONE: Final = "UTC"
_AGO: Final = re.compile(r"(\d{1,6})\s*(m|min|h|d)")
_MINUTES: Final = {"m": 1, "min": 1, "h": 60, "d": 24 * 60}
_DAY_LENGTH: Final = len("2026-03-01")


@dataclass(frozen=True, slots=True)
class Moments:
    """Formats instants in one time zone."""

    zone: ZoneInfo

    @property
    def label(self) -> str:
        """The name of the time zone, to be shown beside times."""
        return self.zone.key

    def minute(self, text: str | None) -> str:
        """An instant, in minutes; a day without a time has no time zone and is unchanged."""
        if text is None or len(text) == _DAY_LENGTH:
            return text or ""
        return f"{in_zone(parse_instant(text), self.zone):%Y-%m-%d %H:%M}"

    def day(self, text: str | None) -> str:
        """The day of an instant."""
        return self.minute(text)[:_DAY_LENGTH]

    def clock(self, at: datetime) -> str:
        """The time of day, in seconds."""
        return f"{at.astimezone(self.zone):%H:%M:%S}"


def read_zone(name: str) -> Moments:
    """The formatter for the time zone with this name.

    :raises WrongUse: when there is none
    """
    try:
        return Moments(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongUse(
            f"--zone {name}: unknown time zone. Write one such as Europe/Berlin."
        ) from None


def read_moment(text: str | None, *, option: str) -> str | None:
    """An instant in the form of the API; ``90m``, ``6h`` and ``3d`` are times ago.

    :raises WrongUse: when it is neither
    """
    if text is None:
        return None
    try:
        if ago := _AGO.fullmatch(text.strip()):
            passed = timedelta(minutes=int(ago[1]) * _MINUTES[ago[2]])
            return format_instant(require_near(datetime.now(UTC) - passed))
        return format_instant(require_near(parse_instant(text)))
    except BadPayload as error:
        raise WrongUse(f"{option} {text}: {error}; or how long ago, as 90m, 6h or 3d.") from None
    except (OverflowError, ValueError):
        years = f"{FIRST_YEAR} to {LAST_YEAR}"
        raise WrongUse(f"{option} {text}: the year has to be from {years}.") from None


def ago(instant: str | None, *, now: datetime) -> str:
    """How long ago an instant was, in its largest unit; empty for None."""
    if instant is None:
        return ""
    passed = in_words(max((now - parse_instant(instant)).total_seconds(), 0))
    return f"{' '.join(passed.split()[:2])} ago"


def in_words(seconds: float) -> str:
    """A duration in its two largest units, such as ``3 d 4 h``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    days, hours = divmod(hours, 24)
    if not days:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{days} d {hours} h" if hours else f"{days} d"
