"""Fetches an order without contact data, because a notice to its customer waits for it."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from milepost.actions.action import NoSuchOrder, PlannedCall, ProviderDown, UnreadableAnswer
from milepost.actions.refresh import ActionContext, fetch_order, is_yes, take_in_answer

FETCH_AGAIN: Final = (timedelta(minutes=1), timedelta(minutes=2))
"""The delays of retries if the provider is unavailable. The notice waits for 5 minutes."""


def fetch_contact(call: PlannedCall, *, tools: ActionContext) -> str:
    """Fetch the order and record the provider's response; returns the outcome in a word.

    If the order already has contact data, it isn't fetched.

    :raises LostRace: when the order is too busy; run it again
    """
    try:
        order = tools.read(call.order)
        if order.details.get("customer"):
            return "known"
        response, requested_at = fetch_order(call.order, tools)
        if not is_yes(response):
            return "refused"
        take_in_answer(response, call.order, requested_at, tools)
    except NoSuchOrder:
        return "nothing"
    except UnreadableAnswer:
        return "unreadable"
    except ProviderDown:
        return _fetch_again(call, tools)
    return "fetched"


def _fetch_again(call: PlannedCall, tools: ActionContext) -> str:
    if call.attempt > len(FETCH_AGAIN):
        return "given_up"
    at = tools.clock() + FETCH_AGAIN[call.attempt - 1]
    tools.plans.put(replace(call, attempt=call.attempt + 1), at=at)
    return "put_off"
