"""Connections and orders for mails."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from milepost.common.status import Status
from milepost.connections.connection import Connection, UnknownConnection
from milepost.notifications.mail.rendering.custom_templates import Overrides
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.notice import FOR_CONTACT_ALONE, TEAM_KINDS, Audience, Channel, Notice
from milepost.orders.order import Kind, OrderKey, TrackedOrder
from tests.builders import OFFERGRID, RABOT, announcement, minute, report, tracked

SUBS = Connection(
    id="subs-gh",
    provider="subs",
    base_url="https://subs.example",
    time_zone="Africa/Accra",
    country="GH",
)
SPIRII = Connection(
    id="spirii-dk",
    provider="spirii",
    base_url="https://spirii.example",
    time_zone="Europe/Copenhagen",
    country="DK",
    contact="help@example.org",
)
CONNECTIONS = (OFFERGRID, RABOT, SUBS, SPIRII)
LANGUAGES = ("en", "de", "da")
NOW = minute(2)
"""When these mails are written: a minute after what they tell of was announced."""
CUSTOMER_KINDS = (
    Kind.ACCEPTED,
    Kind.REJECTED,
    Kind.SCHEDULED,
    Kind.RESCHEDULED,
    Kind.COMPLETED,
    Kind.CANCELLED,
    Kind.CORRECTION,
    Kind.REMINDER,
    Kind.DELAYED,
    Kind.FOLLOW_UP,
)
MAILS = [(kind, Audience.TEAM) for kind in sorted(TEAM_KINDS | FOR_CONTACT_ALONE)] + [
    (kind, Audience.CUSTOMER) for kind in CUSTOMER_KINDS
]

KNOWN: dict[str, Any] = {
    "reference": "PP-20417",
    "customer": {"name": "Ama Boateng", "email": "ama@example.com"},
    "address": {"street": "12 Ring Road", "postcode": "3000", "city": "Melbourne"},
    "service_type": "internet",
    "offer": {"name": "Fibre 1000", "supplier": "Southern Fibre"},
}
UNPAID = {
    "number": "NE-881377",
    "kind": "connection_fee",
    "amount": Decimal("1280.00"),
    "currency": "GHS",
    "paid": False,
    "due_on": "2026-03-20",
}


class InMemory:
    """Implements ``Connections``."""

    def get(self, connection_id: str) -> Connection:
        for connection in CONNECTIONS:
            if connection.id == connection_id:
                return connection
        raise UnknownConnection(connection_id)


def renderer(overrides: Overrides | None = None) -> MailRenderer:
    return MailRenderer(InMemory(), overrides, clock=lambda: NOW)


def key_of(connection: Connection = OFFERGRID, number: int = 1) -> OrderKey:
    return OrderKey(connection.id, f"ord-{number}", f"item-{number}")


def told(
    kind: Kind,
    status: Status,
    *,
    connection: Connection = OFFERGRID,
    language: str = "en",
    audience: Audience = Audience.TEAM,
    previous: Status | None = Status.SUBMITTED,
    details: dict[str, Any] | None = None,
    raw: str | None = None,
    joined: bool = False,
    correction: bool = False,
    former_date: str | None = "2026-01-05",
) -> tuple[Notice, TrackedOrder]:
    """A notice of a kind, with its order in this status.

    :param former_date: of a rescheduled one, the appointment that it had before
    """
    facts = KNOWN if details is None else details
    key = key_of(connection)
    notice = Notice(
        key=key,
        announcement=replace(
            announcement(kind, status=status, previous=previous),
            joined=joined,
            correction=correction,
        ),
        channel=Channel.EMAIL,
        recipient="sales@example.org",
        audience=audience,
        language=language,
    )
    reports = [report(status, key=key, raw=raw, **facts)]
    if kind is Kind.RESCHEDULED and former_date:
        reports.insert(0, report(status, -60, key=key, raw=raw, appointment=former_date))
    return notice, tracked(*reports)
