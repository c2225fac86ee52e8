"""Values of a query or a form, with the same checks as in the API."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from milepost.api.problems import Problem
from milepost.console.request import Values

_Member = TypeVar("_Member", bound=StrEnum)
_LONGEST: Final = 200
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2999


def text_of(values: Values, name: str, *, most: int = _LONGEST) -> str | None:
    """One text; None if it is empty.

    :raises Problem: 422 when it is longer than ``most`` characters
    """
    text = values.one(name)
    if len(text) > most:
        raise Problem(422, f"{name} is longer than {most} characters: shorten it.")
    return text or None


def member_of(kind: type[_Member], values: Values, name: str) -> _Member | None:
    """One member of an enumeration; None if none is given.

    :raises Problem: 422 for a value that does not exist
    """
    found = members_of(kind, values, name)
    return found[-1] if found else None


def members_of(kind: type[_Member], values: Values, name: str) -> list[_Member]:
    """Every member that is given.

    :raises Problem: 422 for a value that does not exist
    """
    try:
        return [kind(text) for text in values.all(name)]
    except ValueError:
        there_are = ", ".join(kind)
        raise Problem(422, f"There is no such {name}; there are: {there_are}.") from None


def day_of(values: Values, name: str) -> date | None:
    """A day such as ``2026-03-01``; None if it is empty.

    :raises Problem: 422 when it is not a day
    """
    text = values.one(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Problem(422, f"{name} is not a day: write it like 2026-03-01.") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Problem(422, f"The year of {name} is from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return day


def start_of(day: date | None) -> datetime | None:
    """When a day begins, in UTC."""
    return datetime.combine(day, time(), UTC) if day else None


def end_of(day: date | None) -> datetime | None:
    """When a day ends, in UTC."""
    return start_of(day + timedelta(days=1)) if day else None
