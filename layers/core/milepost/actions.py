"""What a person can have done with an order: what is allowed when, and what the timeline keeps.

Pure: no clock, no AWS, no HTTP. ``acting`` does what is decided here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from milepost.lifecycle import OPEN
from milepost.order import Order, OrderKey
from milepost.provider import BadArgument, NothingToDo, Provider, ProviderAction
from milepost.report import (
    BadPayload,
    Details,
    Report,
    Source,
    Status,
    format_instant,
    parse_instant,
)

REFRESH: Final = "refresh"
ACKNOWLEDGE: Final = "acknowledge"
NOTE: Final = "note"
OWN: Final[Mapping[str, frozenset[str]]] = {
    REFRESH: frozenset(),
    ACKNOWLEDGE: frozenset({"attention"}),
    NOTE: frozenset({"text"}),
}
"""The actions that there are for every provider, with the arguments they take."""
LONGEST_NOTE: Final = 2_000
LONGEST_REASON: Final = 500
FARTHEST_PLAN: Final = timedelta(days=366)
_KEY: Final = re.compile(r"[!-9;-~]{1,128}")


class Result(StrEnum):
    """What became of an action."""

    DONE = "done"
    REFUSED = "refused"
    PLANNED = "planned"
    CALLED_OFF = "called_off"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """What a person asks for. One ``key`` for one order is done once, however often it comes."""

    order: OrderKey
    action: str
    key: str
    person: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    planned_for: datetime | None = None
    """A time to do it at; for the doing itself, the time that was planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDone:
    """What the timeline says of an action: its result, and the provider's words for it."""

    action: str
    key: str
    person: str
    result: Result
    at: datetime
    outcome: str | None = None
    answered: int | None = None
    planned_for: datetime | None = None
    repeated: bool = False
    """Whether it had been done already with this key, and was not done again."""


class NoSuchOrder(LookupError):
    """The order was never reported, or its customer was erased."""


class UnknownAction(LookupError):
    """The order's provider has no such action."""


class KeyReused(Exception):
    """The idempotency key was used for another action on this order."""


class NotAllowed(Exception):
    """The action can't be done with the order as it is; ``allowed`` names those that can."""

    def __init__(self, message: str, *, status: Status, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.status = status
        self.allowed = allowed


class RefusedByProvider(Exception):
    """The provider said no; ``words`` are its own, ``done`` is what the timeline keeps of it."""

    def __init__(self, done: ActionDone) -> None:
        self.words = done.outcome or "no reason given"
        super().__init__(f"the provider refused {done.action}: {self.words}")
        self.done = done


class ProviderDown(Exception):
    """The provider can't be asked now; the same key may be tried again without doing it twice."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def allowed_actions(order: Order, provider: Provider) -> tuple[str, ...]:
    """The actions that make sense for the order as it is, by name."""
    of_provider = (name for name, action in provider.actions.items() if _is_possible(order, action))
    own = (name for name in OWN if name != ACKNOWLEDGE or order.attention)
    return (*sorted(of_provider), *sorted(own))


def _is_possible(order: Order, action: ProviderAction) -> bool:
    if order.status not in action.statuses:
        return False
    try:
        action.make_call(order, {})
    except NothingToDo:
        return False
    except BadArgument:
        return True
    return True


def find_action(name: str, provider: Provider) -> ProviderAction | None:
    """The provider's action of this name; None for one that there is for every provider.

    :raises UnknownAction: when it is neither
    """
    if name in OWN:
        return None
    try:
        return provider.actions[name]
    except KeyError:
        known = ", ".join([*sorted(provider.actions), *sorted(OWN)])
        raise UnknownAction(f"{provider.name} has no action {name!r}: there are {known}") from None


def require_allowed(order: Order, name: str, provider: Provider) -> None:
    """:raises NotAllowed: says which status the order is in, and what could be done with it"""
    action = find_action(name, provider)
    if action is not None and order.status not in action.statuses:
        raise refusal(
            order, provider, f"{name} is not possible for an order that is {order.status}"
        )


def refusal(order: Order, provider: Provider, why: str) -> NotAllowed:
    """The refusal of an action, with what could be done instead."""
    allowed = allowed_actions(order, provider)
    message = f"{why}. Possible now: {', '.join(allowed)}."
    return NotAllowed(message, status=order.status, allowed=allowed)


def check_request(request: ActionRequest, provider: Provider, *, now: datetime) -> None:
    """:raises BadArgument: when key, arguments or time are not what the action takes"""
    if not _KEY.fullmatch(request.key):
        raise BadArgument("an idempotency key is 1 to 128 visible ASCII characters without a colon")
    action = find_action(request.action, provider)
    taken = OWN[request.action] if action is None else action.arguments
    if unknown := sorted(set(request.arguments) - taken):
        takes = ", ".join(sorted(taken)) or "no arguments"
        raise BadArgument(f"{request.action} has no argument {unknown[0]!r}: it takes {takes}")
    for name, value in request.arguments.items():
        if name != "attention" and not isinstance(value, str):
            raise BadArgument(f"{name} must be a text")
    _check_text(request, "reason", LONGEST_REASON)
    if request.planned_for is not None:
        _check_plan(request.planned_for, action, request.action, now=now)


def _check_text(request: ActionRequest, name: str, longest: int) -> None:
    text = str(request.arguments.get(name, ""))
    if len(text) > longest:
        raise BadArgument(f"{name} may have {longest:,} characters, not {len(text):,}")


def _check_plan(at: datetime, action: ProviderAction | None, name: str, *, now: datetime) -> None:
    if action is None or not action.can_be_planned:
        raise BadArgument(f"{name} can't be planned for later: leave the time out")
    if at <= now:
        raise BadArgument(f"{format_instant(at)} is past: name a time that lies ahead")
    if at - now > FARTHEST_PLAN:
        raise BadArgument(f"a plan lies at most {FARTHEST_PLAN.days} days ahead")


def check_note(request: ActionRequest) -> str:
    """The text of a note.

    :raises BadArgument: when there is none, or it is too long
    """
    _check_text(request, "text", LONGEST_NOTE)
    text = str(request.arguments.get("text", "")).strip()
    if not text:
        raise BadArgument("a note needs a text")
    return text


def choose_attention(order: Order, wanted: object) -> list[str]:
    """The ids of the order's reasons for attention that these codes or ids name; None: of all.

    :raises BadArgument: when one names none of them
    :raises NothingToDo: when there is nothing to see to
    """
    if not order.attention:
        raise NothingToDo("nothing of the order waits for attention")
    ids = {reason.id: reason.code for reason in order.attention}
    if wanted is None:
        return sorted(ids)
    if not isinstance(wanted, list) or not wanted or not all(isinstance(w, str) for w in wanted):
        raise BadArgument("attention must be a list of codes or ids; leave it out for all")
    if unknown := sorted(set(wanted) - set(ids) - set(ids.values())):
        there = ", ".join(sorted(ids))
        raise BadArgument(f"the order has no attention {unknown[0]!r}: there is {there}")
    return sorted(id for id, code in ids.items() if id in wanted or code in wanted)


def find_done(order: Order, request: ActionRequest) -> ActionDone | None:
    """What the timeline has of this request's key.

    :raises KeyReused: when the key is that of another action
    """
    for entry in order.timeline:
        if entry.report.details.get("action_key") == request.key:
            if entry.report.details.get("action") != request.action:
                raise KeyReused("the idempotency key was used for another action on this order")
            return read_done(entry.report, repeated=True)
    return None


def current_plan(order: Order, action: str) -> ActionDone | None:
    """The plan of this action that still holds: not changed, called off or carried out since."""
    plan = None
    for entry in order.timeline:
        said = entry.report.details
        if entry.report.source is not Source.PERSON or said.get("action") != action:
            continue
        done = read_done(entry.report)
        if done.result is Result.PLANNED:
            plan = done
        elif done.planned_for is not None or done.result is Result.DONE:
            plan = None
    return plan


def is_open(order: Order) -> bool:
    """Whether something is still expected of the order."""
    return order.status in OPEN


def make_report(
    request: ActionRequest,
    result: Result,
    *,
    now: datetime,
    outcome: str | None = None,
    answered: int | None = None,
    note: str | None = None,
    acknowledged: list[str] | None = None,
) -> Report:
    """The report that a person's action is on the timeline."""
    said = {
        "action": request.action,
        "action_key": request.key,
        "person": request.person,
        "result": str(result),
        "outcome": outcome,
        "answered": None if answered is None else Decimal(answered),
        "note": note,
        "planned_for": format_instant(request.planned_for) if request.planned_for else None,
        "acknowledged": acknowledged,
    }
    details = Details(**{name: value for name, value in said.items() if value is not None})  # type: ignore[typeddict-item]
    return Report(
        connection=request.order.connection,
        order_id=request.order.order_id,
        item_id=request.order.item_id,
        status=None,
        raw_status=None,
        occurred_at=now,
        seen_at=now,
        source=Source.PERSON,
        details=details,
    )


def read_done(report: Report, *, repeated: bool = False) -> ActionDone:
    """What a report of ``make_report`` says."""
    said = report.details
    planned_for, answered = said.get("planned_for"), said.get("answered")
    return ActionDone(
        action=said["action"],
        key=said["action_key"],
        person=said.get("person", ""),
        result=_read_result(said.get("result")),
        at=report.occurred_at,
        outcome=said.get("outcome"),
        answered=None if answered is None else int(answered),
        planned_for=_read_time(planned_for),
        repeated=repeated,
    )


def _read_result(text: str | None) -> Result:
    return Result(text) if text else Result.DONE


def _read_time(text: str | None) -> datetime | None:
    try:
        return parse_instant(text) if text else None
    except BadPayload:
        return None
