"""The columns of an order list: the usual ones of the table, and those that are chosen.

The values that can be chosen are those of files: ``exports.list_columns``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from cli.errors import WrongUse
from cli.local_times import Moments
from cli.orders.lookup import short_id
from milepost.exports.column_reading import UnknownColumn
from milepost.exports.list_columns import ORDERS, codes_of

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
USUAL: Final = (
    "next",
    "status",
    "order",
    "customer",
    "product",
    "place",
    "reference",
    "since",
    "forecast",
    "attention",
)
"""The headings of the table if no columns are chosen; ``usual_cells`` has their values."""
LEFT_OUT_FIRST: Final = (
    "since",
    "forecast",
    "place",
    "reference",
    "product",
    "attention",
    "customer",
)
"""The columns that a narrow terminal leaves out, from the first to the last."""


def read_columns(said: str | None) -> list[str] | None:
    """The columns in a comma-separated text; None for the default columns.

    :raises WrongUse: for one that there isn't
    """
    if said is None:
        return None
    try:
        return list(ORDERS.choose([name.strip() for name in said.split(",")]).names)
    except UnknownColumn as error:
        raise WrongUse(str(error)) from None


def cell(one: Listed, name: str, moments: Moments) -> str:
    """The same for people: times are in their time zone."""
    value = ORDERS.flat(one)[name]
    return moments.minute(value) if value and name in _INSTANTS else str(value or "")


def only(found: Mapping[str, Any], columns: Sequence[str] | None) -> Mapping[str, Any]:
    """A list with only these columns."""
    if columns is None:
        return found
    chosen = ORDERS.choose(columns)
    return {**found, "orders": [chosen.flat(one) for one in found["orders"]]}


def _what_is_up(one: Listed) -> str:
    """Why a person should look at the order, and what it waits for."""
    waits = [f"waits for {one['waiting']['what']}"] if one["waiting"] else []
    slow = ["slow"] if one["slow"] else []
    return ", ".join([*filter(None, [codes_of(one["attention"])]), *waits, *slow])


def _forecast_in_days(forecast: Mapping[str, Any] | None, moments: Moments) -> str:
    """The first and the last day of an interval; empty if there is none."""
    if forecast is None or forecast["earliest"] is None:
        return ""
    earliest, latest = moments.day(forecast["earliest"]), moments.day(forecast["latest"])
    if latest == earliest:
        return earliest
    return f"{earliest} to {latest}" if latest else f"after {earliest}"


def usual_cells(one: Listed, moments: Moments) -> list[str]:
    """The cells of one order in the columns ``USUAL``."""
    return [
        # An appointment without a time of day is shown without one.
        moments.minute(_next_date(one)),
        one["status"].replace("_", " "),
        short_id(one["id"]),
        one["customer"]["name"] or "",
        one["product"] or one["service_type"] or "",
        one["place"] or "",
        one["reference"] or "",
        moments.minute(one["since"]),
        _forecast_in_days(one["forecast"], moments),
        _what_is_up(one),
    ]


def _next_date(one: Listed) -> str:
    is_agreed = one["status"] == "scheduled" and one["appointment"]
    return str(one["appointment"] if is_agreed else one["next_date"])
