"""Prints a list of orders, as a table or for scripts."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from cli.api import OrdersApi
from cli.local_times import Moments
from cli.orders.columns import LEFT_OUT_FIRST, USUAL, cell, usual_cells
from cli.output import tell, tell_folded, tell_table

Listed: TypeAlias = Mapping[str, Any]


def read_list(api: OrdersApi, query: Mapping[str, Any], *, most: int | None) -> dict[str, Any]:
    """A number of orders of a list, or all, with the counts and the cursor of the next page."""
    orders: list[Listed] = []
    page: Mapping[str, Any] = {}
    for page in api.pages("/orders", items="orders", resume_by="cursor", most=most, **query):
        orders += page["orders"]
    matching = page["matching"]
    if page["next"] is None:
        cut = matching is not None and matching["more"]
        matching = {"number": len(orders), "more": cut}
    return {
        "orders": orders,
        "counts": page["counts"],
        "matching": matching,
        "next": page["next"],
    }


def show_list(
    found: Mapping[str, Any], moments: Moments, columns: Sequence[str] | None = None
) -> None:
    """Print the orders, then how many there are of each status.

    :param columns: of ``cli.orders.columns.COLUMNS``, instead of the usual ones
    """
    orders = found["orders"]
    if orders and columns:
        tell_table(columns, [[cell(one, name, moments) for name in columns] for one in orders])
    elif orders:
        next_date, *others = USUAL
        tell_table(
            [f"{next_date} ({moments.label})", *others],
            [usual_cells(one, moments) for one in orders],
            drop=LEFT_OUT_FIRST,
        )
    number = f"{len(orders)} order{'' if len(orders) == 1 else 's'}"
    if found["next"]:
        tell(f"{number}; there are more: --limit or --all.")
    elif found["matching"]["more"]:
        tell(f"{number}; a search finds at most these: add a word.")
    else:
        tell(f"{number}.")
    if counts := counts_in_words(found["counts"]):
        tell_folded(f"All orders at these connections: {counts}.", indent=0)


def counts_in_words(counts: Mapping[str, int]) -> str:
    """How many orders are in each status."""
    return ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in counts.items())
