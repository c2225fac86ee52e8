"""``milepost quarantine``: what could not be read, a look at one, and having it read again."""

import sys
from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.api import OrdersApi
from cli.confirming import confirm
from cli.faults import EXIT_CODES
from cli.moments import UTC_ZONE, Moments, read_moment, read_zone
from cli.options import JsonOption, YesOption, ZoneOption
from cli.output import tell, tell_folded, tell_json, tell_row, warn
from cli.parts import make_part
from cli.stack import StackOption, find_stack

app = make_part("What was authentic but could not be read: kept byte for byte, for 90 days.")

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As `milepost quarantine list` shows it.")
]
ConnectionOption = Annotated[str | None, typer.Option("--connection", metavar="ID")]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="From then on: an instant, or 90m, 6h, 3d ago."),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Before then, said as in --since.")
]


@app.command("list", epilog=EXIT_CODES)
def list_kept(
    *,
    connection: ConnectionOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many at most.")] = 50,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is there and why, by connection and day."""
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
    if not found:
        tell("The quarantine is empty.")
        return
    _show(found, moments)
    if following:
        tell("There are more: --limit.")


@app.command("show", epilog=EXIT_CODES)
def show_kept(
    kept: IdArgument,
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes alone, as they came.")] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one of them, with its bytes. It may hold personal data."""
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


@app.command("replay", epilog=EXIT_CODES)
def replay_kept(
    kept: IdArgument,
    *,
    notices: Annotated[
        bool, typer.Option("--notices", help="Tell people of what it changes.")
    ] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have one read again, as of its first arrival; it leaves the quarantine once recorded."""
    body = {"announce": notices}
    found = OrdersApi(find_stack(stack)).post(f"/quarantine/{kept}/replay", body)
    if as_json:
        tell_json(found)
    else:
        tell("It is on its way. If it still can't be read, it stays here with the new reason.")


@app.command("discard", epilog=EXIT_CODES)
def discard_kept(kept: IdArgument, *, stack: StackOption = None, yes: YesOption = False) -> None:
    """Give one up, for good."""
    api = OrdersApi(find_stack(stack))
    confirm(f"Give up {kept} for good?", yes=yes)
    api.delete(f"/quarantine/{kept}")
    warn("Given up.")


def _show(found: list[Mapping[str, Any]], moments: Moments) -> None:
    widths = (16, 7, 7)
    tell_row((f"when ({moments.label})", "source", "bytes"), widths, style="bold")
    for one in found:
        when = moments.minute(one["received_at"])
        tell_row((when, one["source"], str(one["bytes"])), widths)
        tell(f"    {one['id']}")
        tell_folded(one["reason"], indent=4)
