"""Plans an action for later, cancels it before it starts, and starts it at its time.

Whoever starts a plan and whoever calls it off or changes it decide on the same version of the
order: the first to write wins, and the other one gets an error.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from milepost.actions.action import (
    ActionRequest,
    NoSuchOrder,
    PlannedCall,
    find_done,
    last_start,
    make_report,
    run_key,
    start_key,
)
from milepost.actions.refresh import ActionContext
from milepost.actions.request_checks import check_request, refusal, require_allowed
from milepost.common.timestamps import format_instant
from milepost.orders.action_results import ActionDone, current_plan
from milepost.orders.details import Result
from milepost.orders.order import Order, OrderKey
from milepost.orders.recording import RecordOutcome

SOONEST: Final = timedelta(seconds=5)
"""How far ahead a schedule is at least: one whose time is past when it is made may never fire."""
RUN_WITHIN: Final = timedelta(seconds=90)
"""How long a plan that was started counts as being carried out: longer than the function that does
it may run. A test holds the template to it."""


def plan_action(
    request: ActionRequest, order: Order, *, at: datetime, tools: ActionContext
) -> ActionDone:
    """Plan the action, replacing an earlier plan."""
    provider, before = tools.conversation.provider, current_plan(order, request.action)

    def require_as_before(order: Order) -> None:
        require_allowed(order, request.action, provider)
        require_not_started(order, request.action, tools)
        if before is not None and current_plan(order, request.action) is None:
            # It was carried out, or called off.
            raise refusal(order, provider, _changed(request.action))

    # The plan first: a schedule that fires before its plan is on the timeline would do nothing, and
    # the plan would stay for ever. After a crash in between, the same key makes the schedule.
    plan = make_report(request, Result.PLANNED, now=tools.clock())
    done = tools.keep_requested(request, plan, require=require_as_before)
    _schedule(request, at, tools)
    if before is not None:
        drop_plan(before, request.order, tools=tools)
    return done


def schedule_again(
    known: ActionDone, request: ActionRequest, order: Order, tools: ActionContext
) -> None:
    """Create the schedule of a plan that was stored earlier, in case that was interrupted.
    Repeating this has no effect."""
    plan = current_plan(order, request.action)
    if plan is not None and plan.key == known.key and plan.planned_for is not None:
        _schedule(request, plan.planned_for, tools)


def _schedule(request: ActionRequest, at: datetime, tools: ActionContext) -> None:
    call = PlannedCall(order=request.order, action=request.action, key=request.key)
    tools.plans.put(call, at=max(at, tools.clock() + SOONEST))


def drop_plan(plan: ActionDone, order: OrderKey, *, tools: ActionContext) -> None:
    """Delete the schedule of a plan that is no longer valid."""
    tools.plans.drop(PlannedCall(order=order, action=plan.action, key=plan.key))


def call_off(request: ActionRequest, *, tools: ActionContext) -> ActionDone:
    """Cancel a planned action: the request names the action, and has a key of its own.

    :raises NoSuchOrder: when there is no such order
    :raises UnknownAction: when the provider has no such action
    :raises BadArgument: when the key is not one
    :raises KeyReused: when the key was used for something else
    :raises NotAllowed: when nothing is planned, or it is being carried out
    :raises LostRace: when the order is too busy; ask again with the same key
    """
    provider = tools.conversation.provider
    check_request(request, provider, now=tools.clock())
    order = tools.read(request.order)
    if known := find_done(order, request, calls_off=True):
        return known
    plan = current_plan(order, request.action)
    if plan is None:
        raise refusal(order, provider, f"No {request.action} is planned for this order")

    def require_same_plan(order: Order) -> None:
        _require_same_plan(order, plan, tools)
        require_not_started(order, request.action, tools)

    # Recorded first, so that a schedule that still fires finds that its plan isn't valid any more.
    of_plan = replace(request, planned_for=plan.planned_for)
    end = make_report(of_plan, Result.CALLED_OFF, now=tools.clock())
    done = tools.keep_requested(request, end, require=require_same_plan)
    drop_plan(plan, request.order, tools=tools)
    return done


def find_planned(call: PlannedCall, order: Order) -> ActionRequest | None:
    """The action of a schedule; None if its plan is no longer valid."""
    plan = current_plan(order, call.action)
    if plan is None or plan.key != call.key:
        return None
    # By every try with the same key, so that the provider does it once.
    return ActionRequest(
        order=call.order,
        action=call.action,
        key=run_key(call.key),
        person=plan.person,
        planned_for=plan.planned_for,
    )


def start_plan(call: PlannedCall, request: ActionRequest, *, tools: ActionContext) -> bool:
    """Record that a plan is being carried out, before its provider is called.

    :param request: as ``find_planned`` gives it
    :returns: False when the plan holds no longer
    :raises BeingDone: while a person has it done before its time
    :raises LostRace: when the order is too busy; run it again
    """
    now = tools.clock()
    start = replace(request, key=start_key(call.key, at=now))

    def require_plan(order: Order) -> None:
        plan = current_plan(order, call.action)
        if plan is None or plan.key != call.key:
            raise _HoldsNoLonger
        before = last_start(order, plan)
        if before is not None and before.by is not None and now < before.at + RUN_WITHIN:
            raise BeingDone(before.at + RUN_WITHIN)

    try:
        report = make_report(start, Result.STARTED, now=now)
        outcome = tools.take_in(report, require=require_plan)
    except _HoldsNoLonger:
        return False
    return outcome is not RecordOutcome.ERASED


class _HoldsNoLonger(Exception):
    """The plan was changed, cancelled or carried out since it was read."""


class BeingDone(Exception):
    """A person is running it early; ``until`` is when that ends at the latest."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


def start_before_its_time(
    request: ActionRequest, plan: ActionDone, *, tools: ActionContext
) -> None:
    """Record that a person runs a plan now, before its provider is called.

    :raises NoSuchOrder: when its customer was erased meanwhile
    :raises NotAllowed: when the plan was changed meanwhile, or is being carried out
    :raises LostRace: when the order is too busy; ask again with the same key
    """
    now = tools.clock()
    start = replace(
        request, key=start_key(plan.key, at=now, by=request.key), arguments={}, planned_for=None
    )

    def require_plan(order: Order) -> None:
        _require_same_plan(order, plan, tools)
        require_not_started(order, request.action, tools, by=request.key)

    outcome = tools.take_in(make_report(start, Result.STARTED, now=now), require=require_plan)
    if outcome is RecordOutcome.ERASED:
        raise NoSuchOrder(f"the customer of order {request.order.path_id} was erased")


def _require_same_plan(order: Order, plan: ActionDone, tools: ActionContext) -> None:
    now_planned = current_plan(order, plan.action)
    if now_planned is None or now_planned.key != plan.key:
        raise refusal(order, tools.conversation.provider, _changed(plan.action))


def _changed(action: str) -> str:
    return f"The plan of {action} was changed meanwhile"


def require_not_started(
    order: Order, action: str, tools: ActionContext, *, by: str | None = None
) -> None:
    """:param by: the key of a request, so that a repetition isn't blocked by its own start

    :raises NotAllowed: while what is planned of this action is being carried out
    """
    plan = current_plan(order, action)
    start = None if plan is None else last_start(order, plan)
    if start is None or (start.by is not None and start.by == by):
        return
    if tools.clock() < start.at + RUN_WITHIN:
        why = f"It is too late: the planned {action} has been started at {format_instant(start.at)}"
        raise refusal(order, tools.conversation.provider, f"{why}. Look at the order in a minute")
