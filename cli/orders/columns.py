"""The columns of an order list."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from cli.errors import WrongUse
from cli.local_times import Moments
from milepost.exports.columns import UnknownColumn
from milepost.exports.list_columns import ORDERS

Listed: TypeAlias = Mapping[str, Any]

COLUMNS: Final = ORDERS.names
_INSTANTS: Final = frozenset(
    {
        "next_date",
        "since",
        "appointment",
        "updated_at",
        "forecast_earliest",
        "forecast_likely",
        "forecast_latest",
    }
)


def read_columns(said: str | None) -> list[str] | None:
    """The columns that are named, with commas between them; None for the usual ones.

    :raises WrongUse: for one that there isn't
    """
    if said is None:
        return None
    try:
        return list(ORDERS.choose([name.strip() for name in said.split(",")]).names)
    except UnknownColumn as error:
        raise WrongUse(str(error)) from None


def cell(one: Listed, name: str, moments: Moments) -> str:
    """The same for people: times in their zone."""
    value = ORDERS.flat(one)[name]
    return moments.minute(value) if value and name in _INSTANTS else str(value or "")


def only(found: Mapping[str, Any], columns: Sequence[str] | None) -> Mapping[str, Any]:
    """A list with only these columns."""
    if columns is None:
        return found
    chosen = ORDERS.choose(columns)
    return {**found, "orders": [chosen.flat(one) for one in found["orders"]]}
