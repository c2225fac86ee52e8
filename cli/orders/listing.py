"""A list of orders, as a table or for scripts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from cli.api import OrdersApi
from cli.moments import Moments
from cli.orders.finding import short_id
from cli.output import tell, tell_folded, tell_table

Listed: TypeAlias = Mapping[str, Any]

CSV_FIELDS: Final = (
    "id",
    "status",
    "next_date",
    "since",
    "appointment",
    "reference",
    "connection",
    "provider",
    "order_id",
    "item_id",
    "raw_status",
    "service_type",
)


def read_list(api: OrdersApi, query: Mapping[str, Any], *, most: int | None) -> dict[str, Any]:
    """So many orders of a list, or all; with the counts, and the place where it goes on."""
    orders: list[Listed] = []
    page: Mapping[str, Any] = {}
    for page in api.pages("/orders", items="orders", resume_by="cursor", most=most, **query):
        orders += page["orders"]
    return {"orders": orders, "counts": page["counts"], "next": page["next"]}


def show_list(found: Mapping[str, Any], moments: Moments) -> None:
    """Print the orders by their next date, then how many there are of each status."""
    orders = found["orders"]
    if orders:
        tell_table(
            [
                f"next ({moments.label})",
                "status",
                "order",
                "reference",
                "service",
                "since",
                "attention",
            ],
            [_row(one, moments) for one in orders],
            drop=("since", "service", "reference", "attention"),
        )
    number = f"{len(orders)} order{'' if len(orders) == 1 else 's'}"
    tell(f"{number}; there are more: --limit or --all." if found["next"] else f"{number}.")
    if counts := counts_in_words(found["counts"]):
        tell_folded(f"At these connections in all: {counts}.", indent=0)


def counts_in_words(counts: Mapping[str, int]) -> str:
    """How many orders are in each status."""
    return ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in counts.items())


def codes_of(attention: Sequence[Mapping[str, str]]) -> str:
    """The codes of the reasons to look, each once."""
    return ", ".join(dict.fromkeys(one["code"] for one in attention))


def what_is_up(one: Listed) -> str:
    """Why a person should look at it, and what it waits for."""
    waits = [f"waits for {one['waiting']['what']}"] if one["waiting"] else []
    return ", ".join([*filter(None, [codes_of(one["attention"])]), *waits])


def csv_row(one: Listed) -> list[str]:
    """An order as a row of CSV: ``CSV_FIELDS``, then why to look and what it waits for."""
    waiting = one["waiting"]["what"] if one["waiting"] else ""
    return [*(str(one[name] or "") for name in CSV_FIELDS), codes_of(one["attention"]), waiting]


def _row(one: Listed, moments: Moments) -> list[str]:
    return [
        # An appointment without an hour is told without one.
        moments.minute(_next_date(one)),
        one["status"].replace("_", " "),
        short_id(one["id"]),
        one["reference"] or "",
        one["service_type"] or "",
        moments.minute(one["since"]),
        what_is_up(one),
    ]


def _next_date(one: Listed) -> str:
    is_agreed = one["status"] == "scheduled" and one["appointment"]
    return str(one["appointment"] if is_agreed else one["next_date"])
