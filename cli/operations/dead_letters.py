"""``milepost dead-letters``: what was tried in vain, a look at it, giving one up."""

import json
from typing import Annotated

import typer

from cli.api import OrdersApi
from cli.confirming import confirm
from cli.faults import EXIT_CODES
from cli.moments import UTC_ZONE, read_zone
from cli.options import JsonOption, YesOption, ZoneOption
from cli.output import tell, tell_folded, tell_json, tell_table, warn
from cli.parts import make_part
from cli.stack import StackOption, find_stack

app = make_part("What was tried in vain; `milepost redrive QUEUE` takes it up again.")

QueueArgument = Annotated[
    str, typer.Argument(metavar="QUEUE", help="Such as inbox; `dead-letters list` shows all.")
]
MessageArgument = Annotated[
    str, typer.Argument(metavar="MESSAGE", help="Its id, by `milepost dead-letters show QUEUE`.")
]


@app.command("list", epilog=EXIT_CODES)
def list_queues(*, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Show how many messages wait for a person in each queue."""
    queues = OrdersApi(find_stack(stack)).get("/dead-letters")["items"]
    if as_json:
        tell_json(queues)
        return
    tell_table(["queue", "waiting"], [[one["name"], str(one["waiting"])] for one in queues])


@app.command("show", epilog=EXIT_CODES)
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
    tell(f"{queue}: about {found['waiting']} wait. Times: {moments.label}.", style="bold")
    for one in found["messages"]:
        content = one["content"]
        said = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        tell(f"{moments.minute(one['sent_at'])}  {one['id']}")
        tell_folded(said, indent=4)


@app.command("discard", epilog=EXIT_CODES)
def discard_message(
    queue: QueueArgument,
    message: MessageArgument,
    *,
    stack: StackOption = None,
    yes: YesOption = False,
) -> None:
    """Give one up, for good."""
    api = OrdersApi(find_stack(stack))
    confirm(f"Give up {message} of {queue} for good?", yes=yes)
    api.delete(f"/dead-letters/{queue}/messages/{message}")
    warn("Given up.")
