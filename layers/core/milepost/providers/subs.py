"""SUBS: service requests of an electricity distributor. Polling and webhooks.

Source of the six milestones, the invoices, the authorization code and the kinds of installer: the
SUBS staff guide. The project defined the whole interface; see docs/providers/subs.md.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from milepost.common.causes import cause_of
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.details import Invoice as Fee
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
from milepost.providers.envelopes import one_segment
from milepost.providers.listing import DeclaredList
from milepost.providers.payload_types import (
    Id,
    Kind,
    MaybeAmount,
    MaybeDay,
    MaybeFlag,
    MaybeInstant,
    Parts,
    Shape,
    Text,
    Word,
)
from milepost.providers.status_words import StatusTable
from milepost.providers.subs_actions import ACTIONS
from milepost.providers.whole_orders import WholeOrder, WholeOrders
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS

STATUSES: Final = StatusTable(
    {
        "Application Fee Generated": Status.PENDING,
        "Inspection Initiated": Status.SUBMITTED,
        "Inspection Failed": Status.REJECTED,
        "Contract Generated": Status.ACCEPTED,
        "Connection Fee Generated": Status.ACCEPTED,
        "Installation Initiated": Status.IN_PROGRESS,
        "Completed": Status.COMPLETED,
    }
)

LIST: Final = DeclaredList(
    {
        "path": "/service-requests",
        "items": "data",
        "pages": {"kind": "number", "parameter": "page", "pages": "last_page"},
        "page_size": {"parameter": "per_page", "most": 10_000},
        "since": {"parameter": "updated_since"},
    },
    changed_at="updated_at",
)


class Invoice(Shape):
    id: Id
    number: Text = None
    kind: Kind = None
    amount: MaybeAmount = None
    currency: Text = None
    paid: MaybeFlag = None
    paid_at: MaybeInstant = None
    due_on: MaybeDay = None


class AuthorizationCode(Shape):
    """Whether a code was sent. There is no field for the code itself, so that it is never read."""

    sent: MaybeFlag = None
    sent_at: MaybeInstant = None


class Installer(Shape):
    kind: Kind = None
    name: Text = None


class ServiceRequest(WholeOrder):
    milestone: Word
    milestone_at: MaybeInstant = None
    created_at: MaybeInstant = None
    reference: Text = None
    reason: Text = None
    customer: Customer | None = None
    address: Address | None = None
    service_type: Text = None
    installation_type: Text = None
    meter_phase: Text = None
    invoices: Parts[Invoice] = Field(default_factory=list)
    authorization_code: AuthorizationCode | None = None
    installer: Installer | None = None
    spn: Text = None
    meter_number: Text = None
    account_number: Text = None


class Subs(WholeOrders[ServiceRequest]):
    """The adapter."""

    name = "subs"
    shape = ServiceRequest
    event_path = ("data", "service_request")
    statuses = STATUSES
    order_list = LIST
    service_types = frozenset({"grid_connection", "new_connection"})
    credential_name = "token"
    signature_scheme: str | None = STANDARD_WEBHOOKS
    pages_can_shift = True

    @property
    def rules(self) -> Rules:
        return Rules(examine=examine, waits=waits, read_status=STATUSES.read_status)

    def raw_status(self, said: ServiceRequest) -> tuple[str, datetime | None]:
        return said.milestone, said.milestone_at

    def details(self, said: ServiceRequest, connection: Connection) -> Details:
        return _details(said, connection)

    def order_request(self, order_id: str) -> PageRequest:
        return PageRequest(f"/service-requests/{one_segment(order_id)}")

    @property
    def actions(self) -> Mapping[str, ProviderAction]:
        return ACTIONS


def _details(said: ServiceRequest, connection: Connection) -> Details:
    installer = said.installer or Installer()
    return present(
        reference=said.reference,
        ordered_at=instant_text(said.created_at),
        customer=customer_details(said.customer),
        address=address_details(said.address),
        service_type=said.service_type or connection.service_type or "grid_connection",
        reason=said.reason,
        cause=cause_of(said.reason, connection.causes),
        invoices=[_invoice(one) for one in said.invoices],
        authorization_code=_authorization_code(said.authorization_code),
        installer=present_part(kind=installer.kind, name=installer.name),
        installation_type=said.installation_type,
        meter_phase=said.meter_phase,
        spn=said.spn,
        meter_number=said.meter_number,
        account_number=said.account_number,
        unread=said.unread,
    )


def _invoice(said: Invoice) -> dict[str, Any]:
    return present_part(
        id=said.id,
        number=said.number,
        kind=said.kind,
        amount=said.amount,
        currency=said.currency,
        paid=said.paid,
        paid_at=instant_text(said.paid_at),
        due_on=said.due_on,
    )


def _authorization_code(said: AuthorizationCode | None) -> dict[str, Any]:
    if said is None:
        return {}
    return present_part(sent=said.sent, sent_at=instant_text(said.sent_at))


def examine(_status: Status, details: Details) -> Iterable[Attention]:
    """Unpaid fees: the request doesn't continue until they are paid.

    Source: the staff guide: each fee's milestone ends with its payment.
    """
    yield from check_contact(details)
    for invoice in details.get("invoices", []):
        if invoice.get("paid") is False:
            amount = _amount_text(invoice)
            kind = invoice.get("kind", "fee").replace("_", " ")
            number = invoice.get("number") or invoice.get("id", "")
            yield Attention(
                "payment_due",
                f"The {kind} (invoice {number}{', ' + amount if amount else ''}) is not paid; the "
                "request waits for it. Remind the customer, then check the invoice's status.",
            )


def _amount_text(invoice: Fee) -> str:
    """The amount in the form for people, always the same text for the same amount.

    DynamoDB returns 149.90 as 149.9; an acknowledged reason must not appear again for that.
    """
    amount, currency = invoice.get("amount"), invoice.get("currency", "")
    if not amount:
        return currency
    whole, _, part = f"{amount:f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<2} {currency}".strip()


def waits(status: Status, details: Details) -> str | None:
    """A request waits for its customer until a fee is paid, and until the contract is signed.

    Source: the staff guide: each fee's milestone ends with its payment; the customer signs the
    contract with the authorization code, and the connection fee follows.
    """
    invoices = details.get("invoices", [])
    if any(invoice.get("paid") is False for invoice in invoices):
        return "payment"
    signs = status is Status.ACCEPTED and details.get("authorization_code", {}).get("sent")
    is_signed = any(invoice.get("kind") == "connection_fee" for invoice in invoices)
    return "signature" if signs and not is_signed else None
