"""``milepost actions list``, ``do`` and ``call-off``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer

from cli.actions.batches import run_on_many
from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.errors import WrongUse
from cli.local_times import UTC_ZONE, Moments, read_zone
from cli.options import JsonOption, KeyOption, OrderArgument, WhoseOption, YesOption, ZoneOption
from cli.orders.lookup import find_one
from cli.output import tell, tell_folded, tell_json, tell_table
from cli.stack import StackOption, find_stack
from milepost.actions.action import BUILT_IN_ACTIONS, FINAL
from milepost.providers.base import ProviderAction
from milepost.providers.registry import REGISTRY, adapter

app = make_part("Run actions on an order, at its provider or in Milepost.")

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


@app.command("list", epilog=examples("actions list offergrid-main:ord_1"))
def list_actions(
    order: OrderArgument,
    *,
    connection: WhoseOption = None,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which actions the order allows now, and which are planned."""
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
        where = "at" if plan["planned_in"] == "provider" else "by"
        tell(f"{plan['action']} is planned for {when} ({moments.label}), {where} {plan['person']}.")


@dataclass(frozen=True, kw_only=True)
class ActionInput:
    """The input of an action: its time, and its arguments."""

    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="Plan the action for this time, such as 2030-03-20T09:00:00Z.",
        ),
    ] = None
    reason: Annotated[
        str | None, typer.Option("--reason", help="The reason, for the provider.")
    ] = None
    invoice: Annotated[
        str | None, typer.Option("--invoice", help="The invoice's id or number.")
    ] = None
    note: Annotated[
        str | None,
        typer.Option("--note", help="The text of a note, or the month of commission_paid."),
    ] = None
    attention: Annotated[
        list[str] | None,
        typer.Option(
            "--attention",
            metavar="CODE",
            help="The reason for attention that was handled; by default all.",
        ),
    ] = None
    quietly: Annotated[
        bool, typer.Option("--quietly", help="Send no notices of changes that a refresh finds.")
    ] = False

    def for_one(self) -> dict[str, Any]:
        """The body of a request for one order."""
        return _without_none(
            at=self.at,
            reason=self.reason,
            invoice=self.invoice,
            text=self.note,
            attention=self.attention or None,
            notices="off" if self.quietly else None,
        )

    def for_many(self) -> dict[str, Any]:
        """The arguments of a batch. Other arguments apply to a single order."""
        return _without_none(
            reason=self.reason,
            text=self.note,
            attention=self.attention or None,
            notify="off" if self.quietly else None,
        )


@app.command(
    "do",
    epilog=examples(
        'actions do PP-1 cancel --reason "Customer moved"',
        "actions do ch_81 fulfill --at 2030-03-20T09:00:00Z",
        'actions do note --from-file orders.csv --note "Rang them"',
    ),
)
def do_action(
    order: OrderArgument,
    action: Annotated[
        str | None,
        typer.Argument(
            metavar="ACTION", help="As `milepost actions list` shows it.", show_default=False
        ),
    ] = None,
    *,
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from-file",
            metavar="FILE",
            help="On the orders that a file lists, one on each line; leave ORDER out.",
        ),
    ] = None,
    connection: WhoseOption = None,
    given: ActionInput,
    key: KeyOption = None,
    yes: YesOption = False,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run an action on an order. The order's timeline names it and your AWS identity.

    Actions that can't be undone, such as cancel, ask for confirmation; so do actions that charge
    the customer's card, also when they are planned. If the provider refuses, the command prints the
    provider's message and ends with exit code 1.

    With --from-file it is run on many orders as a batch: first a dry run, then a confirmation, then
    the progress. It is refused for the orders that don't allow it.
    """
    moments = read_zone(zone)
    api = OrdersApi(find_stack(stack))
    if from_file is not None:
        _check_many(order, action, given, key=key)
        arguments = given.for_many()
        run_on_many(
            api, order, from_file, arguments, connection=connection, yes=yes, as_json=as_json
        )
        return
    if action is None:
        raise WrongUse("Name the action: milepost actions do ORDER ACTION.")
    order_id = find_one(api, order, connection=connection)
    _confirm_final(api, order_id, action, is_planned=given.at is not None, yes=yes)
    path = f"/orders/{order_id}/actions/{action}"
    done = api.post(path, given.for_one(), key=key or uuid4().hex)
    _tell_done(done, order_id, moments, as_json=as_json)


def _check_many(order: str, action: str | None, given: ActionInput, *, key: str | None) -> None:
    if action is not None:
        raise WrongUse(f"With --from-file, give only the action: leave out {order}.")
    if given.at or given.invoice or key:
        raise WrongUse("--at, --invoice and --key are for one order: leave them out.")


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@app.command("call-off", epilog=examples("actions call-off ch_81 fulfill"))
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
    """Cancel an action that is planned for later."""
    moments = read_zone(zone)
    api = OrdersApi(find_stack(stack))
    order_id = find_one(api, order, connection=connection)
    path = f"/orders/{order_id}/actions/{action}/planned"
    _tell_done(api.delete(path, key=key or uuid4().hex), order_id, moments, as_json=as_json)


def _confirm_final(
    api: OrdersApi, order_id: str, action: str, *, is_planned: bool, yes: bool
) -> None:
    """Ask for confirmation if the action can't be undone or charges a card.

    A planned action can be cancelled, so only one that charges a card asks. The API refuses actions
    that the order does not allow.
    """
    order = api.get(f"/orders/{order_id}")
    if action not in order["actions"]:
        return
    known = _provider_action(action, order["provider"])
    charge = known.charge(order["details"]) if known else None
    said = [f"This charges the customer's card: {charge}."] if charge else []
    if not is_planned and _is_final(action, order["provider"]):
        said.append("It can't be undone.")
    if said:
        what = f"{'Plan ' if is_planned else ''}{action.replace('_', ' ')}"
        question = f"{what.capitalize()} {order_id} ({order['status']})?"
        confirm(" ".join([question, *said]), yes=yes)


def _is_final(name: str, provider: str | None) -> bool:
    action = _provider_action(name, provider)
    return name in FINAL if action is None else action.is_final


def _tell_done(done: Mapping[str, Any], order_id: str, moments: Moments, *, as_json: bool) -> None:
    if as_json:
        tell_json(done)
        return
    tell_folded(done_in_words(done, order_id, moments), indent=0)


def done_in_words(done: Mapping[str, Any], order_id: str, moments: Moments) -> str:
    """The outcome of an action, in a sentence."""
    result = str(done["result"]).replace("_", " ")
    if done["planned_for"]:
        was = ", was planned" if done["result"] == "called_off" else ""
        result += f"{was} for {moments.minute(done['planned_for'])} ({moments.label})"
    said = f" ({done['outcome']})" if done["outcome"] not in (None, done["result"]) else ""
    before = "It was already done with this key." if done["repeated"] else ""
    return f"{done['action']} of {order_id}: {result}{said}.{before}"


def _takes(name: str, provider: str | None) -> str:
    action = _provider_action(name, provider)
    arguments = BUILT_IN_ACTIONS.get(name, frozenset()) if action is None else action.arguments
    options = [_OPTIONS.get(one, one) for one in sorted(arguments)]
    if action is not None and action.can_be_planned:
        options.append("--at INSTANT")
    return ", ".join(options)


def _provider_action(name: str, provider: str | None) -> ProviderAction | None:
    return adapter(provider).actions.get(name) if provider in REGISTRY and provider else None
