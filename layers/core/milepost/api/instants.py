"""Instants in requests, with a time zone. Short: several routes share it."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2999


def require_near(instant: datetime) -> datetime:
    """The instant, unchanged. At the limits of datetime, no time zone could be applied to it.

    :raises ValueError: outside of the years that ``from`` and ``to`` of lists allow
    """
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"the year is from {FIRST_YEAR} to {LAST_YEAR}")
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(require_near)]
"""Such as ``2026-03-01T09:00:00Z``."""
