"""The years that instants in requests may have. Short: the command imports it at each start."""

from datetime import datetime
from typing import Final

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2999


def require_near(instant: datetime) -> datetime:
    """The instant, unchanged. Near the limits of datetime, a time zone could not be applied to it.

    :raises ValueError: outside of the years that ``from`` and ``to`` of lists allow
    """
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"the year is from {FIRST_YEAR} to {LAST_YEAR}")
    return instant
