"""``milepost quarantine``: payloads that could not be read: list, show, replay, discard."""

import sys
from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.local_times import UTC_ZONE, Moments, read_moment, read_zone
from cli.options import CsvOption, JsonOption, YesOption, ZoneOption
from cli.output import tell, tell_csv, tell_folded, tell_json, tell_row, warn
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import QUARANTINE

app = make_part("Authentic payloads that could not be read: kept byte for byte for 90 days.")

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As `milepost quarantine list` shows it.")
]
ConnectionOption = Annotated[str | None, typer.Option("--connection", metavar="ID")]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="At this time or later: an instant, or 90m, 6h, 3d ago."
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Before this time, written as for --since."),
]


@app.command("list", epilog=examples("quarantine list --connection offergrid-main --since 3d"))
def list_kept(
    *,
    connection: ConnectionOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="The maximum number of payloads.")
    ] = 50,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List quarantined payloads with the reason of each, by connection and day."""
    moments = read_zone(zone)
    pages = OrdersApi(find_stack(stack)).pages(
        "/quarantine",
        items="items",
        resume_by="after",
        most=limit,
        connection=connection,
        since=read_moment(since, option="--since"),
        until=read_moment(until, option="--until"),
    )
    found: list[Mapping[str, Any]] = []
    following = None
    for page in pages:
        found += page["items"]
        following = page["next"]
    if as_json:
        tell_json({"items": found, "next": following})
        return
    if as_csv:
        tell_csv(QUARANTINE, found)
        return
    if not found:
        tell("The quarantine is empty.")
        return
    _show(found, moments)
    if following:
        tell("There are more: --limit.")


@app.command("show", epilog=examples("quarantine show offergrid-main:2026-03-02:0f3a --raw"))
def show_kept(
    kept: IdArgument,
    *,
    raw: Annotated[
        bool, typer.Option("--raw", help="Only the bytes, as they were received.")
    ] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one payload with its bytes. It may hold personal data."""
    found = OrdersApi(find_stack(stack)).get(f"/quarantine/{kept}")
    if raw:
        sys.stdout.buffer.write(b64decode(found["base64"]))
        return
    if as_json:
        tell_json(found)
        return
    tell(f"{found['id']}", style="bold")
    tell_folded(f"{found['source']} of {found['received_at']}: {found['reason']}", indent=0)
    tell()
    tell(found["text"] if found["text"] is not None else f"{found['bytes']} bytes: --raw.")


@app.command("replay", epilog=examples("quarantine replay offergrid-main:2026-03-02:0f3a"))
def replay_kept(
    kept: IdArgument,
    *,
    notices: Annotated[
        bool, typer.Option("--notices", help="Send notices of the changes.")
    ] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reprocess one payload, dated by its first arrival.

    Once it is recorded, it leaves the quarantine.
    """
    body = {"announce": notices}
    found = OrdersApi(find_stack(stack)).post(f"/quarantine/{kept}/replay", body)
    if as_json:
        tell_json(found)
    else:
        tell(
            "The payload was put into the inbox queue. If it still can't be "
            "read, it stays here with the new reason."
        )


@app.command("discard", epilog=examples("quarantine discard offergrid-main:2026-03-02:0f3a"))
def discard_kept(kept: IdArgument, *, stack: StackOption = None, yes: YesOption = False) -> None:
    """Delete one payload permanently."""
    api = OrdersApi(find_stack(stack))
    # Nobody is asked about what isn't there.
    api.get(f"/quarantine/{kept}")
    confirm(f"Delete {kept} permanently?", yes=yes)
    api.delete(f"/quarantine/{kept}")
    warn("Deleted.")


def _show(found: list[Mapping[str, Any]], moments: Moments) -> None:
    widths = (16, 7, 7)
    tell_row((f"when ({moments.label})", "source", "bytes"), widths, style="bold")
    for one in found:
        when = moments.minute(one["received_at"])
        tell_row((when, one["source"], str(one["bytes"])), widths)
        tell(f"    {one['id']}")
        tell_folded(one["reason"], indent=4)
