"""``milepost batches``: run one action on many orders, show progress, stop and resume."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.errors import COULD_NOT, WrongUse
from cli.local_times import UTC_ZONE, read_zone
from cli.options import CsvOption, JsonOption, ZoneOption
from cli.orders.lookup import find_one
from cli.output import is_interactive, tell, tell_csv, tell_folded, tell_json, tell_table, warn
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import BATCHES

app = make_part("Batches: one action on many orders. Watch them, stop them.")

_AT_WORK: Final = "running"
_LISTED: Final = ("id", "action", "state", "total", "person")
_SHOWN: Final = 20
_EVERY: Final = 1.0
"""Seconds between two requests for a batch's progress."""

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As `milepost actions do --from-file` prints it.")
]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="Show the progress until the batch has ended.")
]


@app.command("list", epilog=examples("batches list", "batches list --all --csv"))
def list_batches(
    *,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="The maximum number of batches.")
    ] = 50,
    all_: Annotated[bool, typer.Option("--all", help="All batches.")] = False,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List batches of the last 30 days, the latest first."""
    moments = read_zone(zone)
    found: list[Mapping[str, Any]] = []
    following = None
    for page in OrdersApi(find_stack(stack)).pages(
        "/batches", items="batches", resume_by="cursor", most=None if all_ else limit
    ):
        found += page["batches"]
        following = page["next"]
    if as_json:
        tell_json({"batches": found, "next": following})
    elif as_csv:
        tell_csv(BATCHES, found)
    elif not found:
        tell("There are no batches.")
    else:
        rows = [
            [moments.minute(one["created_at"]), *(str(one[name]) for name in _LISTED)]
            for one in found
        ]
        tell_table([f"when ({moments.label})", *_LISTED], rows, drop=("person", "total"))


@app.command("show", epilog=examples("batches show 0a1b2c3d4e5f6071 --wait"))
def show_batch(
    batch: IdArgument,
    *,
    wait: WaitOption = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the progress of a batch, and which orders were refused or failed, and why. Exit code 1
    if some failed.
    """
    api = OrdersApi(find_stack(stack))
    found = watch_batch(api, batch) if wait else api.get(f"/batches/{batch}")
    tell_batch(found, as_json=as_json)


@app.command("stop", epilog=examples("batches stop 0a1b2c3d4e5f6071"))
def stop_batch(
    batch: IdArgument, *, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """Stop a batch before its next order."""
    tell_batch(OrdersApi(find_stack(stack)).post(f"/batches/{batch}/stop"), as_json=as_json)


@app.command("resume", epilog=examples("batches resume 0a1b2c3d4e5f6071"))
def resume_batch(
    batch: IdArgument, *, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """Continue a batch whose worker failed too often. Nothing is done twice."""
    api = OrdersApi(find_stack(stack))
    tell_batch(api.post(f"/batches/{batch}/start", {"token": "-"}), as_json=as_json)


def run_on_many(
    api: OrdersApi,
    action: str,
    path: Path,
    asked: Mapping[str, Any],
    *,
    connection: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Make a dry run of an action on the orders of a file; if it is confirmed, run the batch."""
    orders = [_order_id(api, one, connection) for one in read_orders(path)]
    plan = api.post("/batches", {"action": action, "orders": orders, **asked})
    _tell_plan(plan)
    if not plan["counts"]["waiting"]:
        warn("Nothing to do: the action would be refused for every order.")
        raise typer.Exit(COULD_NOT)
    charged = f" {plan['charges']} cards are charged." if plan["charges"] else ""
    name = action.replace("_", " ").capitalize()
    confirm(f"{name} {plan['counts']['waiting']} orders?{charged}", yes=yes)
    api.post(f"/batches/{plan['id']}/start", {"token": plan["token"]})
    warn(f"Started. To stop it: milepost batches stop {plan['id']}")
    tell_batch(watch_batch(api, plan["id"]), as_json=as_json)


def read_orders(path: Path) -> list[str]:
    """The orders in a file: one in each line, or in the first column of a CSV file.

    :raises WrongUse: when the file can't be read, or names none
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{path} can't be read: {error}.") from None
    cells = (line.split(",")[0].strip().strip('"') for line in text.splitlines())
    found = [one for one in cells if one and not one.startswith("#") and one != "id"]
    if not found:
        raise WrongUse(
            f"{path} contains no order: write one on each line, as "
            "`milepost orders list` prints them."
        )
    return list(dict.fromkeys(found))


def watch_batch(api: OrdersApi, batch: str) -> Mapping[str, Any]:
    """The batch after it has ended, with a progress bar on a terminal until then."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not is_interactive()) as progress:
        task = progress.add_task("Orders", total=None)
        while True:
            found: Mapping[str, Any] = api.get(f"/batches/{batch}")
            done = found["total"] - found["counts"]["waiting"]
            progress.update(task, total=found["total"], completed=done)
            if found["state"] != _AT_WORK:
                return found
            time.sleep(_EVERY)


def tell_batch(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a batch; exit code 1 if some of its orders failed."""
    if as_json:
        tell_json(found)
    else:
        tell(f"{found['action']} by {found['person']}: {found['state']}", style="bold")
        tell(", ".join(f"{number} {state}" for state, number in found["counts"].items() if number))
        _tell_reasons([one for one in found["targets"] if one["state"] in ("refused", "failed")])
    if found["counts"]["failed"]:
        raise typer.Exit(COULD_NOT)


def _tell_plan(plan: Mapping[str, Any]) -> None:
    waiting, refused = plan["counts"]["waiting"], plan["refused"]
    warn(
        f"Dry run: the action would be run on {waiting} of {plan['total']} "
        f"orders, and refused for {len(refused)}."
    )
    for one in plan["sample"]:
        warn(f"  {one}")
    if waiting > len(plan["sample"]):
        warn(f"  and {waiting - len(plan['sample'])} more")
    for one in refused[:_SHOWN]:
        warn(f"  refused: {one['id']}: {one['why']}")
    if len(refused) > _SHOWN:
        warn(f"  refused: {len(refused) - _SHOWN} more")


def _tell_reasons(targets: Sequence[Mapping[str, Any]]) -> None:
    if targets:
        rows = [[one["id"], one["state"], one["why"] or ""] for one in targets[:_SHOWN]]
        tell_table(["order", "became", "why"], rows)
    if len(targets) > _SHOWN:
        tell_folded(f"And {len(targets) - _SHOWN} more: --json shows all.", indent=0)


def _order_id(api: OrdersApi, name: str, connection: str | None) -> str:
    is_whole = connection is None and name.replace("/", ":").count(":") == 2
    return name if is_whole else find_one(api, name, connection=connection)
