"""Template values for mails about waiting orders, and about what the team should do."""

from typing import Any, Final

from milepost.common.status import Status
from milepost.notifications.mail.rendering.context import MailContext
from milepost.notifications.mail.rendering.fact_readers import moment_of, part, text_of
from milepost.notifications.mail.rendering.sanitize import clean
from milepost.orders.action_results import completion_planned_for
from milepost.orders.order import Kind
from milepost.orders.reminders import is_to_complete

_CARD: Final = "credit_card"
_ABOUT_COMPLETING: Final = frozenset({Kind.OVERDUE, Kind.ESCALATED})


def timed_values(context: MailContext) -> dict[str, Any]:
    """Values of templates, by name; an unknown value is None."""
    order, words = context.order, context.words
    wait, follow_up = order.waiting, context.connection.follow_up
    waits, helps = words["waits"], words["wait_helps"]
    action = _action_to_complete(context)
    command = f"milepost actions do {context.notice.key.path_id} {action}"
    paid_by = text_of(part(context.details, "payment").get("kind"))
    return {
        "waiting": waits.get(wait.what, waits["other"]) if wait else None,
        "wait_next": helps.get(wait.what, helps["other"]) if wait else None,
        "waiting_since": context.moments.full(wait.since) if wait else None,
        "complete_line": words["completing"]["line"].format(action=action) if action else None,
        "complete_command": clean(command, 300) if action else None,
        "charge_line": words["completing"]["charge"] if action and paid_by == _CARD else None,
        "follow_up_link": follow_up.link if follow_up else None,
    }


def _action_to_complete(context: MailContext) -> str | None:
    """The action by which the team should complete the order now."""
    one, action = context.notice.announcement, text_of(context.details.get("completed_by"))
    if context.for_customer or not action or context.order.status is not Status.SCHEDULED:
        return None
    if completion_planned_for(context.order):
        return None
    if is_to_complete(one, context.details, context.connection):
        return clean(action, 60)
    is_past = context.moments.is_past(moment_of(context.details.get("appointment")))
    return clean(action, 60) if one.kind in _ABOUT_COMPLETING and is_past else None
