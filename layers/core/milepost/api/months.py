"""Months in requests, such as 2026-03. Short: the routes of figures share it."""

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from milepost.api import text_patterns

Month = Annotated[str, Field(pattern=text_patterns.MONTH)]
"""Such as ``2026-03``."""


def first_of(month: str) -> date:
    """The first day of a month."""
    return date.fromisoformat(f"{month}-01")


def month_before(day: date) -> date:
    """The first day of the month before the day's month."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def months_before(day: date, count: int) -> date:
    """The first day of the month that is ``count`` months before the day's month."""
    first = day.replace(day=1)
    for _ in range(count):
        first = month_before(first)
    return first


def months_between(first: date, last: date) -> list[str]:
    """Every month from the first day's to the last day's; empty if the last is before the first."""
    found, month = [], last.replace(day=1)
    while month >= first.replace(day=1):
        found.append(f"{month:%Y-%m}")
        month = month_before(month)
    return found[::-1]
