"""``milepost actions list``, ``do`` and ``call-off``."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import uuid4

import typer

from cli.api import OrdersApi
from cli.faults import EXIT_CODES
from cli.moments import UTC_ZONE, Moments, read_zone
from cli.options import JsonOption, KeyOption, OrderArgument, WhoseOption, ZoneOption
from cli.orders.finding import find_one
from cli.output import tell, tell_folded, tell_json, tell_table
from cli.parts import make_part
from cli.stack import StackOption, find_stack
from milepost.actions import OWN
from milepost.provider import ProviderAction
from milepost.providers import REGISTRY, adapter

app = make_part("Having something done with an order, at its provider or by us.")

ActionArgument = Annotated[
    str, typer.Argument(metavar="ACTION", help="As `milepost actions list` shows it.")
]

_OPTIONS: Final[Mapping[str, str]] = {
    "reason": "--reason TEXT",
    "invoice": "--invoice ID",
    "text": "--note TEXT",
    "attention": "--attention CODE",
    "notices": "--quietly",
}


@app.command("list", epilog=EXIT_CODES)
def list_actions(
    order: OrderArgument,
    *,
    connection: WhoseOption = None,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what can be done with an order as it is, and what is planned for later."""
    moments = read_zone(zone)
    api = OrdersApi(find_stack(stack))
    shown = api.get(f"/orders/{find_one(api, order, connection=connection)}")
    if as_json:
        tell_json({name: shown[name] for name in ("id", "status", "actions", "planned")})
        return
    tell(f"{shown['id']}  {shown['status']}", style="bold")
    tell_table(
        ["action", "takes"],
        [[name, _takes(name, shown["provider"])] for name in shown["actions"]],
    )
    for plan in shown["planned"]:
        when = moments.minute(plan["planned_for"])
        tell(f"{plan['action']} is planned for {when} ({moments.label}), by {plan['person']}.")


@app.command("do", epilog=EXIT_CODES)
def do_action(
    order: OrderArgument,
    action: ActionArgument,
    *,
    connection: WhoseOption = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="Then, not now: as 2030-03-20T09:00:00Z."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for the provider.")] = None,
    invoice: Annotated[str | None, typer.Option("--invoice", help="Its id or number.")] = None,
    note: Annotated[
        str | None, typer.Option("--note", help="What to note, or the month of commission_paid.")
    ] = None,
    attention: Annotated[
        list[str] | None,
        typer.Option("--attention", metavar="CODE", help="What was seen to; all without it."),
    ] = None,
    quietly: Annotated[
        bool, typer.Option("--quietly", help="Tell nobody of what a refresh changes.")
    ] = False,
    key: KeyOption = None,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have it done. It stands on the order's timeline with your AWS identity.

    A refusal comes in the provider's own words, and with exit code 1.
    """
    moments = read_zone(zone)
    api = OrdersApi(find_stack(stack))
    order_id = find_one(api, order, connection=connection)
    asked = {
        "at": at,
        "reason": reason,
        "invoice": invoice,
        "text": note,
        "attention": attention or None,
        "notices": "off" if quietly else None,
    }
    body = {name: value for name, value in asked.items() if value is not None}
    done = api.post(f"/orders/{order_id}/actions/{action}", body, key=key or uuid4().hex)
    _tell_done(done, order_id, moments, as_json=as_json)


@app.command("call-off", epilog=EXIT_CODES)
def call_off_action(
    order: OrderArgument,
    action: ActionArgument,
    *,
    connection: WhoseOption = None,
    key: KeyOption = None,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call off what was planned for later."""
    moments = read_zone(zone)
    api = OrdersApi(find_stack(stack))
    order_id = find_one(api, order, connection=connection)
    path = f"/orders/{order_id}/actions/{action}/planned"
    _tell_done(api.delete(path, key=key or uuid4().hex), order_id, moments, as_json=as_json)


def _tell_done(done: Mapping[str, Any], order_id: str, moments: Moments, *, as_json: bool) -> None:
    if as_json:
        tell_json(done)
        return
    tell_folded(done_in_words(done, order_id, moments), indent=0)


def done_in_words(done: Mapping[str, Any], order_id: str, moments: Moments) -> str:
    """What became of an action, in a sentence."""
    result = str(done["result"]).replace("_", " ")
    if done["planned_for"]:
        was = ", was planned" if done["result"] == "called_off" else ""
        result += f"{was} for {moments.minute(done['planned_for'])} ({moments.label})"
    said = f" ({done['outcome']})" if done["outcome"] not in (None, done["result"]) else ""
    before = " It had been done with this key before." if done["repeated"] else ""
    return f"{done['action']} of {order_id}: {result}{said}.{before}"


def _takes(name: str, provider: str | None) -> str:
    action = _provider_action(name, provider)
    arguments = OWN.get(name, frozenset()) if action is None else action.arguments
    options = [_OPTIONS.get(one, one) for one in sorted(arguments)]
    if action is not None and action.can_be_planned:
        options.append("--at INSTANT")
    return ", ".join(options)


def _provider_action(name: str, provider: str | None) -> ProviderAction | None:
    return adapter(provider).actions.get(name) if provider in REGISTRY and provider else None
