"""Template values for mails about overdue commissions, and how to mark a commission as paid."""

from typing import Any, Final

from milepost.notifications.mail.rendering.context import MailContext
from milepost.notifications.mail.rendering.sanitize import clean
from milepost.orders.order import Kind
from milepost.queries.commission import Commission
from milepost.queries.overdue_commissions import overdue_commissions

_MOST: Final = 12
"""Maximum number of months of one order that are listed."""


def commission_values(context: MailContext) -> dict[str, Any]:
    """Values of templates, by name; none for customers' mails."""
    if context.for_customer or context.notice.announcement.kind is not Kind.COMMISSION_OVERDUE:
        return {"overdue_commissions": [], "commission_command": None}
    found = _overdue(context)
    form = context.words["commissions"]["overdue"]
    lines = [
        form.format(
            amount=context.moments.amount(one.amount, one.currency),
            date=context.moments.day(one.due_on.isoformat()),
        )
        for one in found[:_MOST]
    ]
    command = f"milepost actions do {context.notice.key.path_id} commission_paid --note "
    return {
        "overdue_commissions": lines,
        "commission_command": clean(command + found[0].month, 300) if found else None,
    }


def _overdue(context: MailContext) -> tuple[Commission, ...]:
    """The commission; None if a stored fact doesn't allow it to be calculated."""
    try:
        return overdue_commissions(context.order, context.connection, now=context.moments.now)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return ()
