"""``milepost commissions``: what orders have earned, when it is due, and whether it was paid."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.options import ConnectionsOption, CsvOption, JsonOption
from cli.orders.lookup import short_id
from cli.output import tell, tell_csv, tell_json, tell_table
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import COMMISSIONS
from milepost.queries.commission import State

app = make_part()


@app.command("commissions", epilog=examples("commissions --month 2026-04 --state overdue"))
def list_commissions(
    *,
    month: Annotated[
        str | None,
        typer.Option(
            "--month", metavar="MONTH", help="The month in which they are due, such as 2026-04."
        ),
    ] = None,
    connection: ConnectionsOption = None,
    state: Annotated[
        list[State] | None, typer.Option("--state", help="May be repeated; by default all.")
    ] = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List commissions by order. `milepost actions do ORDER commission_paid --note MONTH` marks one
    as paid."""
    found: list[Mapping[str, Any]] = []
    pages = OrdersApi(find_stack(stack)).pages(
        "/commissions",
        items="commissions",
        resume_by="cursor",
        most=None,
        largest=50,
        month=month,
        connection=connection or None,
        state=[str(one) for one in state] if state else None,
    )
    for page in pages:
        found += page["commissions"]
    if as_json:
        tell_json({"commissions": found})
        return
    if as_csv:
        tell_csv(COMMISSIONS, found)
        return
    if found:
        tell_table(
            ["due on", "state", "amount", "for", "order", "reference"],
            [_row(one) for one in found],
            drop=("for", "reference"),
        )
    tell(f"In all: {sums_in_words(found)}." if found else "No commissions.")


def _row(one: Mapping[str, Any]) -> list[str]:
    return [
        one["due_on"],
        one["state"],
        f"{one['amount']} {one['currency']}",
        one["month"],
        short_id(one["order"]),
        one["reference"] or "",
    ]


def sums_in_words(found: Iterable[Mapping[str, Any]]) -> str:
    """The totals by state and currency."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in found:
        sums[one["state"], one["currency"]] += Decimal(one["amount"])
    return ", ".join(f"{total} {currency} {state}" for (state, currency), total in sums.items())
