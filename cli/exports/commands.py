"""``milepost exports list``, ``show`` and ``download``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.exports.following import download, wait_for
from cli.local_times import UTC_ZONE, read_zone
from cli.options import CsvOption, JsonOption, ZoneOption
from cli.output import tell, tell_csv, tell_json, tell_table, warn
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import EXPORTS

app = make_part("Exports: long lists as files that a job makes. Follow them, download them.")

_LISTED: Final = ("id", "list", "state", "rows", "person")

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As `milepost exports list` shows it.")
]


@app.command("list", epilog=examples("exports list"))
def show_exports(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The maximum number.")] = 50,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List exports of the last seven days, the latest first."""
    moments = read_zone(zone)
    found: list[Mapping[str, Any]] = []
    for page in OrdersApi(find_stack(stack)).pages(
        "/exports", items="exports", resume_by="cursor", most=limit
    ):
        found += page["exports"]
    if as_json:
        tell_json({"exports": found})
    elif as_csv:
        tell_csv(EXPORTS, found)
    elif not found:
        tell("There are no exports.")
    else:
        rows = [
            [moments.minute(one["created_at"]), *(str(one[name]) for name in _LISTED)]
            for one in found
        ]
        tell_table([f"when ({moments.label})", *_LISTED], rows, drop=("person",))


@app.command("show", epilog=examples("exports show 6a1b2c3d12f803998b2500a3"))
def show_export(
    export: IdArgument, *, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """Show the progress of an export, and the link to its file once it is ready.

    The link opens the file for whoever has it, for 15 minutes at most.
    """
    tell_export(OrdersApi(find_stack(stack)).get(f"/exports/{export}"), as_json=as_json)


@app.command("download", epilog=examples("exports download 6a1b2c3d12f803998b2500a3 orders.csv"))
def download_export(
    export: IdArgument,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="The file to write; by default, the export's own name."
        ),
    ] = None,
    *,
    stack: StackOption = None,
) -> None:
    """Download an export's file, once it is ready."""
    api = OrdersApi(find_stack(stack))
    found = wait_for(api, export)
    to = file or Path(found["file"])
    size = download(api, found, to)
    warn(f"{to}: {found['rows']:,} rows, {size:,} bytes.")


def tell_export(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print an export."""
    if as_json:
        tell_json(found)
        return
    tell(f"{found['id']}  {found['list']}: {found['state']}", style="bold")
    tell(f"{found['rows']:,} rows by {found['person']}")
    if found["why"]:
        tell(f"Because {found['why']}.")
    if found["link"]:
        warn(f"This link opens the file, until {found['link_until']} at the latest:")
        tell(found["link"])
