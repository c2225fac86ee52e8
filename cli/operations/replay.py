"""``milepost replay``: processes quarantined payloads again, for example after a fix."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from cli.actions.commands import done_in_words
from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.errors import WrongUse
from cli.local_times import UTC_ZONE, read_moment, read_zone
from cli.options import JsonOption
from cli.orders.lookup import find_orders
from cli.output import tell_folded, tell_json
from cli.stack import StackOption, find_stack

app = make_part()


@app.command(
    "replay", epilog=examples("replay --order PP-1", "replay --connection rabot-energy --since 6h")
)
def replay(
    kept: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="A quarantined payload, as `quarantine list` shows it."
        ),
    ] = None,
    *,
    order: Annotated[
        str | None, typer.Option("--order", metavar="ORDER", help="Fetch this order again.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", metavar="ID", help="Replay this connection.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="An instant, or 90m, 6h, 3d ago."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Written as for --since.")
    ] = None,
    notices: Annotated[
        bool, typer.Option("--notices", help="Send notices of the changes.")
    ] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reprocess a quarantined payload, fetch an order again, or replay a connection.

    For a connection, that is everything in its quarantine and, with --since and without --until,
    every order that its provider has changed since then. Data that is already known changes
    nothing. No notices are sent unless --notices is given.
    """
    api = OrdersApi(find_stack(stack))
    match (kept, order, connection):
        case (str(), None, None):
            result = _one_kept(api, kept, notices=notices)
        case (None, str(), None):
            result = _orders(api, order, notices=notices)
        case (None, None, str()):
            result = _connection(api, connection, since=since, until=until, notices=notices)
        case _:
            raise WrongUse(
                "Give one of these: the ID of a quarantined payload, --order, or --connection."
            )
    if as_json:
        tell_json({name: value for name, value in result.items() if name != "said"})
        return
    for line in result["said"]:
        tell_folded(line, indent=0)


def _one_kept(api: OrdersApi, kept: str, *, notices: bool) -> dict[str, Any]:
    found = api.post(f"/quarantine/{kept}/replay", {"announce": notices})
    return {"replayed": [found["id"]], "said": ["The payload was put into the inbox queue."]}


def _orders(api: OrdersApi, order: str, *, notices: bool) -> dict[str, Any]:
    moments = read_zone(UTC_ZONE)
    body = {} if notices else {"notices": "off"}
    done = {}
    for one in find_orders(api, order, connection=None):
        # The provider gives all items of an order at once.
        group = one.rpartition(":")[0]
        if group not in done:
            path = f"/orders/{one}/actions/refresh"
            done[group] = api.post(path, body, key=uuid4().hex)
    said = [done_in_words(what, one, moments) for one, what in done.items()]
    return {"refreshed": done, "said": said}


def _connection(
    api: OrdersApi, connection: str, *, since: str | None, until: str | None, notices: bool
) -> dict[str, Any]:
    found = api.get(f"/connections/{connection}")
    asked = {
        "connection": connection,
        "since": read_moment(since, option="--since"),
        "until": read_moment(until, option="--until"),
        "announce": notices,
    }
    replayed = _whole_quarantine(api, asked)
    result: dict[str, Any] = {"replayed": replayed, "polled_since": None, "request": None}
    said = [f"{replayed} quarantined payloads were put into the inbox queue."]
    is_polled = found["settings"].get("poll_minutes") is not None
    if asked["since"] and not until and is_polled:
        again = {"since": asked["since"], "announce": notices}
        requested = api.post(f"/connections/{connection}/poll", again)
        result |= {"polled_since": asked["since"], "request": requested["request"]}
        said.append(f"A poll reads again what has changed at {found['provider']} since then.")
    return result | {"said": said}


def _whole_quarantine(api: OrdersApi, asked: dict[str, Any]) -> int:
    replayed, after = 0, None
    while True:
        done = api.post("/quarantine/replay", asked | {"after": after})
        replayed += int(done["replayed"])
        after = done["next"]
        if after is None:
            return replayed
