"""Offergrid's payloads, and the orders that must come out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.orders.lifecycle import fold
from milepost.orders.order import TrackedOrder
from milepost.orders.report import Report, Source
from milepost.providers.base import BrokenPage, PageRequest, SignInFailed
from milepost.providers.offergrid import STATUSES, Offergrid
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    offergrid_event,
    offergrid_item,
    offergrid_order,
    stored_and_read,
)
from tests.malformed_payloads import mangled

PROVIDER = Offergrid()
LIST = PageRequest("/reseller/orders", {"limit": "100"})


def read_event(**fields: Any) -> Report:
    event = offergrid_event(**fields)
    (only,) = PROVIDER.read_event(event, connection=OFFERGRID, seen_at=NOON)
    return only


def read_order(**fields: Any) -> list[Report]:
    return PROVIDER.read_order(offergrid_order(**fields), connection=OFFERGRID, requested_at=NOON)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("pending", Status.PENDING),
        ("submitted_to_provider", Status.SUBMITTED),
        ("accepted", Status.ACCEPTED),
        ("rejected", Status.REJECTED),
        ("scheduled", Status.SCHEDULED),
        ("in_progress", Status.IN_PROGRESS),
        ("completed", Status.COMPLETED),
        ("active", Status.ACTIVE),
        ("cancelled", Status.CANCELLED),
        ("failed", Status.FAILED),
        ("on_hold", None),
        ("Accepted", Status.ACCEPTED),
    ],
)
def test_a_status_has_its_canonical_one_and_keeps_its_own(raw: str, status: Status | None) -> None:
    by_event = read_event(newStatus=raw)
    (by_poll,) = read_order(items=[offergrid_item(status=raw)])
    assert (by_event.status, by_event.raw_status) == (status, raw)
    assert (by_poll.status, by_poll.raw_status) == (status, raw)


@pytest.mark.parametrize(
    ("fields", "status", "details"),
    [
        (
            {"newStatus": "accepted", "providerNotes": "Timeline: install within 7 to 14 days."},
            Status.ACCEPTED,
            {"notes": [{"kind": "timeline", "text": "install within 7 to 14 days."}]},
        ),
        (
            {"event": "order.scheduled", "scheduledFor": "2026-03-12T02:00:00.000Z"},
            Status.SCHEDULED,
            {"appointment": "2026-03-12T02:00:00Z"},
        ),
        (
            {"event": "order.completed", "accountNumber": "AC-5530017"},
            Status.COMPLETED,
            {"account_number": "AC-5530017"},
        ),
        (
            {"event": "order.rejected", "reason": "Service not available at this address"},
            Status.REJECTED,
            {"reason": "Service not available at this address"},
        ),
        (
            {"newStatus": "failed", "providerNotes": "Equipment not available"},
            Status.FAILED,
            {"reason": "Equipment not available"},
        ),
        (
            {"newStatus": "cancelled", "providerNotes": "Customer cancels"},
            Status.CANCELLED,
            {"reason": "Customer cancels"},
        ),
    ],
)
def test_an_event_becomes_a_report(
    fields: dict[str, Any], status: Status, details: dict[str, Any]
) -> None:
    one = read_event(**fields)
    assert (one.connection, one.order_id, one.item_id) == (OFFERGRID.id, KEY.order_id, KEY.item_id)
    assert (one.status, one.source) == (status, Source.WEBHOOK)
    assert one.occurred_at == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    for name, value in details.items():
        assert one.details.get(name) == value


def test_notes_about_people_and_times_are_no_reason() -> None:
    said = "Timeline: 7 to 14 days.\nEquipment not available"
    assert read_event(newStatus="failed", providerNotes=said).details["reason"] == (
        "Equipment not available"
    )
    alone = read_event(newStatus="failed", providerNotes="Timeline: 7 to 14 days.")
    assert "reason" not in alone.details


def test_a_reason_stands_before_what_the_notes_say() -> None:
    one = read_event(event="order.rejected", reason="No coverage", providerNotes="Try again")
    assert one.details["reason"] == "No coverage"


def test_notes_of_several_lines_each_have_their_kind() -> None:
    one = read_event(
        providerNotes="Next steps: wait\nCustomer contact: rang twice\n\n  left a card\n"
        "ACCOUNT DETAILS: 7\nSpecial instructions:dog"
    )
    assert one.details["notes"] == [
        {"kind": "next_steps", "text": "wait"},
        {"kind": "customer_contact", "text": "rang twice"},
        {"kind": "other", "text": "left a card"},
        {"kind": "account_details", "text": "7"},
        {"kind": "special_instructions", "text": "dog"},
    ]


def test_an_item_of_the_list_becomes_an_order_with_everything_that_was_said() -> None:
    (one,) = read_order()
    assert (one.status, one.source) == (Status.SCHEDULED, Source.POLL)
    assert one.occurred_at == datetime(2026, 3, 4, 1, 5, 30, 250_000, tzinfo=UTC)
    expected = {
        "reference": "PP-20417",
        "ordered_at": "2026-03-01T22:40:11Z",
        "customer": {
            "name": "Charlotte Nguyen",
            "email": "charlotte.nguyen@example.com",
            "phone": "+61 491 570 156",
        },
        "address": {
            "street": "18 Lygon Street",
            "unit": "4B",
            "postcode": "3053",
            "city": "Carlton, Melbourne",
            "region": "VIC",
            "country": "AU",
        },
        "offer": {
            "id": "off-nbn-1000",
            "name": "High-Speed Internet 1000 Mbps",
            "supplier": "Southern Fibre",
        },
        "service_type": "internet",
        "appointment": "2026-03-12T02:00:00Z",
        "notes": [{"kind": "next_steps", "text": "technician calls 30 minutes ahead."}],
        "commission": {"amount": Decimal("75.5"), "currency": "AUD", "status": "pending"},
    }
    assert {name: one.details.get(name) for name in expected} == expected


def test_each_item_is_tracked_by_itself() -> None:
    reports = read_order(
        items=[
            offergrid_item(itemId="item-1", status="accepted"),
            offergrid_item(itemId="item-2", status="rejected", reason="No coverage"),
        ]
    )
    assert [(one.item_id, one.status) for one in reports] == [
        ("item-1", Status.ACCEPTED),
        ("item-2", Status.REJECTED),
    ]


@pytest.mark.parametrize("commission", [None, {}, {"amount": None}])
def test_an_item_that_earns_nothing_yet_has_no_commission(commission: Any) -> None:
    (one,) = read_order(items=[offergrid_item(commission=commission)])
    assert "commission" not in one.details
    assert one.details["offer"]["id"] == "off-nbn-1000"


def test_an_item_without_a_date_has_the_orders() -> None:
    (one,) = read_order(items=[offergrid_item(updatedAt=None)])
    assert one.occurred_at == datetime(2026, 3, 4, 1, 5, 30, 250_000, tzinfo=UTC)


def test_the_two_events_of_one_change_are_one_transition() -> None:
    both = [
        read_event(newStatus="scheduled"),
        read_event(event="order.scheduled", scheduledFor="2026-03-12T02:00:00.000Z"),
    ]
    order = fold(both, PROVIDER.rules)
    assert (order.status, order.appointment) == (Status.SCHEDULED, "2026-03-12T02:00:00Z")
    assert not order.attention


@pytest.mark.parametrize("event", ["order.archived", "order.schedule", "customer.updated"])
def test_an_unknown_event_is_kept_by_its_name_whatever_it_says(event: str) -> None:
    one = read_event(event=event, newStatus="completed")
    assert (one.status, one.raw_status) == (None, event)
    assert one.has_unknown_status


def test_fields_that_nobody_documented_are_ignored() -> None:
    plain = read_event()
    assert read_event(surprise={"deep": [1, 2]}, version=7).id == plain.id


@pytest.mark.parametrize(
    "fields",
    [
        {"orderId": None},
        {"itemId": ""},
        {"orderId": "x" * 201},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-03-02T10:30:00"},
        {"timestamp": None},
        {"newStatus": None},
        {"newStatus": "  "},
        {"timestamp": "0001-01-01T00:00:00Z"},
        {"orderId": "ü" * 40},
    ],
)
def test_an_event_of_another_shape_is_a_bad_payload(fields: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        read_event(**fields)


def test_a_refusal_says_where_and_not_what() -> None:
    with pytest.raises(BadPayload) as refusal:
        read_order(orderId={"secret": "charlotte@example.com"})
    assert "orderId: string_type" in str(refusal.value)
    assert "charlotte" not in str(refusal.value)


def test_a_page_says_which_comes_next_and_how_new_it_is() -> None:
    page = PROVIDER.read_page({"orders": [offergrid_order()], "nextCursor": "abc"}, request=LIST)
    assert page.next == PageRequest("/reseller/orders", {"limit": "100", "cursor": "abc"})
    assert page.newest_change == datetime(2026, 3, 4, 1, 5, 30, 250_000, tzinfo=UTC)
    last = PROVIDER.read_page({"orders": [], "nextCursor": None}, request=LIST)
    assert (last.next, last.newest_change) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"orders": None, "nextCursor": None},
        {"orders": {"0": 1}, "nextCursor": None},
        {"orders": [], "nextCursor": 7},
        {"statusCode": 500, "message": "Internal", "error": "Internal Server Error"},
    ],
)
def test_what_is_no_page_is_a_broken_page(body: dict[str, Any]) -> None:
    with pytest.raises(BrokenPage):
        PROVIDER.read_page(body, request=LIST)


def test_a_connection_without_a_key_cannot_sign_in() -> None:
    with pytest.raises(SignInFailed, match="offergrid-home"):
        PROVIDER.sign_in(OFFERGRID, {}, http=None, now=NOON)  # type: ignore[arg-type]


@given(
    mangled(
        [
            *(offergrid_event(newStatus=raw) for raw in STATUSES),
            offergrid_event("order.scheduled", scheduledFor="2026-03-12T02:00:00.000Z"),
            offergrid_event("order.rejected", reason="No coverage"),
        ]
    )
)
def test_no_event_gives_anything_but_a_report_or_a_bad_payload(event: dict[str, Any]) -> None:
    try:
        reports = PROVIDER.read_event(event, connection=OFFERGRID, seen_at=NOON)
    except BadPayload:
        return
    assert_can_be_stored(reports)


@given(mangled([offergrid_order(), offergrid_order(items=[offergrid_item(status="active")])]))
def test_no_order_gives_anything_but_reports_or_a_bad_payload(order: dict[str, Any]) -> None:
    try:
        reports = PROVIDER.read_order(order, connection=OFFERGRID, requested_at=NOON)
    except BadPayload:
        return
    assert_can_be_stored(reports)


def assert_can_be_stored(reports: list[Report]) -> None:
    for one in reports:
        order = TrackedOrder(order=fold([one], PROVIDER.rules), version=1)
        assert stored_and_read(order, connection=OFFERGRID) == order


@pytest.mark.parametrize(
    ("notes", "what"),
    [
        ("Customer contact: the customer could not be reached.", "contact"),
        ("Special instructions: nobody at home, technician comes again.", "contact"),
        ("Customer contact: called on Monday.", None),
        (None, None),
    ],
)
def test_an_item_waits_while_its_customer_cannot_be_reached(
    notes: str | None, what: str | None
) -> None:
    order = fold([read_event(newStatus="accepted", providerNotes=notes)], PROVIDER.rules)
    assert (order.waiting.what if order.waiting else None) == what


def test_the_wait_ends_with_the_next_word_of_the_provider() -> None:
    first = read_event(newStatus="accepted", providerNotes="Customer contact: can't reach them.")
    later = read_event(newStatus="accepted", timestamp="2026-03-03T10:30:00.000Z")
    order = fold([first, later], PROVIDER.rules)
    assert (order.waiting, order.waited) == (None, timedelta(days=1))
