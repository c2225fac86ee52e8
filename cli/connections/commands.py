"""``milepost connections apply`` and ``list``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.connections.applying import apply
from cli.connections.difference import Difference, compare
from cli.connections.file import read_file
from cli.connections.overview import connection_rows, overview_as_json
from cli.connections.secret_commands import app as secret_app
from cli.connections.showing import difference_as_json, show_difference
from cli.connections.stored import open_stores, read_stored
from cli.connections.texts import read_texts
from cli.connections.wanted import require_possible, work_out
from cli.faults import COULD_NOT, EXIT_CODES
from cli.output import is_interactive, tell, tell_json, tell_table, warn
from cli.stack import Stack, StackOption, find_stack

app = typer.Typer(
    help="The team's accounts at the providers.", epilog=EXIT_CODES, no_args_is_help=True
)
app.add_typer(secret_app, name="secret")

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for scripts.")]


@app.command("apply", epilog=EXIT_CODES)
def apply_file(
    file: Annotated[Path, typer.Argument(help="Such as connections.yaml.", show_default=False)],
    *,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before writing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, and write nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what is not in the file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the stack's connections as a file says; shows the difference first.

    Safe to repeat: a second time there is nothing to change. Without a terminal it doesn't ask.
    """
    read = read_file(file)
    texts = read_texts(read)
    target = find_stack(stack)
    stores = open_stores(target)
    wanted = work_out(read, read.read_secrets(literals=target.is_local), texts)
    stored = read_stored(stores)
    require_possible(read, wanted, stored, prune=prune, at_home=target.is_local)
    difference = compare(wanted, stored, prune=prune, is_kept=stores.schedules.is_kept)
    if not as_json:
        _show(target, difference)
    if difference.is_empty or dry_run:
        _report(target, difference, applied=False, as_json=as_json)
        return
    if not (yes or _agreed(target)):
        warn("Nothing was written.")
        raise typer.Exit(COULD_NOT)
    apply(difference, wanted, stores)
    _report(target, difference, applied=True, as_json=as_json)


@app.command("list", epilog=EXIT_CODES)
def list_connections(*, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Show every connection: how often it is polled, where its webhooks go, its secrets."""
    target = find_stack(stack)
    stored = read_stored(open_stores(target))
    if as_json:
        tell_json(overview_as_json(stored, target))
        return
    if not stored.ids:
        tell(f"{target} has no connections yet: apply a file of them.")
        return
    tell_table(
        ["connection", "provider", "polls", "credentials", "signing"], connection_rows(stored)
    )
    for one in sorted(stored.signing):
        tell(f"{one} takes webhooks at {target.webhook_url(one)}")


def _show(stack: Stack, difference: Difference) -> None:
    tell(f"Stack {stack}")
    show_difference(difference)


def _agreed(stack: Stack) -> bool:
    return not is_interactive() or typer.confirm(f"Write this to {stack}?", err=True)


def _report(stack: Stack, difference: Difference, *, applied: bool, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {"stack": stack.name, "applied": applied}
        tell_json(told | difference_as_json(difference))
    elif difference.is_empty:
        tell("Nothing to change.")
    elif applied:
        tell("Applied. Functions take it up within 5 minutes.")
    else:
        tell("Nothing was written (--dry-run).")
