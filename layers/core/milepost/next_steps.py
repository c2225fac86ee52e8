"""What an open order waits for next, in a sentence for those who look after it."""

from collections.abc import Mapping
from typing import Final

from milepost.lifecycle import TERMINAL
from milepost.order import Order
from milepost.report import Status

_STEPS: Final[Mapping[Status, str]] = {
    Status.UNKNOWN: "The provider says where the order stands.",
    Status.PENDING: "The provider takes up the order.",
    Status.SUBMITTED: "The provider accepts or rejects the order.",
    Status.ACCEPTED: "The provider names the date.",
    Status.SCHEDULED: "The appointment takes place.",
    Status.IN_PROGRESS: "The work is completed.",
}


def next_step(order: Order) -> str | None:
    """What comes next; None once the order is closed."""
    if order.status in TERMINAL:
        return None
    if order.status is Status.SCHEDULED and not order.appointment:
        return "The provider names the date of the appointment."
    return _STEPS[order.status]


def open_points(order: Order) -> list[str]:
    """What the customer has to do or is to be sent before it goes on; none of a closed order."""
    if order.status in TERMINAL:
        return []
    unpaid = [one for one in order.details.get("invoices", []) if not one.get("paid", False)]
    fees = [f"The customer pays the {_fee(one.get('kind'))}." for one in unpaid]
    code = order.details.get("authorization_code")
    if code is None:
        return fees
    said = "signs with the code they were sent" if code.get("sent") else "is sent a code to sign"
    return [*fees, f"The customer {said}."]


def _fee(kind: str | None) -> str:
    return (kind or "fee").replace("_", " ")
