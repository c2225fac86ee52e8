"""The next step of an open order, as a sentence for the team."""

from collections.abc import Mapping
from typing import Final

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Order
from milepost.orders.provider_stages import awaits_signature, stage_of

_STEPS: Final[Mapping[Status, str]] = {
    Status.UNKNOWN: "The provider says what the order's status is.",
    Status.PENDING: "The provider takes up the order.",
    Status.SUBMITTED: "The provider accepts or rejects the order.",
    Status.ACCEPTED: "The provider names the date.",
    Status.SCHEDULED: "The appointment takes place.",
    Status.IN_PROGRESS: "The work is completed.",
}


def next_step(order: Order, connection: Connection) -> str | None:
    """The next step, by the provider's raw status; None once the order is closed."""
    if order.status in TERMINAL:
        return None
    known = stage_of(connection.provider, order.raw_status).step
    if known is not None and order.status is not Status.SCHEDULED:
        return known
    if order.status is Status.SCHEDULED and not order.appointment:
        return "The provider names the date of the appointment."
    return _STEPS[order.status]


def who_acts(order: Order, connection: Connection) -> str | None:
    """Who has to act next, if the provider's raw status determines it."""
    if order.status in TERMINAL:
        return None
    return stage_of(connection.provider, order.raw_status).acts


def open_points(order: Order) -> list[str]:
    """The customer's open tasks, and what they still have to receive; empty for a closed order."""
    if order.status in TERMINAL:
        return []
    unpaid = [one for one in order.details.get("invoices", []) if not one.get("paid", False)]
    fees = [f"The customer pays the {_fee(one.get('kind'))}." for one in unpaid]
    code = order.details.get("authorization_code")
    if code is None or not awaits_signature(order.raw_status, order.details.get("invoices", [])):
        return fees
    said = "signs with the code they were sent" if code.get("sent") else "is sent a code to sign"
    return [*fees, f"The customer {said}."]


def _fee(kind: str | None) -> str:
    return (kind or "fee").replace("_", " ")
