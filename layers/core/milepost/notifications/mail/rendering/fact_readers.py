"""Reads facts of an order without errors, whatever an earlier version has stored.

Details are checked when a report is received. Data that an older version or another program has
stored may have another form: a part of the wrong type counts as missing.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from milepost.orders.details import Details


def part(details: Details | Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A fact with parts, such as the customer; empty if it isn't known."""
    value: object = details.get(name)
    return value if isinstance(value, Mapping) else {}


def parts(details: Details | Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of facts with parts, such as the invoices."""
    value: object = details.get(name)
    if not isinstance(value, list | tuple):
        return []
    return [one for one in value if isinstance(one, Mapping)]


def text_of(value: object) -> str | None:
    """A text, or a number as a text; None for anything else."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if is_number else None


def moment_of(value: object) -> str | datetime | None:
    """A stored day or instant."""
    return value if isinstance(value, str | datetime) else None


def number_of(value: object) -> Decimal | None:
    """An amount; None for anything else."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return Decimal(value) if is_number else None  # type: ignore[arg-type]
