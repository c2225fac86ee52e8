"""``milepost orders show``: where an order stands, item by item, and how it got there."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.faults import COULD_NOT, EXIT_CODES
from cli.output import tell, tell_folded, tell_json, warn
from cli.stack import StackOption, find_stack
from milepost.aws.orders_table import OrdersReader
from milepost.groups import summarize_group
from milepost.order import Entry, TrackedOrder
from milepost.report import format_instant

app = typer.Typer(help="Where orders stand.", epilog=EXIT_CODES, no_args_is_help=True)


@app.callback()
def orders() -> None:
    """Where orders stand."""


@app.command("show", epilog=EXIT_CODES)
def show_order(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The provider's id of the order.")],
    *,
    connection: Annotated[str, typer.Option("--connection", help="Whose order it is.")],
    stack: StackOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON on standard output, for scripts.")
    ] = False,
) -> None:
    """Show every item of an order with its timeline, and what they come to together. Times: UTC."""
    target = find_stack(stack)
    reader = OrdersReader(target.client("dynamodb"), table_name=target.output("OrdersTable"))
    items = reader.read_group(connection, order)
    if not items:
        warn(f"{connection} has no order {order}.")
        raise typer.Exit(COULD_NOT)
    if as_json:
        tell_json(group_as_json(items))
        return
    tell(summarize_group(one.order for one in items).text, style="bold")
    for one in items:
        _show_item(one)


def group_as_json(items: Sequence[TrackedOrder]) -> dict[str, Any]:
    """The group's summary and each item with every fact that is kept of it."""
    summary = summarize_group(one.order for one in items)
    key = items[0].order.key
    return {
        "connection": key.connection,
        "order_id": key.order_id,
        "group": {"code": summary.code, "text": summary.text, "counts": summary.counts},
        "items": [_item_as_json(one) for one in items],
    }


def _item_as_json(one: TrackedOrder) -> dict[str, Any]:
    order = one.shown
    return {
        "item_id": order.key.item_id,
        "status": order.status,
        "raw_status": order.raw_status,
        "since": format_instant(order.since),
        "details": _plain(order.details),
        "attention": [{"code": a.code, "text": a.text} for a in order.attention],
        "announced": [
            {"kind": a.kind, "at": format_instant(a.announced_at)} for a in one.announced
        ],
        "timeline": [_entry_as_json(entry) for entry in order.timeline],
    }


def _entry_as_json(entry: Entry) -> dict[str, Any]:
    report = entry.report
    return {
        "at": format_instant(report.occurred_at),
        "seen": format_instant(report.seen_at),
        "source": report.source,
        "status": report.status,
        "raw_status": report.raw_status,
        "effect": entry.effect,
        "details": _plain(report.details),
    }


def _plain(value: Any) -> Any:
    """Numbers as texts, since they are exact and JSON's are not."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Decimal) else value


def _show_item(one: TrackedOrder) -> None:
    order = one.shown
    tell()
    tell(f"{order.key.item_id}  {order.status} since {format_instant(order.since)}")
    for reason in order.attention:
        tell_folded(f"{reason.code}: {reason.text}", indent=2)
    for entry in order.timeline:
        said = entry.report.raw_status or "facts"
        when = format_instant(entry.report.occurred_at)
        tell(f"  {when}  {said}  ({entry.effect}, by {entry.report.source})")
