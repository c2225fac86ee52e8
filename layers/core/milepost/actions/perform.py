"""Runs an action on an order, in Milepost or at its provider, once for each idempotency key.

The provider is called before the timeline is written. After a crash in between, a retry with the
same key repairs the timeline: the provider knows the key and gives the same response.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from milepost.actions import action as actions
from milepost.actions.action import (
    ActionRequest,
    NoSuchOrder,
    NotAllowed,
    PlannedCall,
    ProviderDown,
    RefusedByProvider,
    find_done,
    make_report,
)
from milepost.actions.refresh import (
    ActionContext,
    ask,
    fetch_order,
    is_yes,
    look_again,
    take_in_answer,
)
from milepost.actions.request_checks import (
    check_request,
    choose_attention,
    refusal,
    require_allowed,
    require_month,
    require_text,
)
from milepost.actions.schedule import (
    BeingDone,
    drop_plan,
    find_planned,
    plan_action,
    require_not_started,
    schedule_again,
    start_before_its_time,
    start_plan,
)
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object
from milepost.orders.action_results import ActionDone, current_plan
from milepost.orders.details import Result
from milepost.orders.order import Order
from milepost.providers.base import Call, NothingToDo, ProviderAction, Response

PUT_OFF: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60))
"""The delays of retries of a planned action if the provider is unavailable; then it has failed."""
_LONGEST_PUT_OFF: Final = timedelta(hours=6)
OFF: Final = "off"
"""The value of ``notices`` with which a refresh notifies nobody."""


def perform(request: ActionRequest, *, tools: ActionContext) -> ActionDone:
    """Run an action now, or plan it if the request has a time.

    :raises NoSuchOrder: when there is no such order
    :raises UnknownAction: when the provider has no such action
    :raises BadArgument: when an argument is invalid
    :raises KeyReused: when the key was used for something else
    :raises NotAllowed: when the order's status doesn't allow it
    :raises RefusedByProvider: when the provider refuses, with its message; this is recorded too
    :raises ProviderDown: when the provider is unavailable
    :raises UnreadableAnswer: when the response to a refresh can't be read
    :raises LostRace: after too many concurrent writes; retry with the same key
    """
    provider = tools.conversation.provider
    check_request(request, provider, now=tools.clock())
    order = tools.read(request.order)
    if known := find_done(order, request):
        if known.result is Result.REFUSED:
            raise RefusedByProvider(known)
        if known.result is Result.PLANNED:
            schedule_again(known, request, order, tools)
        return known
    require_allowed(order, request.action, provider)
    require_not_started(order, request.action, tools, by=request.key)
    if request.planned_for is not None:
        return plan_action(request, order, at=request.planned_for, tools=tools)
    return _do(request, order, tools)


def run_planned(call: PlannedCall, *, tools: ActionContext) -> ActionDone | None:
    """Run a planned action that is due; the result is on the timeline.

    None when nothing was done: the plan was changed or called off; or it is tried again later, as
    the provider is down, or a person is having it done just now.

    :raises LostRace: when the order is too busy; run it again
    """
    try:
        order = tools.read(call.order)
    except NoSuchOrder:
        return None
    request = find_planned(call, order)
    return None if request is None else _run(call, request, order, tools)


def close_planned(call: PlannedCall, *, why: str, tools: ActionContext) -> ActionDone | None:
    """Close a plan that can no longer run; the timeline shows it as failed.

    None if its order is gone, or the plan was changed or called off.

    :param why: in words
    :raises LostRace: when the order is too busy; run it again
    """
    try:
        request = find_planned(call, tools.read(call.order))
    except NoSuchOrder:
        return None
    if request is None:
        return None
    return tools.keep(make_report(request, Result.FAILED, now=tools.clock(), outcome=why))


def _run(
    call: PlannedCall, request: ActionRequest, order: Order, tools: ActionContext
) -> ActionDone | None:
    try:
        require_allowed(order, call.action, tools.conversation.provider)
        if not start_plan(call, request, tools=tools):
            return None
        return _ask_provider(request, _make_call(request, order, tools), tools)
    except BeingDone as being:
        # The result is not known yet: if there is none, the plan is still valid.
        tools.plans.put(replace(call, attempt=call.attempt + 1), at=being.until)
        return None
    except NotAllowed as no:
        return tools.keep(make_report(request, Result.REFUSED, now=tools.clock(), outcome=str(no)))
    except RefusedByProvider as no:
        return no.done
    except ProviderDown as down:
        return _put_off(call, request, down, tools)


def _put_off(
    call: PlannedCall, request: ActionRequest, down: ProviderDown, tools: ActionContext
) -> ActionDone | None:
    if call.attempt > len(PUT_OFF):
        report = make_report(request, Result.FAILED, now=tools.clock(), outcome=str(down))
        return tools.keep(report)
    wait = max(PUT_OFF[call.attempt - 1], down.retry_after or timedelta(0))
    later = tools.clock() + min(wait, _LONGEST_PUT_OFF)
    tools.plans.put(replace(call, attempt=call.attempt + 1), at=later)
    return None


def _do(request: ActionRequest, order: Order, tools: ActionContext) -> ActionDone:
    match request.action:
        case actions.NOTE:
            require_text(request)
            return _keep(request, tools)
        case actions.COMMISSION_PAID:
            require_month(request)
            return _keep(request, tools)
        case actions.ACKNOWLEDGE:
            return _acknowledge(request, order, tools)
        case actions.REFRESH:
            return _refresh(request, tools)
    call, plan = _make_call(request, order, tools), current_plan(order, request.action)
    if plan is not None:
        # Its time may come while the provider is called.
        start_before_its_time(request, plan, tools=tools)
    done = _ask_provider(request, call, tools)
    if plan is not None:
        drop_plan(plan, request.order, tools=tools)
    return done


def _acknowledge(request: ActionRequest, order: Order, tools: ActionContext) -> ActionDone:
    try:
        ids = choose_attention(order, request.arguments.get("attention"))
    except NothingToDo as nothing:
        raise refusal(order, tools.conversation.provider, f"Nothing to do: {nothing}") from None
    return _keep(request, tools, acknowledged=ids)


def _keep(
    request: ActionRequest, tools: ActionContext, *, acknowledged: list[str] | None = None
) -> ActionDone:
    """Record an action that is done by recording it."""
    report = make_report(request, Result.DONE, now=tools.clock(), acknowledged=acknowledged)
    return tools.keep_requested(request, report)


def _make_call(request: ActionRequest, order: Order, tools: ActionContext) -> Call:
    provider = tools.conversation.provider
    try:
        return provider.actions[request.action].make_call(order, request.arguments)
    except NothingToDo as nothing:
        raise refusal(order, provider, f"{request.action} is not possible: {nothing}") from None


def _ask_provider(request: ActionRequest, call: Call, tools: ActionContext) -> ActionDone:
    action = tools.conversation.provider.actions[request.action]
    response = ask(lambda: tools.conversation.call(call, key=request.key), tools)
    if not is_yes(response):
        done = _keep_refusal(request, response, tools)
        # The provider knows of the order what we don't: else we wouldn't have asked.
        look_again(request.order, tools)
        raise RefusedByProvider(done)
    outcome = _outcome(action, response)
    done = tools.keep(make_report(request, Result.DONE, now=tools.clock(), outcome=outcome))
    look_again(request.order, tools)
    return done


def _refresh(request: ActionRequest, tools: ActionContext) -> ActionDone:
    response, requested_at = fetch_order(request.order, tools)
    if not is_yes(response):
        raise RefusedByProvider(_keep_refusal(request, response, tools))
    announce = request.arguments.get("notices") != OFF
    changed = take_in_answer(response, request.order, requested_at, tools, announce=announce)
    outcome = "something new was recorded" if changed else "nothing new"
    return tools.keep(make_report(request, Result.DONE, now=tools.clock(), outcome=outcome))


def _keep_refusal(request: ActionRequest, response: Response, tools: ActionContext) -> ActionDone:
    words = _words(response, tools) or f"it answered {response.status} without saying why"
    return tools.keep(
        make_report(
            request,
            Result.REFUSED,
            now=tools.clock(),
            outcome=words,
            answered=response.status,
        )
    )


def _words(response: Response, tools: ActionContext) -> str | None:
    try:
        return tools.conversation.provider.read_refusal(read_object(response.body))
    except BadPayload:
        return None


def _outcome(action: ProviderAction, response: Response) -> str:
    try:
        return action.read_outcome(read_object(response.body))
    except BadPayload:
        # The provider accepted, in a form from which no details can be read.
        return "done"
