"""A connection: one account at one provider, as its settings describe it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from milepost.connections import default_settings
from milepost.connections.declared_provider import StoredProvider

SEARCH_FIELDS: Final = (
    *("name", "business", "street", "place", "email", "phone"),
    *("order_id", "item_id", "reference", "customer_number", "account_number"),
    *("meter_number", "malo", "melo", "spn", "serial_number", "invoice_number"),
)
"""The fields by which an order can be found: of customer and address, ids and numbers."""


class UnknownConnection(LookupError):
    """No connection has this id: it was never applied, or was removed."""


class UnusableConnection(Exception):
    """The connection is applied, but its stored settings or secrets are invalid.

    The message names the connection and what is wrong, never a value.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionTerms:
    """The commission of a completed order, unless the provider states another one for the order.

    ``amount`` is exact, as text, in ``currency`` (ISO 4217). It is due on ``due_day`` of the month
    after the completion; in shorter months on their last day.
    """

    amount: str
    currency: str
    due_day: int = 1
    recurring: str = "none"
    """``monthly`` when it is earned again in each month in which the order is active."""
    supplier: str | None = None
    """The only supplier whose orders have these terms; None for every one."""
    service: str | None = None
    """The only service type whose orders have these terms; None for every one."""

    def __str__(self) -> str:
        times = " for each month while active" if self.recurring == "monthly" else ""
        of = ", ".join(one for one in (self.supplier, self.service) if one)
        due = f"due on day {self.due_day} of the next month"
        return f"{of + ': ' if of else ''}{self.amount} {self.currency}{times}, {due}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderIdentity:
    """The company that sends the mails about a connection's orders."""

    company: str
    """Signs the mails, and is the display name of the sender's address."""
    legal: str | None = None
    """The legal information of a business letter, such as registered office, register number and
    managing directors (Germany: section 35a GmbHG)."""
    contact: str | None = None
    """Where a customer can ask questions: a telephone number, an address, hours."""
    reply_to: str | None = None
    """The email address for replies."""

    def __str__(self) -> str:
        said = (self.company, self.legal, self.contact, self.reply_to)
        return "; ".join(one for one in said if one)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The mail that a customer gets some days after an order is complete."""

    link: str
    """Where the customer can say how satisfied they are: an https URL."""
    after_days: float = default_settings.FOLLOW_UP_AFTER_DAYS

    def __str__(self) -> str:
        return f"{self.link} after {self.after_days:g} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingPage:
    """The page on which customers follow their orders."""

    colour: str = default_settings.TRACKING_COLOUR
    """The company's colour (``#rrggbb``), behind its name and at the present step."""
    days: int = default_settings.TRACKING_DAYS
    """How long a link is valid."""

    def __str__(self) -> str:
        return f"{self.colour}, links are valid for {self.days} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Settings of one connection; secrets are stored elsewhere.

    ``requests_per_minute`` and ``page_size`` limit the requests of a poll.
    """

    id: str
    provider: str
    base_url: str
    provider_version: int | None = None
    """Of a declared provider: which version of its file; None for one that is programmed."""
    order_page: str | None = None
    """The address of an order's page in the provider's own web application; ``{order_id}`` and
    ``{item_id}`` stand for its ids. None: there is no link."""
    token_url: str | None = None
    scopes: str | None = None
    page_size: int = default_settings.PAGE_SIZE
    requests_per_minute: int = default_settings.REQUESTS_PER_MINUTE
    poll_minutes: int | None = None
    """From one poll to the next; None when it is not polled."""
    service_type: str | None = None
    track: str = default_settings.TRACK
    tracks: Mapping[str, str] = field(default_factory=dict)
    """Tracks by offer id or service type; they take precedence over the usual ones."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Canonical statuses by raw status, for this account's own words."""
    stage_days: Mapping[str, float] = field(default_factory=dict)
    """Days that a stage may last, by the provider's raw status or by the canonical one."""
    stage_days_count: str = default_settings.STAGE_DAYS_COUNT
    """Which days count: ``calendar``, or ``business``, which leaves out the weekends and public
    holidays of ``country`` and, where they differ within it, of ``region``."""
    region: str | None = None
    """Part of the country as ISO 3166-2 has it, without the country: ``VIC``, ``BY``."""
    escalate_after_days: float = default_settings.ESCALATE_AFTER_DAYS
    """After how many further days ``contact`` is notified of an overdue order."""
    wait_days: Mapping[str, float] = field(default_factory=dict)
    """Days that an order may wait for its customer, by what it waits for, where they differ from
    ``customer_waits.DEFAULT_WAIT_DAYS``."""
    reminder_hours: tuple[float, ...] = default_settings.REMINDER_HOURS
    """How long before an appointment people are reminded of it; empty for never."""
    follow_up: FollowUp | None = None
    """None if customers get no follow-up."""
    time_zone: str = default_settings.TIME_ZONE
    country: str = default_settings.COUNTRY
    language: str = default_settings.LANGUAGE
    history_from: str | None = None
    """The day (ISO 8601) from which on past orders say how long others take; None for all."""
    contact: str | None = None
    sender: SenderIdentity | None = None
    """The sender of mails to customers; None if none is set."""
    customer_notices: frozenset[str] = frozenset()
    """Kinds that the customer is notified of as well; none unless the connection says so."""
    tracking: TrackingPage | None = None
    """None where customers have no tracking page."""
    notices_per_hour: int = default_settings.NOTICES_PER_HOUR
    """Maximum number of mails to one recipient in one hour; further notices are sent as one digest
    at its end."""
    commission: tuple[CommissionTerms, ...] = ()
    """The most specific terms that match an order apply; empty if none are set."""
    causes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By cause, phrases that this provider gives as a reason
    (``milepost.common.causes.Patterns``)."""
    search_fields: frozenset[str] = frozenset(SEARCH_FIELDS)
    """Which of ``SEARCH_FIELDS`` its orders are found by."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options that only one provider's adapter uses, such as names of statuses."""
    declared: StoredProvider | None = field(default=None, repr=False, compare=False)
    """The provider's file in that version. It is not a setting: it is stored separately."""
    provider_stage_days: Mapping[str, float] = field(default_factory=dict, compare=False)
    """Days of stages by the provider's file, where ``stage_days`` says none."""


class Connections(Protocol):
    """Where settings are looked up."""

    def get(self, connection_id: str) -> Connection:
        """:raises UnknownConnection: when there is none with this id
        :raises UnusableConnection: when its settings can't be used"""
        ...


def existing_connections(connections: Connections, ids: Iterable[str]) -> tuple[Connection, ...]:
    """The connections with these ids, each once; removed connections are left out.

    :raises UnknownConnection: when all of them were removed
    :raises UnusableConnection: when the settings of one can't be used
    """
    found: list[Connection] = []
    missing: UnknownConnection | None = None
    for id in dict.fromkeys(ids):
        try:
            found.append(connections.get(id))
        except UnknownConnection as error:
            missing = error
    if missing is not None and not found:
        raise missing
    return tuple(found)
