"""``milepost dead-letters``: messages that failed every retry: list, show, discard."""

import json
from typing import Annotated

import typer

from cli.api import NoSuchThing, OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.local_times import UTC_ZONE, read_zone
from cli.options import CsvOption, JsonOption, YesOption, ZoneOption
from cli.output import tell, tell_csv, tell_folded, tell_json, tell_table, warn
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import QUEUES

app = make_part("Messages that failed every retry. `milepost redrive QUEUE` redrives them.")

QueueArgument = Annotated[
    str, typer.Argument(metavar="QUEUE", help="Such as inbox; `dead-letters list` shows all.")
]
MessageArgument = Annotated[
    str,
    typer.Argument(
        metavar="MESSAGE", help="The message's id, from `milepost dead-letters show QUEUE`."
    ),
]


@app.command("list", epilog=examples("dead-letters list"))
def list_queues(
    *, stack: StackOption = None, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """Show how many messages each dead-letter queue holds."""
    queues = OrdersApi(find_stack(stack)).get("/dead-letters")["items"]
    if as_json:
        tell_json(queues)
        return
    columns, rows = ["queue", "waiting"], [[one["name"], str(one["waiting"])] for one in queues]
    if as_csv:
        tell_csv(QUEUES, queues)
    else:
        tell_table(columns, rows)


@app.command("show", epilog=examples("dead-letters show inbox --limit 20"))
def show_queue(
    queue: QueueArgument,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=50)] = 10,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show messages of a queue. They may hold personal data."""
    moments = read_zone(zone)
    found = OrdersApi(find_stack(stack)).get(f"/dead-letters/{queue}", limit=limit)
    if as_json:
        tell_json(found)
        return
    tell(f"{queue}: about {found['waiting']} messages. Times: {moments.label}.", style="bold")
    for one in found["messages"]:
        content = one["content"]
        said = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        tell(f"{moments.minute(one['sent_at'])}  {one['id']}")
        tell_folded(said, indent=4)


@app.command("discard", epilog=examples("dead-letters discard inbox 2f1c8a7e"))
def discard_message(
    queue: QueueArgument,
    message: MessageArgument,
    *,
    stack: StackOption = None,
    yes: YesOption = False,
) -> None:
    """Delete one message permanently."""
    api = OrdersApi(find_stack(stack))
    _require_queue(api, queue)
    confirm(f"Delete {message} of {queue} permanently?", yes=yes)
    api.delete(f"/dead-letters/{queue}/messages/{message}")
    warn("Deleted.")


def _require_queue(api: OrdersApi, queue: str) -> None:
    """:raises NoSuchThing: if there is no such queue; the message lists the queues"""
    names = [one["name"] for one in api.get("/dead-letters")["items"]]
    if queue not in names:
        raise NoSuchThing(f"There is no dead-letter queue {queue}; there are: {', '.join(names)}.")
