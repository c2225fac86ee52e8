"""Prints a list of orders, as a table or for scripts."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from cli.api import OrdersApi
from cli.local_times import Moments
from cli.orders.columns import cell
from cli.orders.lookup import short_id
from cli.output import tell, tell_folded, tell_table
from milepost.exports.list_columns import codes_of

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
        tell_table(
            [
                f"next ({moments.label})",
                "status",
                "order",
                "customer",
                "product",
                "place",
                "reference",
                "since",
                "forecast",
                "attention",
            ],
            [_row(one, moments) for one in orders],
            drop=("since", "forecast", "place", "reference", "product", "attention", "customer"),
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


def what_is_up(one: Listed) -> str:
    """Why a person should look at it, and what it waits for."""
    waits = [f"waits for {one['waiting']['what']}"] if one["waiting"] else []
    slow = ["slow"] if one["slow"] else []
    return ", ".join([*filter(None, [codes_of(one["attention"])]), *waits, *slow])


def forecast_in_days(forecast: Mapping[str, Any] | None, moments: Moments) -> str:
    """The first and the last day of an interval; nothing while there is none."""
    if forecast is None or forecast["earliest"] is None:
        return ""
    earliest, latest = moments.day(forecast["earliest"]), moments.day(forecast["latest"])
    if latest == earliest:
        return earliest
    return f"{earliest} to {latest}" if latest else f"after {earliest}"


def _row(one: Listed, moments: Moments) -> list[str]:
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
        forecast_in_days(one["forecast"], moments),
        what_is_up(one),
    ]


def _next_date(one: Listed) -> str:
    is_agreed = one["status"] == "scheduled" and one["appointment"]
    return str(one["appointment"] if is_agreed else one["next_date"])
