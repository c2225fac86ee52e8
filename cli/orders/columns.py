"""Columns of a list of orders: those that there are, and what stands in each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from cli.faults import WrongUse
from cli.moments import Moments

Listed: TypeAlias = Mapping[str, Any]

COLUMNS: Final = (
    "id",
    "status",
    "next_date",
    "since",
    "appointment",
    "customer",
    "customer_id",
    "product",
    "supplier",
    "place",
    "reference",
    "connection",
    "provider",
    "provider_name",
    "order_id",
    "item_id",
    "raw_status",
    "service_type",
    "attention",
    "waiting_for",
    "updated_at",
)
_INSTANTS: Final = frozenset({"next_date", "since", "appointment", "updated_at"})


def read_columns(said: str | None) -> list[str] | None:
    """The columns that are named, with commas between them; None for the usual ones.

    :raises WrongUse: for one that there isn't
    """
    if said is None:
        return None
    names = list(dict.fromkeys(name.strip() for name in said.split(",")))
    if strange := [name for name in names if name not in COLUMNS]:
        raise WrongUse(f"There is no column {strange[0]!r}; there are: {', '.join(COLUMNS)}.")
    return names


def value_of(one: Listed, name: str) -> Any:
    """What an order has in a column, as the API says it."""
    if name == "customer":
        return one["customer"]["name"]
    if name == "customer_id":
        return one["customer"]["id"]
    if name == "attention":
        return codes_of(one["attention"])
    if name == "waiting_for":
        return one["waiting"]["what"] if one["waiting"] else None
    return one[name]


def cell(one: Listed, name: str, moments: Moments) -> str:
    """The same for people: times in their zone."""
    value = value_of(one, name)
    return moments.minute(value) if value and name in _INSTANTS else str(value or "")


def csv_row(one: Listed, columns: Sequence[str] | None = None) -> list[str]:
    """An order as a row of CSV."""
    return [str(value_of(one, name) or "") for name in columns or COLUMNS]


def only(found: Mapping[str, Any], columns: Sequence[str] | None) -> Mapping[str, Any]:
    """A list with these columns alone."""
    if columns is None:
        return found
    rows = [{name: value_of(one, name) for name in columns} for one in found["orders"]]
    return {**found, "orders": rows}


def codes_of(attention: Sequence[Mapping[str, str]]) -> str:
    """The codes of the reasons to look, each once."""
    return ", ".join(dict.fromkeys(one["code"] for one in attention))
