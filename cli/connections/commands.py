"""``milepost connections apply``, ``list`` and ``poll``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.activity.recording import recorded
from cli.api import OrdersApi
from cli.aws_errors import explain
from cli.command_group import examples, make_part
from cli.connections.apply import apply
from cli.connections.apply_lock import ChangedSinceCompared, changing
from cli.connections.custom_templates import read_texts
from cli.connections.desired_state import Wanted, require_possible, work_out
from cli.connections.difference import ConnectionChange, Difference, SubscriptionChange, compare
from cli.connections.file import read_file
from cli.connections.health import condition_in_words, troubles
from cli.connections.overview import connection_records, connection_rows, overview_as_json, remarks
from cli.connections.poll import REQUESTED, start_poll
from cli.connections.secret_commands import app as secret_app
from cli.connections.senders import incomplete_senders
from cli.connections.showing import difference_as_json, show_difference
from cli.connections.stored_state import Stored, open_stores, read_stored
from cli.errors import COULD_NOT, Fault, WrongUse
from cli.local_times import UTC_ZONE, read_moment, read_zone
from cli.options import CsvOption, JsonOption, ZoneOption
from cli.output import is_interactive, tell, tell_csv, tell_folded, tell_json, tell_table, warn
from cli.stack import Stack, StackOption, find_stack
from cli.subscriptions.service_types import service_type_warnings
from milepost.activity.recorder import Change
from milepost.aws.errors import AWS_FAILED
from milepost.exports.list_columns import CONNECTIONS

app = make_part("The team's accounts at the providers.")
app.add_typer(secret_app, name="secret")


@app.command("apply", epilog=examples("connections apply connections.yaml --stack milepost-dev"))
def apply_file(
    file: Annotated[Path, typer.Argument(help="Such as connections.yaml.", show_default=False)],
    *,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before writing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the changes without making them.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what is not in the file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Apply a file of connections to the stack, after showing the differences.

    Safe to repeat: the second time there is nothing to change. Without a terminal, it doesn't ask
    for confirmation.
    """
    target = find_stack(stack)
    stores = open_stores(target)
    # First, since the file may name providers that the stack has by files of their own.
    stores.settings.read_each()
    read = read_file(file)
    texts = read_texts(read)
    wanted = work_out(read, read.read_secrets(literals=target.is_local), texts)
    stored = read_stored(stores)
    require_possible(read, wanted, stored, prune=prune, at_home=target.is_local)
    is_kept = stores.schedules.is_kept
    difference = compare(wanted, stored, prune=prune, is_kept=is_kept)
    if not as_json:
        _show(target, difference)
    for name, what in incomplete_senders(one.settings for one in wanted.connections.values()):
        warn(f"{name}: {what}. Add `sender` (docs/connections.md).")
    _warn_of_service_types(target, wanted, stored)
    if difference.is_empty or dry_run:
        _report(target, difference, applied=False, as_json=as_json)
        return
    if not (yes or _agreed(target)):
        warn("Nothing was written.")
        raise typer.Exit(COULD_NOT)
    with (
        recorded(target, "apply_connections") as change,
        changing(stores, compared=stored.version) as still_ours,
    ):
        # Somebody may have changed it by other means while the question stood.
        if compare(wanted, read_stored(stores), prune=prune, is_kept=is_kept) != difference:
            raise ChangedSinceCompared(f"The stored settings of {target}")
        apply(difference, wanted, stores, compared=stored, still_ours=still_ours)
        _describe(difference, change)
    _report(target, difference, applied=True, as_json=as_json)


@app.command("list", epilog=examples("connections list"))
def list_connections(
    *,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show every connection: whether it works, its last poll and webhook, and its webhook
    address."""
    moments = read_zone(zone)
    target = find_stack(stack)
    stored = read_stored(open_stores(target))
    seen = _how_they_are(target)
    if as_json:
        tell_json(overview_as_json(stored, seen, target))
        return
    if not stored.ids:
        tell(f"{target} has no connections yet: apply a file of them.")
        return
    if as_csv:
        tell_csv(CONNECTIONS, connection_records(stored, seen))
        return
    columns = ("connection", "provider", "polls", "health", "last poll", "webhook")
    rows = list(connection_rows(stored, seen, now=datetime.now(UTC)))
    tell_table(columns, rows, drop=("polls", "provider", "webhook"))
    for name in sorted(stored.ids):
        for line in remarks(name, stored, seen, moments):
            tell_folded(f"{name}: {line}", indent=0)
    for one in sorted(stored.signing):
        tell(f"{one} takes webhooks at {target.webhook_url(one)}")


@app.command("poll", epilog=examples("connections poll rabot-energy --wait"))
def poll(
    connection_id: Annotated[str, typer.Argument(metavar="ID", help="The connection's id.")],
    *,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Read again everything that has changed since then: an "
            "instant, or 90m, 6h, 3d ago.",
        ),
    ] = None,
    notices: Annotated[
        bool, typer.Option("--notices", help="Notify people of changes that --since finds.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until this request is done.")] = False,
    patience: Annotated[
        float, typer.Option("--patience", help="Maximum seconds to wait; then exit code 1.")
    ] = 300,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Poll now, without waiting for the schedule. With --wait, exit code 1 if the poll failed."""
    moments = read_zone(zone)
    api = OrdersApi(find_stack(stack))
    again = {"since": read_moment(since, option="--since"), "announce": notices} if since else None
    if notices and not since:
        raise WrongUse(
            "--notices is only for --since: a poll for new changes always notifies people."
        )
    started = start_poll(api, connection_id, again=again)
    if not wait:
        tell_json(started.response) if as_json else tell(REQUESTED)
        return
    ended = started.wait(patience)
    found = ended.connection
    if as_json:
        tell_json(found)
    else:
        tell(f"{connection_id}: {condition_in_words(found['health'])}.")
        for line in troubles(found, moments):
            tell_folded(line, indent=0)
    if not ended.is_done:
        warn("The poll failed. The request is kept: the next poll fulfils it.")
        raise typer.Exit(COULD_NOT)


def _warn_of_service_types(stack: Stack, wanted: Wanted, stored: Stored) -> None:
    applied = {name: one.settings for name, one in wanted.connections.items()}
    connections = {**stored.settings, **applied}
    found = service_type_warnings(stack, wanted.subscriptions.values(), connections)
    for one, text in found:
        warn(f"{one.recipient}: {text}")


def _describe(difference: Difference, change: Change) -> None:
    """Add the changes to the activity log's entry, without subscriptions' recipients; of texts,
    only the names.
    """
    for one in difference.connections:
        change.connections.add(one.id)
    named: list[ConnectionChange | SubscriptionChange] = [
        *difference.connections,
        *difference.subscriptions,
    ]
    fields = {f"{one.id}.{field.field}": field for one in named for field in one.fields}
    added = {one.id: str(one.change) for one in named}
    change.changed(
        before={name: field.before for name, field in fields.items()},
        after=added | {name: field.after for name, field in fields.items()},
    )


def _how_they_are(stack: Stack) -> dict[str, Any]:
    """Connections with their health, by id; empty, with a warning, if they can't be read."""
    try:
        return {one["id"]: one for one in OrdersApi(stack).get("/connections")["items"]}
    except Fault as fault:
        why = str(fault)
    except AWS_FAILED as error:
        why = explain(error)
    warn(f"Their health is unknown: {why}")
    return {}


def _show(stack: Stack, difference: Difference) -> None:
    tell(f"Stack {stack}")
    show_difference(difference)


def _agreed(stack: Stack) -> bool:
    return not is_interactive() or typer.confirm(f"Write this to {stack}?", err=True)


def _report(stack: Stack, difference: Difference, *, applied: bool, as_json: bool) -> None:
    if as_json:
        result: dict[str, Any] = {"stack": stack.name, "applied": applied}
        tell_json(result | difference_as_json(difference))
    elif difference.is_empty:
        tell("Nothing to change.")
    elif applied:
        tell("Applied. Functions use it within 5 minutes.")
    else:
        tell("Nothing was written (--dry-run).")
