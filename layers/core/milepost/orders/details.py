"""Details: the facts of an order that reports carry beside its status."""

from decimal import Decimal
from enum import StrEnum
from typing import Final, TypedDict

from milepost.common.causes import OTHER, cause_of
from milepost.common.identifiers import is_malo, is_meter_number


class Customer(TypedDict, total=False):
    """The customer. All of it is personal data: stored, but never logged."""

    name: str
    business: str
    email: str
    phone: str
    number: str


class Address(TypedDict, total=False):
    """Where the service is delivered. Personal data: stored, but never logged."""

    street: str
    unit: str
    postcode: str
    city: str
    region: str
    country: str


class Offer(TypedDict, total=False):
    """What was sold, in the provider's words, and which supplier provides it."""

    id: str
    name: str
    supplier: str


class Note(TypedDict):
    """A provider's remark for people; ``kind`` is one of the kinds that it documents."""

    kind: str
    text: str


class Invoice(TypedDict, total=False):
    """A fee the customer is asked to pay. ``amount`` is exact, in ``currency`` (ISO 4217)."""

    id: str
    number: str
    kind: str
    amount: Decimal
    currency: str
    paid: bool
    paid_at: str
    due_on: str


class AuthorizationCode(TypedDict, total=False):
    """Whether the customer was sent a code for signing. Never the code itself."""

    sent: bool
    sent_at: str


class Installer(TypedDict, total=False):
    """The installer and their role: a meter installer, a subcontractor, a partner, ..."""

    kind: str
    name: str


class Payment(TypedDict, total=False):
    """How the customer pays the provider. ``amount`` is exact, in ``currency`` (ISO 4217)."""

    kind: str
    status: str
    amount: Decimal
    currency: str


class ChargeBox(TypedDict, total=False):
    serial_number: str
    model: str


class ProviderEmail(TypedDict, total=False):
    """A mail from the provider to the customer, and the reason if it was not sent."""

    type: str
    sent: bool
    sent_at: str
    not_sent_reason: str


class Commission(TypedDict, total=False):
    """The commission that you earn, as stated by the provider."""

    amount: Decimal
    currency: str
    status: str
    paid_at: str


class Details(TypedDict, total=False):
    """The facts of a report besides its status; each key is one complete fact.

    Instants are ISO 8601 in UTC (``2026-03-01T09:00:00Z``), days ``2026-03-01``. Numbers are
    ``Decimal``, never ``int``, since that is what DynamoDB returns.
    """

    reference: str
    customer: Customer
    address: Address
    service_type: str
    offer: Offer
    track: str
    ordered_at: str
    signed_at: str

    appointment: str
    fulfilment_at: str
    completed_by: str
    delivery_start: str
    delivery_end: str
    delivery_state: str

    reason: str
    reason_source: str
    """``notes`` if the reason was taken from the provider's notes; missing if it had its own
    field."""
    cause: str
    notes: list[Note]
    processing_info: str
    delivery_message: str

    account_number: str
    meter_number: str
    malo: str
    melo: str
    meter_known: list[str]
    """On an erased order: which of its meter numbers were known (``cause_figures.IDENTIFIERS``)."""
    spn: str
    yearly_consumption: Decimal
    previous_consumption: Decimal

    invoices: list[Invoice]
    authorization_code: AuthorizationCode
    installer: Installer
    installation_type: str
    installation_initiated_at: str
    meter_phase: str

    payment: Payment
    commission: Commission
    charge_box: ChargeBox
    onboarding_flow: str
    emails: list[ProviderEmail]

    unread: list[str]
    """Names of the payload's fields that were left out, since they couldn't be read."""

    action: str
    """The action of a person; with ``action_key`` it is the id of the action's report."""
    action_key: str
    person: str
    note: str
    outcome: str
    """What the provider answered to an action, in its own words."""
    result: str
    """The outcome of an action: done, refused, planned, started, called_off or failed."""
    answered: Decimal
    """The HTTP status with which the provider refused an action."""
    planned_for: str
    acknowledged: list[str]
    """Ids of the reasons for attention that this person acknowledged."""

    shortened: str
    """Which of the facts were too large to be stored whole (``item_sizes``)."""


ABOUT_AN_ACTION: Final = frozenset(
    {
        "action",
        "action_key",
        "person",
        "note",
        "outcome",
        "result",
        "answered",
        "planned_for",
        "acknowledged",
    }
)
"""Details of one person's action. They stay on the timeline and are not facts of the order."""


PAID: Final = "commission_paid"
"""The action that records that an order's commission for a month was paid."""


class Result(StrEnum):
    """The outcome of an action."""

    DONE = "done"
    REFUSED = "refused"
    PLANNED = "planned"
    STARTED = "started"
    """A planned action is being carried out: its provider is called."""
    CALLED_OFF = "called_off"
    FAILED = "failed"


MALO: Final = "malo"


METER_NUMBER: Final = "meter_number"


def identifiers_in(details: Details) -> set[str]:
    """Which of an order's meter numbers are known and well formed; also available for an erased
    order.
    """
    malo, meter = details.get("malo"), details.get("meter_number")
    found = set(details.get("meter_known", ()))
    if isinstance(malo, str) and is_malo("".join(malo.split())):
        found.add(MALO)
    if isinstance(meter, str) and is_meter_number(meter):
        found.add(METER_NUMBER)
    return found


def cause_in(details: Details) -> str | None:
    """The cause of an order or report: the stored one, else the one that its reason indicates.

    Earlier versions stored no cause for most providers, and ``other`` for some that are recognised
    now.
    """
    stored = details.get("cause")
    if stored is not None and stored != OTHER:
        return str(stored)
    reason = details.get("reason")
    return cause_of(reason if isinstance(reason, str) else None) or stored
