"""Working hours: when orders are placed, and when appointments are."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_ZONES: Final[Mapping[str, ZoneInfo]] = {
    "offergrid": ZoneInfo("Australia/Melbourne"),
    "rabot": ZoneInfo("Europe/Berlin"),
    "subs": ZoneInfo("Africa/Accra"),
    "spirii": ZoneInfo("Europe/Copenhagen"),
}
"""Where the customers of a provider live."""
_SLOTS: Final = (8, 9, 11, 13, 15)
"""Full hours at which technicians come."""
_SATURDAY: Final = 5


def appointment(provider: str, now: datetime, *, in_days: float, chance: random.Random) -> datetime:
    """A slot in this number of days; a slot on a weekend is moved to the next Monday."""
    day = now.astimezone(_zone_of(provider)) + timedelta(days=in_days)
    if day.weekday() >= _SATURDAY:
        day += timedelta(days=7 - day.weekday())
    return day.replace(hour=chance.choice(_SLOTS), minute=0, second=0, microsecond=0)


def placed(provider: str, now: datetime, *, days_ago: float, chance: random.Random) -> datetime:
    """A time on that day, between 8:00 and 18:00, that has passed."""
    day = now.astimezone(_zone_of(provider)) - timedelta(days=days_ago)
    moment = day.replace(hour=chance.randrange(8, 18), minute=chance.randrange(60))
    return min(moment, now - timedelta(minutes=10))


def _zone_of(provider: str) -> ZoneInfo:
    """The time zone of an account; that of a declared provider isn't known, so it is Berlin's."""
    return _ZONES.get(provider, _ZONES["rabot"])
