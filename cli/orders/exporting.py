"""``milepost orders export``: a list of orders as a file, of any length."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from cli.api import OrdersApi
from cli.command_group import examples
from cli.exports.commands import tell_export
from cli.exports.following import download, wait_for
from cli.options import JsonOption
from cli.orders.columns import read_columns
from cli.orders.filters import OrderFilters, SortOption
from cli.output import tell_json, warn
from cli.stack import StackOption, find_stack
from cli.views.applying import ViewOption, with_view
from milepost.exports.list_columns import ORDERS
from milepost.queries.list_choices import Sort

EPILOG = examples(
    "orders export orders.csv --status completed",
    "orders export --due this_week --columns id,customer,place --link",
)


class FileFormat(StrEnum):
    """The format of a file, from its extension."""

    CSV = "csv"
    JSONL = "jsonl"


def export_orders(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The file to write; by default orders-<day>.csv."),
    ] = None,
    *,
    filters: OrderFilters,
    view: ViewOption = None,
    sort: SortOption = Sort.NEXT_DATE,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="Such as id,customer,place,since."),
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format")] = FileFormat.CSV,
    bom: Annotated[
        bool, typer.Option("--bom", help="Begin CSV with a byte order mark, for spreadsheets.")
    ] = False,
    mail: Annotated[
        str | None,
        typer.Option(
            "--mail", metavar="ADDRESS", help="Notify this address when the export is ready."
        ),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Print a link to the file, instead of downloading it.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Whether to wait until the export is ready.")
    ] = True,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export a list of orders as a file, by a job, so the list may have any length.

    The file has the rows of `milepost orders list --all --csv` with the same options. If this
    command is interrupted, the job continues: milepost exports download ID.
    """
    query = filters.as_query(sort)
    chosen = read_columns(columns)
    api = OrdersApi(find_stack(stack))
    if view is not None:
        query = with_view(api, view, query)
    fields = query.pop("fields", None)
    if chosen is None and fields:
        chosen = list(ORDERS.of_fields(fields).names)
    asked: dict[str, Any] = {
        "list": "orders",
        "query": {name: value for name, value in query.items() if value not in (None, [])},
        "columns": chosen,
        "format": str(file_format),
        "bom": bom,
        "mail": mail,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    made = api.post("/exports", given, key=uuid4().hex)
    if not wait:
        tell_export(made | {"link": None}, as_json=as_json)
        return
    warn(f"Started: {made['id']}")
    found = wait_for(api, made["id"])
    if link:
        tell_export(found, as_json=as_json)
        return
    to = file or Path(found["file"])
    size = download(api, found, to)
    if as_json:
        tell_json({**found, "link": None, "written_to": str(to)})
    else:
        warn(f"{to}: {found['rows']:,} rows, {size:,} bytes.")
