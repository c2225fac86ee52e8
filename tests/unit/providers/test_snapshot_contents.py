"""Which answers and events of each provider are the whole order, and what they take away."""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from milepost.common.timestamps import parse_instant
from milepost.connections.connection import Connection
from milepost.orders.lifecycle import fold
from milepost.orders.report import Report
from milepost.providers.registry import adapter
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    RABOT,
    offergrid_event,
    offergrid_item,
    offergrid_order,
    rabot_order,
)

SPIRII = Connection(id="spirii-home", provider="spirii", base_url="https://spirii.example")
SUBS = Connection(id="subs-grid", provider="subs", base_url="https://subs.example")
CREATED = "2026-03-02T11:00:00.000Z"

Change = Callable[[dict[str, Any]], object]


def spirii_order(updated_at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    return {
        "id": "so-90417",
        "status": "Scheduled",
        "updated_at": updated_at,
        "order_number": "SP-2026-90417",
        "activation_appointment": "2026-03-16T08:00:00Z",
        "fulfilment_scheduled_for": "2026-03-20T08:00:00Z",
        "charge_box": {"serial_number": "SPB-22-004417"},
        "emails": [{"type": "order_confirmation", "sent": False}],
    }


def service_request(updated_at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    return {
        "id": "sr-000417",
        "milestone": "Connection Fee Generated",
        "updated_at": updated_at,
        "reference": "NC-2026-000417",
        "invoices": [{"id": "inv-1", "paid": False}],
        "meter_number": "M-1",
        "installer": {"kind": "partner", "name": "Volta"},
    }


def grid_order(updated_at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    return offergrid_order(
        updatedAt=updated_at,
        items=[offergrid_item(updatedAt=updated_at, accountNumber="AC-1", reason="checked")],
    )


def supply(_updated_at: str = "") -> dict[str, Any]:
    return rabot_order("PendingDelivery", actualDateOfDelivery="2026-04-01 00:00:00")


MAKERS = {"offergrid": grid_order, "rabot": supply, "spirii": spirii_order, "subs": service_request}
CONNECTIONS = {one.provider: one for one in (OFFERGRID, RABOT, SPIRII, SUBS)}


def read(provider: str, order: dict[str, Any], *, minutes: float = 0) -> Report:
    (only,) = adapter(provider).read_order(
        order,
        connection=CONNECTIONS[provider],
        requested_at=NOON + timedelta(minutes=minutes),
    )
    return only


@pytest.mark.parametrize(
    ("provider", "at", "name", "fact"),
    [
        ("offergrid", ("items", 0), "scheduledFor", "appointment"),
        ("offergrid", ("items", 0), "accountNumber", "account_number"),
        ("offergrid", ("items", 0), "providerNotes", "notes"),
        ("offergrid", ("items", 0), "reason", "reason"),
        ("offergrid", ("items", 0), "commission", "commission"),
        ("offergrid", (), "reference", "reference"),
        ("offergrid", (), "customer", "customer"),
        ("rabot", (), "actualDateOfDelivery", "appointment"),
        ("rabot", (), "maLoIdentifier", "malo"),
        ("rabot", (), "deliveryAddress", "address"),
        ("spirii", (), "activation_appointment", "appointment"),
        ("spirii", (), "fulfilment_scheduled_for", "fulfilment_at"),
        ("spirii", (), "charge_box", "charge_box"),
        ("spirii", (), "order_number", "reference"),
        ("subs", (), "meter_number", "meter_number"),
        ("subs", (), "installer", "installer"),
        ("subs", (), "reference", "reference"),
    ],
)
@pytest.mark.parametrize("how", ["null", "left out"])
def test_what_a_poll_says_no_more_holds_no_more(
    provider: str, at: tuple[Any, ...], name: str, fact: str, how: str
) -> None:
    before = MAKERS[provider]("2026-03-01T10:00:00Z")
    after = copy.deepcopy(MAKERS[provider]("2026-03-01T11:00:00Z"))
    place: Any = after
    for step in at:
        place = place[step]
    if how == "null":
        place[name] = None
    else:
        del place[name]
    rules = adapter(provider).rules
    first = read(provider, before)
    assert fact in fold([first], rules).details
    assert fact not in fold([first, read(provider, after, minutes=9)], rules).details


@pytest.mark.parametrize("provider", MAKERS)
def test_an_order_of_a_list_is_whole_and_taken_when_it_was_asked_for(provider: str) -> None:
    assert read(provider, MAKERS[provider](), minutes=3).snapshot_at == NOON + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("provider", "body"),
    [("spirii", {"order": spirii_order()}), ("subs", {"service_request": service_request()})],
)
@pytest.mark.parametrize(
    ("created_at", "taken_at"),
    # Nothing was taken after it came, whatever the provider's clock says.
    [(CREATED, CREATED), ("2026-03-02T12:04:00Z", "2026-03-02T12:00:00Z")],
)
def test_an_event_of_a_whole_order_was_taken_when_the_provider_made_it(
    provider: str, body: dict[str, Any], created_at: str, taken_at: str
) -> None:
    event = {"id": "evt-1", "event": "updated", "created_at": created_at, "data": body}
    (only,) = adapter(provider).read_event(event, connection=CONNECTIONS[provider], seen_at=NOON)
    assert only.snapshot_at == parse_instant(taken_at)


@pytest.mark.parametrize(
    "event",
    [
        offergrid_event(),
        offergrid_event("order.scheduled", scheduledFor="2026-03-12T02:00:00Z"),
        offergrid_event("order.completed", accountNumber="AC-1"),
        offergrid_event("order.rejected", reason="no coverage"),
        offergrid_event("order.exploded"),
    ],
    ids=lambda event: event["event"],
)
def test_an_event_of_offergrid_says_a_part(event: dict[str, Any]) -> None:
    (only,) = adapter("offergrid").read_event(event, connection=OFFERGRID, seen_at=NOON)
    assert only.snapshot_at is None


def test_an_event_of_offergrid_takes_no_fact_of_a_poll_away() -> None:
    polled = read("offergrid", grid_order("2026-03-01T10:00:00Z"))
    event = offergrid_event("order.completed", accountNumber="AC-2", orderId=KEY.order_id)
    (said,) = adapter("offergrid").read_event(event, connection=OFFERGRID, seen_at=NOON)
    details = fold([polled, said], adapter("offergrid").rules).details
    assert details["account_number"] == "AC-2"
    assert details["customer"] == polled.details["customer"]
    assert details["appointment"] == polled.details["appointment"]
