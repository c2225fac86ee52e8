"""Checks a request for an action: its arguments, its time, and whether the order allows it.

In which statuses an order allows an action is a table of each provider, such as ``ACTIONS`` in
``providers/offergrid_actions.py``; it is only read here.
"""

import re
from datetime import datetime
from typing import Final

from milepost.actions import action as actions
from milepost.actions.action import (
    BUILT_IN_ACTIONS,
    ActionRequest,
    NotAllowed,
    UnknownAction,
    note_of,
)
from milepost.actions.argument_limits import FARTHEST_PLAN, LONGEST_NOTE, LONGEST_REASON
from milepost.common.timestamps import format_instant
from milepost.orders.order import Order
from milepost.providers.base import BadArgument, NothingToDo, Provider, ProviderAction, is_in_place
from milepost.queries.commission import has_earned

_MONTH: Final = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])", re.ASCII)
_KEY: Final = re.compile(r"[!-9;-~]{1,128}")


def allowed_actions(order: Order, provider: Provider) -> tuple[str, ...]:
    """The actions that the order currently allows, by name."""
    of_provider = (name for name, action in provider.actions.items() if _is_possible(order, action))
    own = (name for name in BUILT_IN_ACTIONS if _makes_sense(order, name))
    return (*sorted(of_provider), *sorted(own))


def _makes_sense(order: Order, name: str) -> bool:
    """Whether one of Milepost's own actions is currently useful."""
    match name:
        case actions.ACKNOWLEDGE:
            return bool(order.attention)
        case actions.COMMISSION_PAID:
            return has_earned(order)
        case _:
            return True


def _is_possible(order: Order, action: ProviderAction) -> bool:
    if not is_in_place(order, action):
        return False
    try:
        action.make_call(order, {})
    except NothingToDo:
        return False
    except BadArgument:
        return True
    return True


def find_action(name: str, provider: Provider) -> ProviderAction | None:
    """The provider's action with this name; None for one of Milepost's own actions.

    :raises UnknownAction: when it is neither
    """
    if name in BUILT_IN_ACTIONS:
        return None
    try:
        return provider.actions[name]
    except KeyError:
        known = ", ".join([*sorted(provider.actions), *sorted(BUILT_IN_ACTIONS)])
        raise UnknownAction(f"{provider.name} has no action {name!r}: there are {known}") from None


def require_allowed(order: Order, name: str, provider: Provider) -> None:
    """:raises NotAllowed: with the order's status, and the actions that it allows"""
    action = find_action(name, provider)
    if name == actions.COMMISSION_PAID and not has_earned(order):
        raise refusal(order, provider, "the order has earned no commission")
    if action is not None and not is_in_place(order, action):
        current = order.status if order.status not in action.statuses else order.raw_status
        raise refusal(order, provider, f"{name} is not possible for an order that is {current}")


def refusal(order: Order, provider: Provider, why: str) -> NotAllowed:
    """The refusal of an action, with the actions that are possible instead."""
    allowed = allowed_actions(order, provider)
    message = f"{why}. Possible now: {', '.join(allowed)}."
    return NotAllowed(message, status=order.status, allowed=allowed)


def check_request(request: ActionRequest, provider: Provider, *, now: datetime) -> None:
    """:raises BadArgument: if key, arguments or time don't fit the action"""
    if not _KEY.fullmatch(request.key):
        raise BadArgument("an idempotency key is 1 to 128 visible ASCII characters without a colon")
    action = find_action(request.action, provider)
    taken = BUILT_IN_ACTIONS[request.action] if action is None else action.arguments
    if unknown := sorted(set(request.arguments) - taken):
        takes = ", ".join(sorted(taken)) or "no arguments"
        raise BadArgument(f"{request.action} has no argument {unknown[0]!r}: it takes {takes}")
    for name, value in request.arguments.items():
        if name != "attention" and not isinstance(value, str):
            raise BadArgument(f"{name} must be a text")
    _check_text(request, "reason", LONGEST_REASON)
    _check_text(request, "text", LONGEST_NOTE)
    if request.planned_for is not None:
        if request.arguments:
            raise BadArgument(f"a {request.action} that is planned takes no arguments")
        _check_plan(request.planned_for, action, request.action, now=now)


def _check_text(request: ActionRequest, name: str, longest: int) -> None:
    text = str(request.arguments.get(name, ""))
    if len(text) > longest:
        raise BadArgument(f"{name} may have {longest:,} characters, not {len(text):,}")


def _check_plan(at: datetime, action: ProviderAction | None, name: str, *, now: datetime) -> None:
    if action is None or not action.can_be_planned:
        raise BadArgument(f"{name} can't be planned for later: leave the time out")
    if at <= now:
        raise BadArgument(f"{format_instant(at)} is in the past: give a future time")
    if at - now > FARTHEST_PLAN:
        raise BadArgument(f"an action can be planned at most {FARTHEST_PLAN.days} days ahead")


def require_text(request: ActionRequest) -> None:
    """:raises BadArgument: if the note is empty"""
    if note_of(request) is None:
        raise BadArgument("a note needs a text")


def require_month(request: ActionRequest) -> None:
    """:raises BadArgument: if the note names no month"""
    if not _MONTH.fullmatch(note_of(request) or ""):
        raise BadArgument("text must be the month that was paid, such as 2026-03")


def choose_attention(order: Order, wanted: object) -> list[str]:
    """The ids of the order's reasons for attention with these codes or ids; None means all of them.

    :raises BadArgument: when one names none of them
    :raises NothingToDo: when there is nothing to see to
    """
    if not order.attention:
        raise NothingToDo("the order needs no attention")
    ids = {reason.id: reason.code for reason in order.attention}
    if wanted is None:
        return sorted(ids)
    if not isinstance(wanted, list) or not wanted or not all(isinstance(w, str) for w in wanted):
        raise BadArgument("attention must be a list of codes or ids; leave it out for all")
    if unknown := sorted(set(wanted) - set(ids) - set(ids.values())):
        there = ", ".join(sorted(ids))
        raise BadArgument(f"the order has no attention {unknown[0]!r}: there is {there}")
    return sorted(id for id, code in ids.items() if id in wanted or code in wanted)
