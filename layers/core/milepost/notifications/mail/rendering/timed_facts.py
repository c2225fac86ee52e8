"""What mails say of what an order waits for, and of what the team is to do itself."""

from typing import Any, Final

from milepost.common.status import Status
from milepost.notifications.mail.rendering.context import Telling
from milepost.notifications.mail.rendering.fact_readers import moment_of, part, text_of
from milepost.notifications.mail.rendering.sanitize import clean
from milepost.orders.action_results import current_plan
from milepost.orders.order import Kind
from milepost.orders.reminders import is_to_complete

_CARD: Final = "credit_card"
_ABOUT_COMPLETING: Final = frozenset({Kind.OVERDUE, Kind.ESCALATED})


def timed_values(told: Telling) -> dict[str, Any]:
    """Values of templates, by name; one that isn't known is None."""
    order, words = told.order, told.words
    wait, follow_up = order.waiting, told.connection.follow_up
    waits, helps = words["waits"], words["wait_helps"]
    action = _action_to_complete(told)
    command = f"milepost actions do {told.notice.key.path_id} {action}"
    paid_by = text_of(part(told.details, "payment").get("kind"))
    return {
        "waiting": waits.get(wait.what, waits["other"]) if wait else None,
        "wait_next": helps.get(wait.what, helps["other"]) if wait else None,
        "waiting_since": told.moments.full(wait.since) if wait else None,
        "complete_line": words["completing"]["line"].format(action=action) if action else None,
        "complete_command": clean(command, 300) if action else None,
        "charge_line": words["completing"]["charge"] if action and paid_by == _CARD else None,
        "follow_up_link": follow_up.link if follow_up else None,
    }


def _action_to_complete(told: Telling) -> str | None:
    """The action by which the team is to complete the order now."""
    one, action = told.notice.announcement, text_of(told.details.get("completed_by"))
    if told.for_customer or not action or told.order.status is not Status.SCHEDULED:
        return None
    if told.details.get("fulfilment_at") or current_plan(told.order, action):
        return None
    if is_to_complete(one, told.details, told.connection):
        return clean(action, 60)
    is_past = told.moments.is_past(moment_of(told.details.get("appointment")))
    return clean(action, 60) if one.kind in _ABOUT_COMPLETING and is_past else None
