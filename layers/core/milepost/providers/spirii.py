"""Spirii Business: orders for EV charge boxes. Webhooks and polling.

Source of statuses, signature, paging envelope, rate limits and staff actions: Spirii's public
documentation. The project defined orders, events and their paths; see docs/providers/spirii.md.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from milepost.common.causes import cause_of
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.order import Attention
from milepost.orders.provider_rules import Rules
from milepost.providers.base import (
    PageRequest,
    ProviderAction,
)
from milepost.providers.completeness import check_contact
from milepost.providers.detail_parts import (
    Address,
    Customer,
    address_details,
    customer_details,
    instant_text,
    present,
    present_part,
)
from milepost.providers.listing import DeclaredList
from milepost.providers.payload_types import MaybeAmount, MaybeInstant, Parts, Shape, Text, Word
from milepost.providers.spirii_actions import ACTIONS, FULFILL, Email, path_of
from milepost.providers.status_words import StatusTable
from milepost.providers.whole_orders import WholeOrder, WholeOrders
from milepost.webhooks.signature_schemes import SPIRII

STATUSES: Final = StatusTable(
    {
        "Pending": Status.PENDING,
        "Scheduled": Status.SCHEDULED,
        "Fulfilled": Status.COMPLETED,
        "Cancelled": Status.CANCELLED,
    }
)


LIST: Final = DeclaredList(
    {
        "path": "/v2/orders",
        "items": "data",
        "pages": {
            "kind": "cursor",
            "parameter": "cursor",
            "next": "pagination.next_cursor",
            "has_more": "pagination.has_more",
        },
        "page_size": {"parameter": "limit", "most": 100},
        "since": {"parameter": "updated_since"},
    },
    changed_at="updated_at",
)
"""Source: Spirii's documentation of pagination: ``limit`` is 100 at most."""
_NOT_PAID: Final = frozenset({"failed", "declined"})
"""Statuses of a failed payment; the project defined these words."""


class Product(Shape):
    id: Text = None
    name: Text = None


class ChargeBox(Shape):
    serial_number: Text = None
    model: Text = None


class Payment(Shape):
    kind: Text = None
    status: Text = None
    amount: MaybeAmount = None
    currency: Text = None


class Installation(Shape):
    partner: Text = None
    initiated_at: MaybeInstant = None


class Order(WholeOrder):
    status: Word
    status_changed_at: MaybeInstant = None
    created_at: MaybeInstant = None
    order_number: Text = None
    customer: Customer | None = None
    address: Address | None = None
    service_type: Text = None
    product: Product | None = None
    onboarding_flow: Product | None = None
    charge_box: ChargeBox | None = None
    payment: Payment | None = None
    activation_appointment: MaybeInstant = None
    fulfilment_scheduled_for: MaybeInstant = None
    cancellation_reason: Text = None
    installation: Installation | None = None
    emails: Parts[Email] = Field(default_factory=list)


class Spirii(WholeOrders[Order]):
    """The adapter."""

    name = "spirii"
    shape = Order
    event_path = ("data", "order")
    statuses = STATUSES
    order_list = LIST
    service_types = frozenset({"ev_charging"})
    credential_name = "api_key"
    signature_scheme: str | None = SPIRII
    pages_can_shift = False

    @property
    def rules(self) -> Rules:
        return Rules(
            examine=examine, examine_closed=examine_closed, read_status=STATUSES.read_status
        )

    def raw_status(self, said: Order) -> tuple[str, datetime | None]:
        return said.status, said.status_changed_at

    def details(self, said: Order, connection: Connection) -> Details:
        return _details(said, connection)

    def order_request(self, order_id: str) -> PageRequest:
        return PageRequest(path_of(order_id))

    @property
    def actions(self) -> Mapping[str, ProviderAction]:
        return ACTIONS


def _details(said: Order, connection: Connection) -> Details:
    product = said.product or Product()
    flow, box = said.onboarding_flow or Product(), said.charge_box or ChargeBox()
    installation = said.installation or Installation()
    return present(
        reference=said.order_number,
        ordered_at=instant_text(said.created_at),
        customer=customer_details(said.customer),
        address=address_details(said.address),
        service_type=said.service_type or connection.service_type or "ev_charging",
        offer=present_part(id=product.id, name=product.name),
        onboarding_flow=flow.name or flow.id,
        charge_box=present_part(serial_number=box.serial_number, model=box.model),
        payment=_payment(said.payment),
        appointment=instant_text(said.activation_appointment),
        fulfilment_at=instant_text(said.fulfilment_scheduled_for),
        completed_by=FULFILL,
        installer=present_part(
            kind="installation_partner" if installation.partner else None, name=installation.partner
        ),
        installation_initiated_at=instant_text(installation.initiated_at),
        emails=[_email(one) for one in said.emails],
        reason=said.cancellation_reason,
        cause=cause_of(said.cancellation_reason, connection.causes),
        unread=said.unread,
    )


def examine(_status: Status, details: Details) -> Iterable[Attention]:
    """Obstacles to activation: an invalid email address, and mails that the provider didn't
    send."""
    yield from check_contact(details)
    for email in details.get("emails", []):
        if email.get("sent") is False:
            why = email.get("not_sent_reason") or "the provider gives no reason"
            kind = email.get("type", "provider's").replace("_", " ")
            yield Attention("email_not_sent", f"The {kind} mail was not sent: {why}.")

    yield from _failed_payment(details)


def examine_closed(status: Status, details: Details) -> Iterable[Attention]:
    """A failed payment of a fulfilled order: the order is complete, but not paid.

    Source: Spirii's guide for staff: a payment by credit card is processed on fulfilment.
    """
    if status is Status.COMPLETED:
        yield from _failed_payment(details)


def _failed_payment(details: Details) -> Iterable[Attention]:
    if details.get("payment", {}).get("status", "").casefold() in _NOT_PAID:
        yield Attention(
            "payment_failed",
            "The customer's payment failed. Agree on another way to pay with the customer, and "
            "look at the provider's own page.",
        )


def _payment(said: Payment | None) -> dict[str, Any]:
    if said is None:
        return {}
    return present_part(
        kind=said.kind, status=said.status, amount=said.amount, currency=said.currency
    )


def _email(said: Email) -> dict[str, Any]:
    return present_part(
        type=said.type,
        sent=said.sent,
        sent_at=instant_text(said.sent_at),
        not_sent_reason=said.not_sent_reason,
    )
