"""Sample orders, for previews and to check a template before it is stored."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.notifications.mail.rendering.digest_lines import Digest, DigestLine
from milepost.notifications.notice import (
    CUSTOMER_KINDS,
    FOR_CONTACT_ALONE,
    TEAM_KINDS,
    Audience,
    Channel,
    Notice,
)
from milepost.notifications.subscription import DigestReason
from milepost.orders.details import Details, Note
from milepost.orders.lifecycle import fold
from milepost.orders.order import Announcement, Attention, Kind, OrderKey, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source

RECIPIENT: Final = "sample@example.invalid"
_NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WRITTEN_AT: Final = _NOON + timedelta(minutes=2)
"""The time at which mails about samples are rendered."""
_REASON: Final = "Address could not be found by the network operator"

_STATUS_OF: Final[Mapping[Kind, Status]] = {
    Kind.ACCEPTED: Status.ACCEPTED,
    Kind.REJECTED: Status.REJECTED,
    Kind.SCHEDULED: Status.SCHEDULED,
    Kind.RESCHEDULED: Status.SCHEDULED,
    Kind.COMPLETED: Status.COMPLETED,
    Kind.CANCELLED: Status.CANCELLED,
    Kind.CORRECTION: Status.ACCEPTED,
    Kind.REMINDER: Status.SCHEDULED,
    Kind.DELAYED: Status.ACCEPTED,
    Kind.FOLLOW_UP: Status.COMPLETED,
    Kind.FAILED: Status.FAILED,
    Kind.ATTENTION: Status.PENDING,
    Kind.OVERDUE: Status.ACCEPTED,
    Kind.ESCALATED: Status.ACCEPTED,
    Kind.COMMISSION_OVERDUE: Status.COMPLETED,
}
_RAW: Final[Mapping[str, Mapping[Status, str]]] = {
    "rabot": {Status.ACCEPTED: "PendingDelivery", Status.SCHEDULED: "PendingDelivery"},
    "subs": {Status.ACCEPTED: "Contract Generated", Status.REJECTED: "Inspection Failed"},
    "spirii": {Status.SCHEDULED: "Scheduled", Status.COMPLETED: "Fulfilled"},
}
_DAY: Final = timedelta(days=1)
_WITH_REASON: Final = frozenset({Status.REJECTED, Status.FAILED, Status.CANCELLED})
_WITH_APPOINTMENT: Final = frozenset({Status.SCHEDULED, Status.COMPLETED})

_EARNED: Final[Details] = {
    "commission": {"amount": Decimal("75.50"), "currency": "EUR", "status": "earned"},
}
_COMPLETED_BEFORE: Final = timedelta(days=50)
"""How long ago a sample with an overdue commission was completed."""

_NOTES: Final[list[Note]] = [
    {"kind": "next_steps", "text": "The technician calls 30 minutes ahead."},
    {"kind": "special_instructions", "text": "Keep the meter cupboard accessible."},
]
_PERSON: Final[Details] = {
    "reference": "SAMPLE-20417",
    "customer": {"name": "Alex Sample", "email": RECIPIENT},
    "address": {"street": "1 Sample Street", "unit": "4", "postcode": "12345", "city": "Sampleton"},
    "ordered_at": "2026-02-27T09:00:00Z",
}
SAMPLES: Final[Mapping[str, Details]] = {
    "offergrid": {
        "service_type": "internet",
        "offer": {"name": "High-Speed Internet 1000 Mbps", "supplier": "Southern Fibre"},
    },
    "rabot": {
        "service_type": "energy",
        "offer": {"name": "Smart Energy 24"},
        "malo": "51238696781",
    },
    "subs": {
        "service_type": "new_connection",
        "invoices": [
            {
                "number": "NE-881377",
                "kind": "connection_fee",
                "amount": Decimal("1280.00"),
                "currency": "GHS",
                "paid": False,
                "due_on": "2026-03-20",
            }
        ],
        "authorization_code": {"sent": True, "sent_at": "2026-03-02T12:00:00Z"},
    },
    "spirii": {
        "service_type": "ev_charging",
        "offer": {"name": "Home charge box 11 kW"},
        "installer": {"kind": "installation_partner", "name": "Sample Installations"},
    },
}
_NUMBERS: Final[Mapping[str, Details]] = {
    "offergrid": {"account_number": "ACC-557102"},
    "rabot": {"meter_number": "1ESY1160123456"},
    "subs": {"account_number": "70011234", "meter_number": "P240118", "spn": "SPN-0041177"},
    "spirii": {"charge_box": {"model": "Home 11", "serial_number": "CB-104477"}},
}


def sample(
    kind: Kind, audience: Audience, connection: Connection, language: str
) -> tuple[Notice, TrackedOrder]:
    """A typical order of this connection's provider, with a notice of this kind."""
    status = _STATUS_OF[kind]
    details = {
        **_PERSON,
        **SAMPLES.get(connection.provider, SAMPLES["offergrid"]),
        **_of_status(connection, status),
        **(_EARNED if kind is Kind.COMMISSION_OVERDUE else {}),
    }
    return _made(kind, audience, connection, language, Details(**details))  # type: ignore[typeddict-item]


def bare_sample(
    kind: Kind, audience: Audience, connection: Connection, language: str
) -> tuple[Notice, TrackedOrder]:
    """The same for an order of which only the status is known."""
    return _made(kind, audience, connection, language, {})


def sample_digest(
    reason: DigestReason, audience: Audience, connection: Connection, language: str
) -> Digest:
    """One order of each kind that this audience is notified of."""
    kinds = CUSTOMER_KINDS if audience is Audience.CUSTOMER else TEAM_KINDS
    made = [sample(kind, audience, connection, language) for kind in Kind if kind in kinds]
    return Digest(
        recipient=RECIPIENT,
        language=language,
        time_zone=connection.time_zone,
        reason=reason,
        lines=tuple(DigestLine(notice=notice, tracked=tracked) for notice, tracked in made),
        connections=(connection,),
    )


def _of_status(connection: Connection, status: Status) -> Details:
    details: Details = {}
    provider = connection.provider
    if status in _WITH_REASON:
        details["reason"] = _REASON
        details["cause"] = "invalid_address"
    if status is Status.SCHEDULED and provider in ("offergrid", "sample"):
        details["notes"] = _NOTES
    if status in _WITH_APPOINTMENT and provider != "subs":
        details["appointment"] = "2026-04-01" if provider == "rabot" else _after_noon(connection)
    if status is Status.COMPLETED:
        numbers: Details = _NUMBERS.get(provider, _NUMBERS["offergrid"])
        details = {**details, **numbers}
    if provider == "rabot" and "appointment" in details:
        details["delivery_start"] = details["appointment"]
    return details


def _after_noon(connection: Connection) -> str:
    """A usual time for appointments, in the orders' time zone."""
    local = datetime(2026, 3, 12, 13, 0, tzinfo=ZoneInfo(connection.time_zone))
    return format_instant(local)


def _made(
    kind: Kind, audience: Audience, connection: Connection, language: str, details: Details
) -> tuple[Notice, TrackedOrder]:
    status = _STATUS_OF[kind]
    is_about_money = kind is Kind.COMMISSION_OVERDUE
    happened = _NOON - _COMPLETED_BEFORE if is_about_money else _NOON
    key = OrderKey(connection.id, "sample-order-1", "sample-item-1")
    report = Report(
        connection=key.connection,
        order_id=key.order_id,
        item_id=key.item_id,
        status=status,
        raw_status=_RAW.get(connection.provider, {}).get(status, str(status)),
        occurred_at=happened,
        seen_at=happened,
        source=Source.WEBHOOK,
        details=details,
    )
    notice = Notice(
        key=key,
        announcement=Announcement(
            sequence=1,
            kind=kind,
            status=status,
            previous=Status.REJECTED if kind is Kind.CORRECTION else Status.SUBMITTED,
            occurred_at=_NOON,
            announced_at=_NOON + timedelta(minutes=1),
            correction=kind is Kind.CORRECTION,
        ),
        channel=Channel.EMAIL,
        recipient=RECIPIENT,
        audience=audience,
        language=language,
        subscription="sample" if _is_subscribed(kind, audience) else None,
    )
    reports = [report]
    if kind is Kind.RESCHEDULED and "appointment" in details:
        before = replace(report, occurred_at=happened - _DAY, details={"appointment": "2026-03-05"})
        reports.insert(0, before)
    return notice, TrackedOrder(order=fold(reports, _rules(kind)), version=1)


def _is_subscribed(kind: Kind, audience: Audience) -> bool:
    return audience is Audience.TEAM and kind not in FOR_CONTACT_ALONE


def _rules(kind: Kind) -> Rules:
    """The reason for attention of the sample."""
    if kind is not Kind.ATTENTION:
        return Rules()
    reason = Attention(
        "missing_data",
        "The address is in a building of many units and has no unit number, a frequent reason "
        "for rejection: ask the customer for it.",
    )
    return Rules(examine=lambda _status, _details: (reason,))
