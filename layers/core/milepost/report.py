"""What a provider told us about one order at one time.

A report is already translated: the provider's raw status stands beside the canonical one.
Reports are a set. Two that say the same thing of the same moment have the same id, by whichever
way they came, so that taking one in twice changes nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypedDict, cast

from milepost.limits import (
    RAW_STATUS_BYTES,
    REPORT_BYTES,
    SERVICE_TYPE_BYTES,
    shorten_details,
    shorten_text,
)
from milepost.timestamps import NotATime, read_iso


class Status(StrEnum):
    """The canonical status of an order, in the order in which a life runs.

    ``UNKNOWN`` is where an order starts of which nothing understandable has been said yet. No
    report carries it: one whose raw status is not in the provider's table has status ``None``.
    """

    UNKNOWN = "unknown"
    PENDING = "pending"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    ACTIVE = "active"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def rank(self) -> int:
        """Place in a life; decides between two reports of the same instant."""
        return _RANKS[self]


_RANKS: Final = {status: rank for rank, status in enumerate(Status)}


class Source(StrEnum):
    """The way by which a report came."""

    WEBHOOK = "webhook"
    POLL = "poll"
    PERSON = "person"


class Customer(TypedDict, total=False):
    """Who ordered. All of it is personal data: stored, never logged."""

    name: str
    business: str
    email: str
    phone: str
    number: str


class Address(TypedDict, total=False):
    """Where the service is delivered. Personal data: stored, never logged."""

    street: str
    unit: str
    postcode: str
    city: str
    region: str
    country: str


class Offer(TypedDict, total=False):
    """What was sold, in the provider's words, and by which supplier behind it."""

    id: str
    name: str
    supplier: str


class Note(TypedDict):
    """A remark of the provider for people; ``kind`` is one of its documented sorts."""

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
    """Who installs, and as what: a meter installer, a farming-out contractor, a partner, ..."""

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
    """A mail of the provider's own to the customer, and why it wasn't sent if it wasn't."""

    type: str
    sent: bool
    sent_at: str
    not_sent_reason: str


class Commission(TypedDict, total=False):
    """What the sale earns us, as the provider states it."""

    amount: Decimal
    currency: str
    status: str
    paid_at: str


class Details(TypedDict, total=False):
    """The facts a report carries beyond its status; each key is one fact, said whole.

    Instants are ISO 8601 in UTC (``2026-03-01T09:00:00Z``), days ``2026-03-01``. Numbers are
    ``Decimal``, never ``int``, since that is what the table gives back.
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
    """``notes`` for a reason that was taken from the provider's notes; missing for its own."""
    cause: str
    notes: list[Note]
    processing_info: str
    delivery_message: str

    account_number: str
    meter_number: str
    malo: str
    melo: str
    meter_known: list[str]
    """Of an erased order: which of its numbers were known (``outcomes.IDENTIFIERS``)."""
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
    """What a person did or asked for; with ``action_key`` it is that person's report's id."""
    action_key: str
    person: str
    note: str
    outcome: str
    """What the provider answered to an action, in its own words."""
    result: str
    """What became of an action: done, refused, planned, started, called_off or failed."""
    answered: Decimal
    """The HTTP status with which the provider refused an action."""
    planned_for: str
    acknowledged: list[str]
    """Ids of the reasons for attention that this person has seen to."""

    shortened: str
    """Which of the facts were too large to be stored whole (``limits``)."""


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
"""Details that belong to what one person did: they stay on the timeline, and are no facts of the
order."""

PAID: Final = "commission_paid"
"""The action by which a person says that an order's commission of a month was paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One thing said of one order.

    ``status`` is None when the report brings facts alone, or a raw status that the provider's
    table does not know (then ``raw_status`` says which). ``occurred_at`` and ``seen_at`` are
    aware datetimes in UTC. Details larger than ``limits.REPORT_BYTES`` are shortened, and say so.
    """

    connection: str
    order_id: str
    item_id: str
    status: Status | None
    raw_status: str | None
    occurred_at: datetime
    seen_at: datetime
    source: Source
    details: Details
    status_since: datetime | None = None
    """When the status was entered, where the provider says so apart from what changed last."""
    dated_by_fetch: bool = False
    """True when the provider gives no date, so that the report is dated by the request for it."""
    snapshot_at: datetime | None = None
    """Of a snapshot, which says the whole order: when the provider was asked for it, or made it.
    None for an event, which says a part. It is no part of ``id``: the same said again is the same
    report, whose place among others of its instant is that of the last time it was said."""
    id: str = field(init=False)
    """What was said and when: 16 hex digits that do not depend on source or time of arrival."""
    size: int = field(init=False, compare=False, repr=False)
    """Bytes of what it says, as canonical JSON."""

    def __post_init__(self) -> None:
        # To the millisecond, as it is stored: what is read back has to be equal.
        object.__setattr__(self, "occurred_at", whole_milliseconds(self.occurred_at))
        object.__setattr__(self, "seen_at", whole_milliseconds(self.seen_at))
        if self.status_since is not None:
            object.__setattr__(self, "status_since", whole_milliseconds(self.status_since))
        if self.snapshot_at is not None:
            object.__setattr__(self, "snapshot_at", whole_milliseconds(self.snapshot_at))
        said = self._bounded()
        object.__setattr__(self, "id", hashlib.sha256(said).hexdigest()[:16])

    def _bounded(self) -> bytes:
        """Shorten what is too large to be stored; what the id is made of."""
        self._shorten_words()
        said = _canonical_bytes(self._said())
        size = len(said)
        if "action_key" in self.details:
            size += len(_canonical_bytes(self.details))
        if size > REPORT_BYTES:
            object.__setattr__(self, "details", shorten(self.details, REPORT_BYTES))
            said = _canonical_bytes(self._said())
            size = len(_canonical_bytes([self.raw_status, self.details]))
        object.__setattr__(self, "size", size)
        return said

    def _shorten_words(self) -> None:
        if self.raw_status is not None and len(self.raw_status) * 4 > RAW_STATUS_BYTES:
            shorter = shorten_text(self.raw_status, RAW_STATUS_BYTES)
            object.__setattr__(self, "raw_status", shorter)
        service_type = self.details.get("service_type")
        if isinstance(service_type, str) and len(service_type) * 4 > SERVICE_TYPE_BYTES:
            shorter = shorten_text(service_type, SERVICE_TYPE_BYTES)
            object.__setattr__(self, "details", {**self.details, "service_type": shorter})

    def _said(self) -> list[object]:
        """What makes it this report and no other."""
        if "action_key" in self.details:
            # Asked for twice with one key, an action is done once, whenever that was.
            return [self.details.get("action"), self.details["action_key"]]
        since = format_instant(self.status_since) if self.status_since else None
        return [self.raw_status, format_instant(self.occurred_at), since, self.details]

    @property
    def is_snapshot(self) -> bool:
        """Whether it says the whole order, so that what it leaves out holds no more."""
        return self.snapshot_at is not None

    @property
    def has_unknown_status(self) -> bool:
        """Whether the provider named a status that its table does not list."""
        return self.status is None and self.raw_status is not None


class BadPayload(ValueError):
    """Authentic but unreadable: the message says what is wrong and where, without the data."""


class DatedAhead(BadPayload):
    """Dated further ahead than clocks differ; when its time has come it can be read."""


MOST_AHEAD: Final = timedelta(minutes=5)


def refuse_future(reports: Iterable[Report], *, now: datetime) -> None:
    """Keep out what is dated further ahead than clocks differ: it would shadow all that follows.

    :raises DatedAhead: when a report is dated more than 5 minutes after ``now``
    """
    if any(report.occurred_at - now > MOST_AHEAD for report in reports):
        raise DatedAhead("dated more than 5 minutes ahead")


def format_instant(instant: datetime) -> str:
    """An aware datetime as ISO 8601 in UTC, to the millisecond when it has any."""
    utc = whole_milliseconds(instant)
    spec = "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=spec).replace("+00:00", "Z")


def whole_milliseconds(instant: datetime) -> datetime:
    """The same in UTC, without what is finer than a millisecond."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    finer = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - finer) if finer else utc


def parse_instant(text: str) -> datetime:
    """The aware UTC datetime (to the millisecond) of an ISO 8601 text with a zone.

    :raises BadPayload: when it is no date, or has no zone
    """
    try:
        instant = read_iso(text)
        if instant.tzinfo is None:
            raise BadPayload("a time without a zone: expected ISO 8601 ending in Z or +hh:mm")
        return whole_milliseconds(instant)
    except (NotATime, OverflowError):
        raise BadPayload("not a time: expected ISO 8601 such as 2026-03-01T09:00:00Z") from None


def canonical_json(value: Any) -> str:
    """One text for one value: keys sorted, no spaces, decimals kept to the digit."""
    return _CANONICAL.encode(value)


def shorten(details: Details, most: int) -> Details:
    """Details in at most so many bytes; ``shortened`` says which facts were cut."""
    return cast(Details, shorten_details(details, most, encode=_canonical_bytes))


def _canonical_bytes(value: Any) -> bytes:
    # A lone surrogate is refused where it comes in; here it must not stop an order.
    return canonical_json(value).encode("utf-8", "surrogatepass")


def _encode(value: object) -> object:
    if isinstance(value, Decimal):
        # As DynamoDB gives it back: 75.00 is stored as 75.
        text = f"{value:f}" if value else "0"
        return {"decimal": text.rstrip("0").rstrip(".") if "." in text else text}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"cannot write a {type(value).__name__} as JSON")


_CANONICAL: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_encode
)
