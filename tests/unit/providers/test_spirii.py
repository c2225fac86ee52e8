"""Spirii's payloads, and the orders that must come out."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.orders.announcements import announcements
from milepost.orders.lifecycle import fold
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.report import Report, Source
from milepost.providers.base import BrokenPage, PageRequest, SignInFailed
from milepost.providers.spirii import STATUSES, Spirii
from tests.builders import NOON, stored_and_read
from tests.malformed_payloads import mangled
from tests.payloads import CHARGE_ORDER, SPIRII, charge_order

PROVIDER = Spirii()
LIST = PageRequest("/v2/orders", {"limit": "100"})


def changed(status: str, day: int, **fields: Any) -> dict[str, Any]:
    """An order whose status changed on this day of March."""
    at = f"2026-03-{day:02}T13:20:00.000Z"
    return charge_order(status, status_changed_at=at, updated_at=at, **fields)


def not_sent(**fields: Any) -> dict[str, Any]:
    return {"type": "order_confirmation", "sent": False, "sent_at": None, **fields}


def webhook(order: dict[str, Any], **fields: Any) -> dict[str, Any]:
    base = {
        "id": "evt-9a41c07be2d1",
        "event": "order.updated",
        "created_at": "2026-03-05T13:20:00.000Z",
        "data": {"order": order},
    }
    return {**base, **fields}


def read_event(order: dict[str, Any]) -> Report:
    (only,) = PROVIDER.read_event(webhook(order), connection=SPIRII, seen_at=NOON)
    return only


def read_order(order: dict[str, Any]) -> Report:
    (only,) = PROVIDER.read_order(order, connection=SPIRII, requested_at=NOON)
    return only


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("Pending", Status.PENDING),
        ("Scheduled", Status.SCHEDULED),
        ("Fulfilled", Status.COMPLETED),
        ("Cancelled", Status.CANCELLED),
        ("pending", Status.PENDING),
        ("Paused", None),
    ],
)
def test_a_status_has_its_canonical_one_and_keeps_its_own(raw: str, status: Status | None) -> None:
    by_event, by_poll = read_event(charge_order(raw)), read_order(charge_order(raw))
    assert (by_event.status, by_event.raw_status, by_event.source) == (status, raw, Source.WEBHOOK)
    assert (by_poll.status, by_poll.raw_status, by_poll.source) == (status, raw, Source.POLL)


def test_a_webhook_and_a_poll_of_the_same_order_are_one_report() -> None:
    assert read_event(charge_order()).id == read_order(charge_order()).id


def test_an_order_comes_out_with_everything_that_was_said() -> None:
    one = read_order(charge_order())
    assert (one.connection, one.order_id, one.item_id) == ("spirii-charge", "so-90417", "so-90417")
    assert one.occurred_at == datetime(2026, 3, 5, 13, 20, tzinfo=UTC)
    assert one.details == {
        "reference": "SP-2026-90417",
        "ordered_at": "2026-02-27T09:00:00Z",
        "customer": CHARGE_ORDER["customer"],
        "address": CHARGE_ORDER["address"],
        "service_type": "ev_charging",
        "offer": {"id": "prod-home-22", "name": "Home charging 22 kW"},
        "onboarding_flow": "Home DK",
        "charge_box": {"serial_number": "SPB-22-004417", "model": "Zaptec Go"},
        "payment": {
            "kind": "credit_card",
            "status": "authorized",
            "amount": Decimal("899.00"),
            "currency": "DKK",
        },
        "appointment": "2026-03-16T08:00:00Z",
        "completed_by": "fulfill",
        "installer": {"kind": "installation_partner", "name": "Nordlys El"},
        "installation_initiated_at": "2026-02-28T07:10:00Z",
        "emails": [{"type": "order_confirmation", "sent": True, "sent_at": "2026-02-27T09:00:05Z"}],
    }


def test_a_life_ends_fulfilled_and_says_since_when() -> None:
    bodies = [changed("Pending", 1), changed("Scheduled", 5), changed("Fulfilled", 16)]
    order = fold(map(read_order, bodies), PROVIDER.rules)
    assert (order.status, order.raw_status) == (Status.COMPLETED, "Fulfilled")
    assert order.since == datetime(2026, 3, 16, 13, 20, tzinfo=UTC)
    assert not order.attention


def test_a_cancelled_order_says_why() -> None:
    cancelled = changed("Cancelled", 6, cancellation_reason="Customer moved")
    order = fold(map(read_order, [changed("Pending", 1), cancelled]), PROVIDER.rules)
    assert (order.status, order.details["reason"]) == (Status.CANCELLED, "Customer moved")


def test_scheduled_again_for_another_time_is_told_as_rescheduled() -> None:
    first = changed("Scheduled", 5)
    moved = changed("Scheduled", 7, activation_appointment="2026-03-20T08:00:00.000Z")
    before = TrackedOrder(order=fold([read_order(first)], PROVIDER.rules), version=1)
    after = fold([read_order(first), read_order(moved)], PROVIDER.rules)
    assert after.appointment == "2026-03-20T08:00:00Z"
    (told,) = announcements(before, after, now=NOON)
    assert told.kind is Kind.RESCHEDULED


def test_a_time_set_for_fulfilment_is_no_appointment() -> None:
    pending = charge_order(
        "Pending",
        activation_appointment=None,
        fulfilment_scheduled_for="2026-03-20T09:00:00.000Z",
    )
    order = fold([read_order(pending)], PROVIDER.rules)
    assert (order.status, order.appointment) == (Status.PENDING, None)
    assert order.details["fulfilment_at"] == "2026-03-20T09:00:00Z"


def test_a_change_of_something_else_leaves_since_when_the_status_holds() -> None:
    before = changed("Pending", 1)
    after = {**before, "updated_at": "2026-03-04T09:00:00Z", "charge_box": None}
    order = fold(map(read_order, [before, after]), PROVIDER.rules)
    assert order.since == datetime(2026, 3, 1, 13, 20, tzinfo=UTC)
    assert order.last_entry.report.occurred_at == datetime(2026, 3, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("email", "text"),
    [
        (
            not_sent(not_sent_reason="Email type is not active for this onboarding flow"),
            "The order confirmation mail was not sent: Email type is not active for this "
            "onboarding flow.",
        ),
        (
            not_sent(),
            "The order confirmation mail was not sent: the provider gives no reason.",
        ),
        (
            not_sent(type=None),
            "The provider's mail was not sent: the provider gives no reason.",
        ),
    ],
)
def test_a_mail_of_the_provider_that_was_not_sent_needs_a_look(
    email: dict[str, Any], text: str
) -> None:
    order = fold([read_order(charge_order("Pending", emails=[email]))], PROVIDER.rules)
    assert [(one.code, one.text) for one in order.attention] == [("email_not_sent", text)]


def test_of_a_closed_order_no_mail_is_missed() -> None:
    order = fold([read_order(charge_order("Fulfilled", emails=[not_sent()]))], PROVIDER.rules)
    assert order.attention == ()


def test_a_customer_whose_address_cannot_be_right_needs_a_look() -> None:
    order = fold([read_order(charge_order(customer={"email": "freja@"}))], PROVIDER.rules)
    assert [one.code for one in order.attention] == ["invalid_identifier"]


def test_fields_that_nobody_documented_and_nulls_change_nothing() -> None:
    plain = charge_order()
    without = {name: value for name, value in plain.items() if value is not None}
    assert read_order({**without, "surprise": {"deep": [1]}}).id == read_order(plain).id


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"id": ""},
        {"id": "x" * 201},
        {"status": None},
        {"updated_at": None},
        {"updated_at": "2026-03-05T13:20:00"},
        {"id": "so\x0090417"},
        {"updated_at": "9999-12-31T23:59:59Z"},
    ],
    ids=str,
)
def test_an_order_of_another_shape_is_a_bad_payload(fields: dict[str, Any]) -> None:
    for read in (read_event, read_order):
        with pytest.raises(BadPayload):
            read(charge_order(**fields))


def test_a_refusal_says_where_and_not_what() -> None:
    with pytest.raises(BadPayload) as refusal:
        read_order(charge_order(id=["freja.lindholm@example.dk"]))
    assert "id: string_type" in str(refusal.value)
    assert "freja" not in str(refusal.value)


def page(**paging: Any) -> dict[str, Any]:
    return {"data": [charge_order()], "pagination": {"previous_cursor": None, **paging}}


def test_a_page_says_which_comes_next_and_how_new_it_is() -> None:
    first = PROVIDER.read_page(page(next_cursor="abc", has_more=True), request=LIST)
    assert first.next == PageRequest(LIST.path, {**LIST.query, "cursor": "abc"})
    assert first.newest_change == datetime(2026, 3, 5, 13, 20, tzinfo=UTC)
    last = PROVIDER.read_page(page(next_cursor=None, has_more=False), request=first.next)
    assert last.next is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": []},
        {"data": [], "pagination": []},
        {"data": [], "pagination": {"has_more": "false"}},
        {"data": [], "pagination": {"has_more": True, "next_cursor": None}},
        {"data": None, "pagination": {"has_more": False}},
        {"data": {"0": 7}, "pagination": {"has_more": False}},
        {"error": {"code": "internal_error", "message": "Something broke"}},
    ],
)
def test_what_is_no_page_is_a_broken_page(body: dict[str, Any]) -> None:
    with pytest.raises(BrokenPage):
        PROVIDER.read_page(body, request=LIST)


def test_the_first_page_asks_for_what_changed_since() -> None:
    assert PROVIDER.first_page(SPIRII, changed_since=None) == LIST
    since = PROVIDER.first_page(SPIRII, changed_since=NOON)
    assert since.query["updated_since"] == "2026-03-02T12:00:00Z"


def test_it_signs_in_with_a_key_and_not_without() -> None:
    signed_in = PROVIDER.sign_in(SPIRII, {"api_key": "k3y"}, http=None, now=NOON)  # type: ignore[arg-type]
    assert signed_in.headers["authorization"] == "Bearer k3y"
    with pytest.raises(SignInFailed, match="spirii-charge"):
        PROVIDER.sign_in(SPIRII, {}, http=None, now=NOON)  # type: ignore[arg-type]


REAL = [charge_order(raw) for raw in STATUSES] + [charge_order("Pending", emails=[not_sent()])]


@pytest.mark.thorough
@given(mangled([webhook(one) for one in REAL]))
def test_no_event_gives_anything_but_a_report_or_a_bad_payload(event: dict[str, Any]) -> None:
    try:
        reports = PROVIDER.read_event(event, connection=SPIRII, seen_at=NOON)
    except BadPayload:
        return
    assert_can_be_stored(reports)


@pytest.mark.thorough
@given(mangled(REAL))
def test_no_order_gives_anything_but_a_report_or_a_bad_payload(order: dict[str, Any]) -> None:
    try:
        reports = PROVIDER.read_order(order, connection=SPIRII, requested_at=NOON)
    except BadPayload:
        return
    assert_can_be_stored(reports)


@given(mangled([page(next_cursor="abc", has_more=True), page(next_cursor=None, has_more=False)]))
def test_no_page_gives_anything_but_a_page_or_a_broken_one(body: dict[str, Any]) -> None:
    try:
        PROVIDER.read_page(body, request=LIST)
    except BrokenPage:
        return


def assert_can_be_stored(reports: list[Report]) -> None:
    for one in reports:
        order = TrackedOrder(order=fold([one], PROVIDER.rules), version=1)
        assert stored_and_read(order, connection=SPIRII) == order


@pytest.mark.parametrize("status", ["Scheduled", "Fulfilled"])
@pytest.mark.parametrize("said", ["failed", "Failed", "declined"])
def test_a_payment_that_failed_needs_attention_also_once_the_order_is_fulfilled(
    status: str, said: str
) -> None:
    bodies = [changed("Pending", 1), changed(status, 16, payment={"status": said})]
    order = fold(map(read_order, bodies), PROVIDER.rules)
    assert [one.code for one in order.attention] == ["payment_failed"]


def test_the_payment_of_an_order_that_was_cancelled_needs_no_look() -> None:
    bodies = [changed("Pending", 1), changed("Cancelled", 16, payment={"status": "failed"})]
    assert not fold(map(read_order, bodies), PROVIDER.rules).attention


@pytest.mark.parametrize(
    ("payment", "charged"),
    [
        ({"kind": "credit_card", "status": "authorized", "amount": "899.00"}, "899.00"),
        (
            {"kind": "credit_card", "status": "authorized", "amount": "899", "currency": "DKK"},
            "899 DKK",
        ),
        ({"kind": "credit_card"}, "the amount of the order"),
        ({"kind": "credit_card", "status": "captured"}, None),
        ({"kind": "invoice", "status": "pending"}, None),
        (None, None),
    ],
)
def test_fulfilment_says_what_it_charges_the_card(payment: Any, charged: str | None) -> None:
    details = read_order(charge_order(payment=payment)).details
    assert PROVIDER.actions["fulfill"].charge(details) == charged
    assert PROVIDER.actions["cancel"].charge(details) is None
