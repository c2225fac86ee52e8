"""``milepost redrive``: moves messages of a dead-letter queue back for processing."""

from typing import Annotated, Any

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.errors import COULD_NOT
from cli.options import JsonOption
from cli.output import tell, tell_json, warn
from cli.stack import StackOption, find_stack

app = make_part()


@app.command("redrive", epilog=examples("redrive inbox"))
def redrive(
    queue: Annotated[
        str, typer.Argument(metavar="QUEUE", help="As `milepost dead-letters list` shows it.")
    ],
    messages: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MESSAGE]...", help="Only these messages; by default all."),
    ] = None,
    *,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Redrive messages of a dead-letter queue, once the cause is fixed.

    Nothing is done twice. Exit code 1 if a message can't be redriven.
    """
    api = OrdersApi(find_stack(stack))
    total = _redrive_all(api, queue, messages or None)
    if as_json:
        tell_json(total)
    else:
        tell(f"Redriven: {total['moved']}. Left: {total['left']}.")
        for one in total["failed"]:
            warn(f"{one['message']} was not redriven: {one['reason']}")
    if total["failed"]:
        raise typer.Exit(COULD_NOT)


def _redrive_all(api: OrdersApi, queue: str, messages: list[str] | None) -> dict[str, Any]:
    """Repeat the request until no more messages move: one request moves at most 500."""
    moved = 0
    while True:
        done = api.post(f"/dead-letters/{queue}/redrive", {"messages": messages})
        moved += done["moved"]
        if messages or not done["moved"] or done["failed"] or not done["left"]:
            return {"moved": moved, "failed": done["failed"], "left": done["left"]}
