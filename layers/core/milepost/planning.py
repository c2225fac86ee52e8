"""Planning an action for later, and calling it off before its time has come."""

from dataclasses import replace
from datetime import datetime

from milepost.actions import (
    ActionDone,
    ActionRequest,
    PlannedCall,
    Result,
    current_plan,
    find_done,
    make_report,
)
from milepost.order import Order, OrderKey
from milepost.permitting import check_request, refusal
from milepost.refreshing import Tools


def plan_action(request: ActionRequest, order: Order, *, at: datetime, tools: Tools) -> ActionDone:
    """Plan it, in place of what was planned before."""
    before = current_plan(order, request.action)
    # The schedule first, under a name of its own: after a crash the plan before still holds, and
    # one that is not on the timeline does nothing when it fires.
    call = PlannedCall(order=request.order, action=request.action, key=request.key)
    tools.plans.put(call, at=at)
    done = tools.keep(make_report(request, Result.PLANNED, now=tools.clock()))
    if before is not None:
        drop_plan(before, request.order, tools=tools)
    return done


def drop_plan(plan: ActionDone, order: OrderKey, *, tools: Tools) -> None:
    """Take back the schedule of a plan that no longer holds."""
    tools.plans.drop(PlannedCall(order=order, action=plan.action, key=plan.key))


def call_off(request: ActionRequest, *, tools: Tools) -> ActionDone:
    """Call off what was planned: the request names the action, and has a key of its own.

    :raises NoSuchOrder: when there is no such order
    :raises UnknownAction: when the provider has no such action
    :raises BadArgument: when the key is not one
    :raises KeyReused: when the key was used for something else
    :raises NotAllowed: when nothing is planned
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
    # Recorded first: a schedule that still fires finds that its plan no longer holds.
    of_plan = replace(request, planned_for=plan.planned_for)
    done = tools.keep(make_report(of_plan, Result.CALLED_OFF, now=tools.clock()))
    drop_plan(plan, request.order, tools=tools)
    return done
