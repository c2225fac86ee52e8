"""Days in requests. Short: several routes share it."""

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator


def _day(said: object) -> date:
    is_text = isinstance(said, str) and len(said) == len("2026-03-01")
    try:
        day = date.fromisoformat(str(said) if is_text else "")
    except ValueError:
        raise ValueError("a day looks like 2026-03-01") from None
    if not 2000 <= day.year < 3000:
        raise ValueError("the year is from 2000 to 2999")
    return day


Day = Annotated[date, BeforeValidator(_day)]
"""Such as ``2026-03-01``."""
