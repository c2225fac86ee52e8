"""Formats numbers and settings for people."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

_UNITS: Final = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
    (timedelta(seconds=1), "s"),
)
_FEW: Final = 10
"""Days and hours below this value have a decimal."""


def duration(seconds: float | None) -> str:
    """A duration such as ``3.2 d`` or ``45 min``; a dash for None."""
    if seconds is None:
        return "–"
    length = timedelta(seconds=abs(seconds))
    size, unit = next((one for one in _UNITS if length >= one[0]), _UNITS[-1])
    number = length / size
    sign = "-" if seconds < 0 else ""
    return (
        f"{sign}{number:.1f} {unit}"
        if number < 10 and unit in "dh"
        else f"{sign}{number:.0f} {unit}"
    )


def percent(share: float | None) -> str:
    """A share as a percentage such as ``12%``; a dash for None."""
    return "–" if share is None else f"{share * 100:.0f}%"


def setting(value: Any) -> str:
    """The value of a setting as text."""
    match value:
        case None | "" | () | []:
            return "–"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{name}: {setting(one)}" for name, one in value.items()) or "–"
        case str():
            return value
        case Iterable():
            return ", ".join(setting(one) for one in value)
    return str(value)
