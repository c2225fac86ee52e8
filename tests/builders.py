"""Reports, orders and payloads for tests; each test sets only the values that matter to it."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.notifications.notice import Channel, Notice
from milepost.orders.announcements import Announced
from milepost.orders.aws.table import order_item, tracked_order
from milepost.orders.details import Details
from milepost.orders.lifecycle import fold
from milepost.orders.order import Announcement, Kind, OrderKey, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = OrderKey("offergrid-home", "ord-7c1e20-b4f", "item-7c1e20-1")
RULES = Rules()

OFFERGRID = Connection(
    id="offergrid-home",
    provider="offergrid",
    base_url="https://api.offergrid.example",
    time_zone="Australia/Melbourne",
    country="AU",
)
RETAIL = Connection(
    id="offergrid-business", provider="offergrid", base_url="https://api.offergrid.example"
)
RABOT = Connection(
    id="rabot-energy",
    provider="rabot",
    base_url="https://partner.rabot.example",
    token_url="https://auth.rabot.example/connect/token",
    scopes="api:partner",
)


def minute(number: float) -> datetime:
    """A number of minutes after noon on a day in March."""
    return NOON + timedelta(minutes=number)


def report(
    status: Status | None,
    at: float = 0,
    *,
    raw: str | None = None,
    seen: float | None = None,
    source: Source = Source.WEBHOOK,
    key: OrderKey = KEY,
    dated_by_fetch: bool = False,
    **details: Any,
) -> Report:
    """A report of something that occurred ``at`` minutes after noon."""
    return Report(
        connection=key.connection,
        order_id=key.order_id,
        item_id=key.item_id,
        status=status,
        raw_status=raw or (str(status) if status else None),
        occurred_at=minute(at),
        seen_at=minute(at + 1 if seen is None else seen),
        source=source,
        details=Details(**details),  # type: ignore[typeddict-item]
        dated_by_fetch=dated_by_fetch,
    )


def tracked(
    *reports: Report,
    version: int = 1,
    announced: tuple[Announcement, ...] = (),
    rules: Rules = RULES,
) -> TrackedOrder:
    return TrackedOrder(order=fold(reports, rules), version=version, announced=announced)


def stored_and_read(order: TrackedOrder, *, connection: Connection) -> TrackedOrder:
    """The result of storing an order in the table and reading it."""
    return tracked_order(from_item(to_item(order_item(order, connection=connection, new=()))))


def announcement(kind: Kind = Kind.ACCEPTED, sequence: int = 1, **changes: Any) -> Announcement:
    fields: dict[str, Any] = {
        "sequence": sequence,
        "kind": kind,
        "status": Status.ACCEPTED,
        "previous": Status.SUBMITTED,
        "occurred_at": minute(0),
        "announced_at": minute(1),
    }
    return Announcement(**{**fields, **changes})


def announced(kind: Kind = Kind.ACCEPTED, *, key: OrderKey = KEY, **details: Any) -> Announced:
    return Announced(
        key=key,
        provider="offergrid",
        announcement=announcement(kind),
        raw_status="accepted",
        details=Details(**details),  # type: ignore[typeddict-item]
    )


def notice(
    kind: Kind = Kind.ACCEPTED,
    *,
    key: OrderKey = KEY,
    recipient: str = "sales@example.org",
    channel: Channel = Channel.EMAIL,
    **changes: Any,
) -> Notice:
    return Notice(
        key=key,
        announcement=announcement(kind),
        channel=channel,
        recipient=recipient,
        **changes,
    )


def offergrid_event(event: str = "order.status_changed", **fields: Any) -> dict[str, Any]:
    """A webhook's body, according to docs/providers/offergrid.md."""
    base: dict[str, Any] = {
        "event": event,
        "orderId": KEY.order_id,
        "itemId": KEY.item_id,
        "providerNotes": None,
        "timestamp": "2026-03-02T10:30:00.000Z",
    }
    if event == "order.status_changed":
        base |= {"previousStatus": "submitted_to_provider", "newStatus": "accepted"}
    return {**base, **fields}


_OFFERGRID_ITEM: dict[str, Any] = {
    "itemId": KEY.item_id,
    "offerId": "off-nbn-1000",
    "offerName": "High-Speed Internet 1000 Mbps",
    "serviceType": "internet",
    "provider": "Southern Fibre",
    "status": "scheduled",
    "providerNotes": "Next steps: technician calls 30 minutes ahead.",
    "reason": None,
    "scheduledFor": "2026-03-12T02:00:00.000Z",
    "accountNumber": None,
    "updatedAt": "2026-03-04T01:05:30.250Z",
    "commission": {"amount": 75.5, "currency": "AUD", "status": "pending", "paidAt": None},
}


def offergrid_item(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(_OFFERGRID_ITEM), **fields}


def offergrid_order(**fields: Any) -> dict[str, Any]:
    """An order of the list, according to docs/providers/offergrid.md."""
    base: dict[str, Any] = {
        "orderId": KEY.order_id,
        "createdAt": "2026-03-01T22:40:11.000Z",
        "updatedAt": "2026-03-04T01:05:30.250Z",
        "reference": "PP-20417",
        "customer": {
            "firstName": "Charlotte",
            "lastName": "Nguyen",
            "email": "charlotte.nguyen@example.com",
            "phone": "+61 491 570 156",
        },
        "address": {
            "street": "18 Lygon Street",
            "unitNumber": "4B",
            "suburb": "Carlton",
            "city": "Melbourne",
            "state": "VIC",
            "postcode": "3053",
            "country": "AU",
        },
        "items": [offergrid_item()],
    }
    return {**base, **fields}


def rabot_order(state: str = "Open", **fields: Any) -> dict[str, Any]:
    """An order of the list, according to docs/providers/rabot.md."""
    base: dict[str, Any] = {
        "customerNumber": "K-204417",
        "contractNumber": "V-1009417",
        "emailAddress": "lena.hoffmann@example.de",
        "tariffName": "rabot.charge",
        "firstName": "Lena",
        "lastName": "Hoffmann",
        "businessName": None,
        "meterNumber": "1EMH0011223344",
        "maLoIdentifier": "51238696781",
        "meLoIdentifier": "DE0001234567890000000000000012345",
        "deliveryAddress": {
            "street": "Lindenstraße",
            "houseNumber": "14a",
            "addressAddition": None,
            "postcode": "10969",
            "city": "Berlin",
            "country": "DE",
        },
        "state": state,
        "processingInfo": None,
        "denialReason": None,
        "deliveryState": None,
        "actualDateOfDelivery": None,
        "endDateOfDelivery": None,
        "contractSignatureDate": "2026-02-23 00:00:00",
        "contractSignedAt": "2026-02-23 14:24:15",
        "estimatedYearlyConsumption": 3500,
        "previousYearConsumption": 3412.5,
    }
    return {**base, **fields}


def rabot_page(
    orders: list[dict[str, Any]], *, more: bool = False, **fields: Any
) -> dict[str, Any]:
    base: dict[str, Any] = {
        "isSuccess": True,
        "message": None,
        "error": [],
        "refUri": None,
        "data": {"orders": orders},
        "count": len(orders),
        "hasMoreItems": more,
    }
    return {**base, **fields}
