"""``milepost orders list``, ``export``, ``show``, ``watch``, ``link`` and ``import``."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.errors import COULD_NOT
from cli.local_times import UTC_ZONE, read_zone
from cli.options import (
    CsvOption,
    JsonOption,
    OrderArgument,
    WhoseOption,
    YesOption,
    ZoneOption,
)
from cli.orders.columns import only, read_columns
from cli.orders.exporting import EPILOG, export_orders
from cli.orders.filters import OrderFilters, SortOption
from cli.orders.listing import read_list, show_list
from cli.orders.lookup import find_orders
from cli.orders.showing import show_order
from cli.orders.tracking_link import EPILOG as LINK_EPILOG
from cli.orders.tracking_link import link_order
from cli.orders.watch import watch_orders
from cli.output import tell, tell_csv, tell_json, warn
from cli.stack import StackOption, find_stack
from cli.views.applying import ViewOption, with_view
from milepost.exports.list_columns import ORDERS
from milepost.queries.list_choices import Sort

app = make_part("Orders: list, show, watch, import, export.")


@app.command(
    "list",
    epilog=examples(
        "orders list --due this_week --status scheduled", "orders list --all --csv > orders.csv"
    ),
)
def list_orders(
    *,
    filters: OrderFilters,
    view: ViewOption = None,
    sort: SortOption = Sort.NEXT_DATE,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="Such as id,customer,place,since."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="The maximum number of orders.")
    ] = 50,
    all_: Annotated[bool, typer.Option("--all", help="All orders.")] = False,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List orders by their next date: the appointment, or else when the stage should end.

    Filters can be combined. By default only open orders; --status and --search also list others.
    Other commands take an order as its column shows it.
    """
    moments = read_zone(zone)
    query = filters.as_query(sort)
    chosen = read_columns(columns)
    api = OrdersApi(find_stack(stack))
    if view is not None:
        query = with_view(api, view, query)
    if all_ and as_csv:
        tell_csv(ORDERS.choose(chosen) if chosen else ORDERS, api.rows("/orders", **query))
        return
    found = read_list(api, query, most=None if all_ else limit)
    if as_json:
        tell_json(only(found, chosen))
    elif as_csv:
        tell_csv(ORDERS.choose(chosen) if chosen else ORDERS, found["orders"])
    else:
        show_list(found, moments, chosen)


app.command("export", epilog=EPILOG)(export_orders)
app.command("link", epilog=LINK_EPILOG)(link_order)


@app.command("show", epilog=examples("orders show PP-1 --zone Europe/Berlin"))
def show(
    order: OrderArgument,
    *,
    connection: WhoseOption = None,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an order item by item: status, next step, timeline and notices."""
    moments = read_zone(zone)
    api = OrdersApi(find_stack(stack))
    items = [api.get(f"/orders/{one}") for one in find_orders(api, order, connection=connection)]
    if as_json:
        tell_json(_as_json(api, items))
        return
    for group in dict.fromkeys(one["group"] for one in items):
        tell(api.get(f"/groups/{group}")["text"], style="bold")
        for one in items:
            if one["group"] == group:
                show_order(one, moments)


@app.command("watch", epilog=examples("orders watch --connection offergrid-main --once"))
def watch(
    *,
    filters: OrderFilters,
    every: Annotated[
        float, typer.Option("--every", min=0.2, help="Seconds between two reads of the list.")
    ] = 5,
    most: Annotated[
        int,
        typer.Option(
            "--most",
            min=1,
            help="The maximum number of orders to watch, those with the earliest date.",
        ),
    ] = 500,
    once: Annotated[bool, typer.Option("--once", help="End after the first change.")] = False,
    within: Annotated[
        float | None,
        typer.Option(
            "--within", help="End after this many seconds; exit code 1 if no order changed."
        ),
    ] = None,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON object for each change, on a line of its own, for scripts."
        ),
    ] = False,
) -> None:
    """Print each change of orders, until Ctrl-C.

    The whole list is read each time, at the cost of that list.
    """
    watch_orders(
        OrdersApi(find_stack(stack)),
        filters.as_query(),
        every=every,
        most=most,
        once=once,
        within=within,
        moments=read_zone(zone),
        as_json=as_json,
    )


@app.command(
    "import",
    epilog=examples(
        "orders import orders.csv --connection offergrid-main --dry-run",
        "orders import orders.csv --connection subs --map order_id='Request no.' --map since=Date",
    ),
)
def import_orders(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8; the first line names the columns.")],
    *,
    connection: Annotated[
        str, typer.Option("--connection", metavar="ID", help="The connection of the orders.")
    ],
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="The column of a field; may be repeated."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the outcome of each row, and store nothing.")
    ] = False,
    notify: Annotated[
        bool, typer.Option("--notify", help="Notify people as of any other change.")
    ] = False,
    yes: YesOption = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import orders from before Milepost: one order in each row, with order_id, status and since.

    Safe to repeat. An invalid row is listed with its line and doesn't affect the others; the exit
    code is then 1. Nobody is notified without --notify.
    """
    # With the fields of imported orders it takes as long to import as everything else here.
    rows = import_module("cli.orders.import_file")
    lines, ignored = rows.read_lines(file, rows.read_mapping(mapping))
    api = OrdersApi(find_stack(stack))
    if ignored:
        warn(f"Columns that are not fields: {', '.join(ignored)}.")
    if not dry_run:
        notifying = " and notify people" if notify else ""
        confirm(f"Import {len(lines)} rows into {connection}{notifying}?", yes=yes)
    found = rows.send_rows(api, connection, lines, dry_run=dry_run, notify=notify)
    if as_json:
        tell_json({"dry_run": dry_run, "rows": found})
    else:
        rows.show_rows(found, dry_run=dry_run)
    if rows.bad_rows(found):
        raise typer.Exit(COULD_NOT)


def _as_json(api: OrdersApi, items: list[Any]) -> dict[str, Any]:
    """The items with all data from the API, and the common status of the first one's group."""
    group = api.get(f"/groups/{items[0]['group']}")
    return {
        "connection": group["connection"],
        "order_id": group["order_id"],
        "group": {name: group[name] for name in ("code", "text", "counts")},
        "items": items,
    }
