"""Spirii's actions on an order: fulfil, cancel, send mails again."""

from collections.abc import Callable, Mapping
from typing import Final

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.orders.lifecycle import OPEN
from milepost.orders.order import Order as TrackedOrder
from milepost.providers.base import Call, Json, ProviderAction, say_done
from milepost.providers.envelopes import one_segment
from milepost.providers.payload_types import MaybeFlag, MaybeInstant, Shape, Text, read_shape

FULFILL: Final = "fulfill"
"""The action that completes an order once the charge box is activated."""


class Email(Shape):
    type: Text = None
    sent: MaybeFlag = None
    sent_at: MaybeInstant = None
    not_sent_reason: Text = None


def _charge(details: Details) -> str | None:
    """The amount that fulfilment charges to the customer's card."""
    payment = details.get("payment", {})
    if payment.get("kind") != "credit_card" or payment.get("status") == "captured":
        return None
    said = (payment.get("amount"), payment.get("currency"))
    return " ".join(str(one) for one in said if one is not None) or "the amount of the order"


def path_of(order_id: str, action: str = "") -> str:
    return f"/v2/orders/{one_segment(order_id)}{action and '/'}{action}"


def _call(action: str) -> Callable[[TrackedOrder, Json], Call]:
    def make(order: TrackedOrder, arguments: Json) -> Call:
        return Call(
            method="POST", path=path_of(order.key.order_id, action), body=dict(arguments) or None
        )

    return make


class ResentData(Shape):
    email: Email


class Resent(Shape):
    data: ResentData


def _whether_sent(body: Json) -> str:
    """Whether the mail was sent, if the response says it. A mail that is not active for the
    onboarding flow is no error: the response says why."""
    email = read_shape(Resent, body).data.email
    if email.sent is None:
        return say_done(body)
    if email.sent:
        return "sent"
    return f"not sent: {email.not_sent_reason or 'the provider gives no reason'}"


ACTIONS: Final[Mapping[str, ProviderAction]] = {
    FULFILL: ProviderAction(
        statuses=OPEN,
        make_call=_call("fulfill"),
        charge=_charge,
        can_be_planned=True,
        is_final=True,
    ),
    "cancel": ProviderAction(
        statuses=OPEN, make_call=_call("cancel"), arguments=frozenset({"reason"}), is_final=True
    ),
    "resend_confirmation": ProviderAction(
        statuses=OPEN | {Status.COMPLETED},
        make_call=_call("resend-confirmation"),
        read_outcome=_whether_sent,
    ),
    "initiate_installation": ProviderAction(
        statuses=OPEN, make_call=_call("initiate-installation"), is_final=True
    ),
}
"""Source: Spirii's guide for staff: Fulfill Order, Cancel Order, Resend Order Confirmation,
Initiate Installation. The project defined that fulfilled and cancelled orders refuse them, and that
a confirmation can be sent for all orders except cancelled ones (docs/providers/spirii.md)."""
