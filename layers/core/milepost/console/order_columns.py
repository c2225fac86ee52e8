"""The columns of the console's order list, and which are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from milepost.console.request import Values
from milepost.queries.list_choices import Sort


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name (a field of the API's list), its title, and its sort order."""

    name: str
    title: str
    sort: Sort | None = None


COLUMNS: Final = (
    Column("customer", "Customer", Sort.CUSTOMER),
    Column("status", "Status"),
    Column("since", "Since", Sort.SINCE),
    Column("next_date", "Next date", Sort.NEXT_DATE),
    Column("forecast", "Forecast", Sort.FORECAST),
    Column("attention", "Attention"),
    Column("connection", "Connection"),
    Column("provider", "Provider", Sort.PROVIDER),
    Column("product", "Product"),
    Column("supplier", "Supplier"),
    Column("place", "Place"),
    Column("service_type", "Service"),
    Column("reference", "Reference"),
    Column("order_id", "Order at the provider"),
    Column("updated_at", "Last news"),
)
USUAL: Final = ("customer", "status", "since", "next_date", "attention", "connection")
USUAL_COLUMNS: Final = tuple(one for one in COLUMNS if one.name in USUAL)


def chosen_columns(query: Values) -> Sequence[Column]:
    """The columns in ``fields`` of the address; by default the usual ones."""
    names = {name.strip() for text in query.all("fields") for name in text.split(",")}
    return tuple(one for one in COLUMNS if one.name in names) or USUAL_COLUMNS
