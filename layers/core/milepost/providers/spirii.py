"""Spirii Business: orders for EV charge boxes. Webhooks and polling.

Source of statuses, signature, paging envelope, rate limits and staff actions: Spirii's public
documentation. Orders, events and their paths are the project's own; docs/providers/spirii.md.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from milepost.common.causes import cause_of
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.lifecycle import OPEN, Rules
from milepost.orders.order import Attention
from milepost.orders.order import Order as TrackedOrder
from milepost.orders.report import Report, Source
from milepost.providers.base import (
    BrokenPage,
    Call,
    Http,
    Json,
    Page,
    PageRequest,
    ProviderAction,
    SignIn,
)
from milepost.providers.completeness import check_contact
from milepost.providers.payload_types import (
    Address,
    Customer,
    Id,
    Instant,
    MaybeAmount,
    MaybeFlag,
    MaybeInstant,
    Parts,
    Shape,
    Text,
    Word,
    address_details,
    bearer,
    credential,
    customer_details,
    instant_text,
    made_at,
    newest_change,
    object_in,
    one_segment,
    orders_on,
    payload_in,
    present,
    present_part,
    read_shape,
    words_in,
)
from milepost.providers.status_words import ByStatusWord
from milepost.webhooks.signatures import SPIRII

STATUSES: Final = ByStatusWord(
    {
        "Pending": Status.PENDING,
        "Scheduled": Status.SCHEDULED,
        "Fulfilled": Status.COMPLETED,
        "Cancelled": Status.CANCELLED,
    }
)


FULFILL: Final = "fulfill"
"""The action by which the team completes an order once the charge box is activated."""
_NOT_PAID: Final = frozenset({"failed", "declined"})
"""Statuses of a payment that failed; the words are the project's own."""


def status_of(raw_status: str, _details: Details) -> Status | None:
    """The canonical status of Spirii's."""
    return STATUSES.get(raw_status)


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


class Email(Shape):
    type: Text = None
    sent: MaybeFlag = None
    sent_at: MaybeInstant = None
    not_sent_reason: Text = None


class Order(Shape):
    id: Id
    status: Word
    updated_at: Instant
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


class Spirii:
    """The adapter."""

    name = "spirii"

    @property
    def rules(self) -> Rules:
        return Rules(examine=examine, examine_closed=examine_closed, read_status=status_of)

    signature_scheme: str | None = SPIRII
    orders_path: tuple[str, ...] = ("data",)
    change_field: str | None = "updated_at"
    pages_can_shift = False

    def read_event(self, event: Json, *, connection: Connection, seen_at: datetime) -> list[Report]:
        """The report of the order that the event carries whole."""
        order = read_shape(Order, payload_in(event, "data", "order"))
        made = made_at(event, seen_at=seen_at)
        return [_report(order, connection, seen_at, Source.WEBHOOK, made)]

    def read_order(
        self, order: Json, *, connection: Connection, requested_at: datetime
    ) -> list[Report]:
        """The one report of an order."""
        said = read_shape(Order, order)
        return [_report(said, connection, requested_at, Source.POLL, requested_at)]

    def split_order(self, order: Json) -> list[Json]:
        """None: an order is tracked as a whole."""
        return []

    def first_page(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        query = {"limit": str(connection.page_size)}
        if changed_since:
            query["updated_since"] = format_instant(changed_since)
        return PageRequest("/v2/orders", query)

    def read_page(self, body: Json, *, request: PageRequest) -> Page:
        orders, paging = orders_on(body, "data"), body.get("pagination")
        if not isinstance(paging, dict) or not isinstance(paging.get("has_more"), bool):
            raise BrokenPage("the page doesn't say whether there are more (pagination.has_more)")
        following = None
        if paging["has_more"]:
            cursor = paging.get("next_cursor")
            if not isinstance(cursor, str):
                raise BrokenPage("the page says that there are more, but not where (next_cursor)")
            following = PageRequest(request.path, {**request.query, "cursor": cursor})
        return Page(
            orders=orders, next=following, newest_change=newest_change(orders, "updated_at")
        )

    def order_request(self, order_id: str) -> PageRequest:
        return PageRequest(_path(order_id))

    def read_one(self, body: Json) -> Json:
        return object_in(body, "data")

    @property
    def actions(self) -> Mapping[str, ProviderAction]:
        return ACTIONS

    def read_refusal(self, body: Json) -> str | None:
        return words_in(body, "error", "message")

    def sign_in(
        self, connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
    ) -> SignIn:
        return SignIn(bearer(credential(connection, credentials, "api_key")))


def _report(
    said: Order, connection: Connection, seen_at: datetime, source: Source, snapshot_at: datetime
) -> Report:
    """Dated by the last change of anything: a moved appointment is news within one status."""
    return Report(
        connection=connection.id,
        order_id=said.id,
        item_id=said.id,
        status=STATUSES.get(said.status),
        raw_status=said.status,
        occurred_at=max(filter(None, (said.status_changed_at, said.updated_at))),
        status_since=said.status_changed_at,
        seen_at=seen_at,
        source=source,
        snapshot_at=snapshot_at,
        details=_details(said, connection),
    )


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
    """What hinders activation: mails that can't arrive, and the provider's that weren't sent."""
    yield from check_contact(details)
    for email in details.get("emails", []):
        if email.get("sent") is False:
            why = email.get("not_sent_reason") or "the provider gives no reason"
            kind = email.get("type", "provider's").replace("_", " ")
            yield Attention("email_not_sent", f"The {kind} mail was not sent: {why}.")

    yield from _failed_payment(details)


def examine_closed(status: Status, details: Details) -> Iterable[Attention]:
    """A payment that failed on a fulfilled order: it is complete, and not paid for.

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


def _charge(details: Details) -> str | None:
    """The amount that fulfilment charges the customer's card."""
    payment = details.get("payment", {})
    if payment.get("kind") != "credit_card" or payment.get("status") == "captured":
        return None
    said = (payment.get("amount"), payment.get("currency"))
    return " ".join(str(one) for one in said if one is not None) or "the amount of the order"


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


def _path(order_id: str, action: str = "") -> str:
    return f"/v2/orders/{one_segment(order_id)}{action and '/'}{action}"


def _call(action: str) -> Callable[[TrackedOrder, Json], Call]:
    def make(order: TrackedOrder, arguments: Json) -> Call:
        return Call(
            method="POST", path=_path(order.key.order_id, action), body=dict(arguments) or None
        )

    return make


class ResentData(Shape):
    email: Email


class Resent(Shape):
    data: ResentData


def _whether_sent(body: Json) -> str:
    """A mail that is not active for the onboarding flow is no error: the answer says why."""
    email = read_shape(Resent, body).data.email
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
Initiate Installation. That fulfilled and cancelled orders refuse them, and that a confirmation can
be sent for all but cancelled ones, is the project's own (docs/providers/spirii.md)."""
