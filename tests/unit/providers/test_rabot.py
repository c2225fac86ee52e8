"""RABOT's payloads, and the orders that must come out."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.common.strict_json import canonical_json
from milepost.orders.lifecycle import fold
from milepost.orders.order import TrackedOrder
from milepost.orders.report import Report, Source
from milepost.providers.base import BrokenPage, PageRequest
from milepost.providers.rabot import STATUSES
from tests.builders import NOON, RABOT, minute, rabot_order, rabot_page, stored_and_read
from tests.malformed_payloads import mangled
from tests.unit.providers.rabot_orders import FIRST, PROVIDER

DELIVERY = {
    "startDate": "2026-04-01 00:00:00",
    "endDate": None,
    "state": "Confirmed",
    "message": "Lieferbeginn vom Netzbetreiber bestätigt",
    "denialReason": None,
    "cancellationReason": None,
}


STARTS = {"actualDateOfDelivery": "2026-04-01 00:00:00"}


def read_order(state: str = "Open", at: datetime = NOON, **fields: Any) -> Report:
    (only,) = PROVIDER.read_order(rabot_order(state, **fields), connection=RABOT, requested_at=at)
    return only


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("Open", Status.PENDING),
        ("Processing", Status.SUBMITTED),
        ("PendingDelivery", Status.ACCEPTED),
        ("Delivery", Status.ACTIVE),
        ("Rejected", Status.REJECTED),
        ("Denied", Status.REJECTED),
        ("Revoked", Status.CANCELLED),
        ("Cancelled", Status.CANCELLED),
        ("Unspecified", None),
        ("open", Status.PENDING),
        ("SomethingNew", None),
    ],
)
def test_a_state_has_its_canonical_status_and_is_kept(raw: str, status: Status | None) -> None:
    one = read_order(raw)
    assert (one.status, one.raw_status) == (status, raw)


def test_a_confirmed_supply_is_scheduled_once_its_start_is_known() -> None:
    assert read_order("PendingDelivery").status is Status.ACCEPTED
    assert read_order("pendingdelivery", **STARTS).status is Status.SCHEDULED
    assert read_order("PendingDelivery", deliveryState=DELIVERY).status is Status.SCHEDULED


@pytest.mark.parametrize("state", ["Open", "Processing"])
def test_a_start_that_is_not_confirmed_schedules_nothing(state: str) -> None:
    status = {"Open": Status.PENDING, "Processing": Status.SUBMITTED}[state]
    assert read_order(state, **STARTS).status is status


def test_a_start_that_is_taken_back_leaves_the_supply_scheduled_without_a_date() -> None:
    said = [read_order("PendingDelivery", **STARTS), read_order("PendingDelivery", minute(5))]
    order = fold(said, PROVIDER.rules)
    assert (order.status, order.appointment) == (Status.SCHEDULED, None)
    assert order.attention == ()


def test_a_revocation_says_that_the_customer_revoked() -> None:
    assert read_order("Revoked").details["cause"] == "customer_revoked"
    assert "cause" not in read_order("Cancelled").details


def test_an_order_is_dated_by_the_request_that_fetched_it() -> None:
    one = read_order(at=minute(7))
    assert (one.occurred_at, one.seen_at, one.dated_by_fetch) == (minute(7), minute(7), True)
    assert one.source is Source.POLL


def test_everything_that_was_said_is_kept() -> None:
    one = read_order(
        "PendingDelivery",
        processingInfo="Lieferbeginn bestätigt",
        deliveryState=DELIVERY,
        actualDateOfDelivery="2026-04-01 00:00:00",
    )
    expected = {
        "reference": "V-1009417",
        "customer": {
            "number": "K-204417",
            "name": "Lena Hoffmann",
            "email": "lena.hoffmann@example.de",
        },
        "address": {
            "street": "Lindenstraße 14a",
            "postcode": "10969",
            "city": "Berlin",
            "country": "DE",
        },
        "service_type": "energy",
        "offer": {"name": "rabot.charge"},
        "meter_number": "1EMH0011223344",
        "malo": "51238696781",
        "melo": "DE0001234567890000000000000012345",
        "yearly_consumption": Decimal(3500),
        "previous_consumption": Decimal("3412.5"),
        "signed_at": "2026-02-23T13:24:15Z",
        "appointment": "2026-04-01",
        "delivery_start": "2026-04-01",
        "delivery_state": "Confirmed",
        "delivery_message": "Lieferbeginn vom Netzbetreiber bestätigt",
        "processing_info": "Lieferbeginn bestätigt",
    }
    assert {name: one.details.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("wire", "utc"),
    [
        ("2025-02-23 14:24:15", "2025-02-23T13:24:15Z"),
        ("2025-07-01 00:30:00", "2025-06-30T22:30:00Z"),
        ("2025-10-26 02:30:00", "2025-10-26T00:30:00Z"),
        ("2025-10-26 03:30:00", "2025-10-26T02:30:00Z"),
        ("2025-03-30 02:30:00", "2025-03-30T01:30:00Z"),
    ],
)
def test_times_without_a_zone_are_berlins_also_when_clocks_change(wire: str, utc: str) -> None:
    assert read_order(contractSignedAt=wire).details["signed_at"] == utc


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"denialReason": "No such meter"}, "No such meter"),
        ({"deliveryState": {**DELIVERY, "denialReason": "Locked"}}, "Locked"),
        ({"deliveryState": {**DELIVERY, "cancellationReason": "Moved out"}}, "Moved out"),
        (
            {"denialReason": "Order", "deliveryState": {**DELIVERY, "denialReason": "Delivery"}},
            "Order",
        ),
    ],
)
def test_a_reason_is_found_wherever_it_stands(fields: dict[str, Any], reason: str) -> None:
    assert read_order("Rejected", **fields).details["reason"] == reason


def test_a_cancellation_says_when_the_supply_ends() -> None:
    one = read_order("Cancelled", endDateOfDelivery="2026-09-30 00:00:00")
    assert (one.status, one.details["delivery_end"]) == (Status.CANCELLED, "2026-09-30")


def test_a_business_has_its_name() -> None:
    one = read_order(firstName=None, lastName=None, businessName="Hoffmann GmbH")
    assert one.details["customer"]["business"] == "Hoffmann GmbH"
    assert "name" not in one.details["customer"]


def test_a_whole_life_from_open_to_the_end_of_supply() -> None:
    states = ["Open", "Processing", "PendingDelivery", "Delivery", "Cancelled"]
    order = fold([read_order(state, minute(at)) for at, state in enumerate(states)], PROVIDER.rules)
    assert order.status is Status.CANCELLED
    assert [reason.code for reason in order.attention] == []


def test_a_denied_order_can_recover_and_a_rejected_one_cannot() -> None:
    denied = [read_order("Denied"), read_order("Processing", minute(5))]
    rejected = [read_order("Rejected"), read_order("Processing", minute(5))]
    assert fold(denied, PROVIDER.rules).status is Status.SUBMITTED
    assert fold(rejected, PROVIDER.rules).status is Status.REJECTED


def test_unspecified_changes_nothing_and_asks_for_a_look() -> None:
    order = fold([read_order("Processing"), read_order("Unspecified", minute(5))], PROVIDER.rules)
    assert order.status is Status.SUBMITTED
    assert [reason.code for reason in order.attention] == ["unknown_status"]


def test_an_open_order_without_meter_and_malo_needs_attention() -> None:
    order = fold([read_order(meterNumber="", maLoIdentifier=None)], PROVIDER.rules)
    (reason,) = order.attention
    assert reason.code == "missing_data"
    assert "80%" in reason.text
    assert "90%" in reason.text


@pytest.mark.parametrize("signed", ["9999-12-31 23:59:59", "0001-01-03 00:00:00"])
def test_an_absurd_date_of_signature_can_be_stored(signed: str) -> None:
    order = fold([read_order(contractSignedAt=signed)], PROVIDER.rules)
    kept = TrackedOrder(order=order, version=1)
    assert stored_and_read(kept, connection=RABOT) == kept


@pytest.mark.parametrize("date", ["0001-01-01 00:00:00", "0001-01-01T00:00:00", "", None])
def test_a_date_that_is_not_set_is_none(date: str | None) -> None:
    one = read_order(
        "Delivery",
        contractSignedAt=date,
        contractSignatureDate=date,
        actualDateOfDelivery=date,
    )
    assert "signed_at" not in one.details
    assert "delivery_start" not in one.details


def test_neither_password_nor_iban_goes_any_further() -> None:
    one = read_order(
        password="hunter2",
        iban="DE02120300000000202051",
        deliveryState={**DELIVERY, "iban": "DE02120300000000202051"},
    )
    stored = canonical_json(one.details)
    assert "hunter2" not in stored
    assert "DE0212" not in stored


def test_rabot_has_no_webhooks() -> None:
    with pytest.raises(BadPayload):
        PROVIDER.read_event({}, connection=RABOT, seen_at=NOON)


@pytest.mark.parametrize(
    "fields",
    [
        {"contractNumber": None},
        {"contractNumber": ""},
        {"state": None},
        {"contractNumber": " "},
        {"state": ["Open"]},
    ],
)
def test_an_order_of_another_shape_is_a_bad_payload(fields: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        PROVIDER.read_order(rabot_order() | fields, connection=RABOT, requested_at=NOON)


@given(
    mangled(
        [
            *(rabot_order(raw) for raw in STATUSES),
            rabot_order("Denied", deliveryState=DELIVERY, endDateOfDelivery="2026-09-30 00:00:00"),
        ]
    )
)
def test_no_order_gives_anything_but_a_report_or_a_bad_payload(order: dict[str, Any]) -> None:
    try:
        reports = PROVIDER.read_order(order, connection=RABOT, requested_at=NOON)
    except BadPayload:
        return
    for one in reports:
        kept = TrackedOrder(order=fold([one], PROVIDER.rules), version=1)
        assert stored_and_read(kept, connection=RABOT) == kept


@given(mangled([rabot_page([rabot_order()]), rabot_page([rabot_order()], more=True)]),
       st.sampled_from([FIRST]))  # fmt: skip
def test_no_page_gives_anything_but_a_page_or_a_broken_one(
    body: dict[str, Any], request: PageRequest
) -> None:
    try:
        PROVIDER.read_page(body, request=request)
    except BrokenPage:
        return
