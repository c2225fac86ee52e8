"""SUBS' payloads, and the orders that must come out."""

import json
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
from milepost.providers.subs import STATUSES, Subs
from tests.builders import NOON, stored_and_read
from tests.malformed_payloads import mangled
from tests.payloads import SERVICE_REQUEST, SUBS, service_request

PROVIDER = Subs()
LIST = PageRequest("/service-requests", {"page": "1", "per_page": "25"})
MILESTONES = [
    "Application Fee Generated",
    "Inspection Initiated",
    "Contract Generated",
    "Connection Fee Generated",
    "Installation Initiated",
    "Completed",
]


def reached(milestone: str, day: int, **fields: Any) -> dict[str, Any]:
    """A request that came to this milestone on this day of March."""
    at = f"2026-03-{day:02}T08:00:00.000Z"
    return service_request(milestone, milestone_at=at, updated_at=at, **fields)


def unpaid(**fields: Any) -> dict[str, Any]:
    return {**SERVICE_REQUEST["invoices"][0], "paid": False, "paid_at": None, **fields}


def webhook(request: dict[str, Any], **fields: Any) -> dict[str, Any]:
    base = {
        "event": "service_request.updated",
        "id": "evt-5b1f0c2a9d3e",
        "created_at": "2026-03-09T08:00:00.000Z",
        "data": {"service_request": request},
    }
    return {**base, **fields}


def read_event(request: dict[str, Any], **fields: Any) -> Report:
    event = webhook(request, **fields)
    (only,) = PROVIDER.read_event(event, connection=SUBS, seen_at=NOON)
    return only


def read_order(request: dict[str, Any]) -> Report:
    (only,) = PROVIDER.read_order(request, connection=SUBS, requested_at=NOON)
    return only


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("Application Fee Generated", Status.PENDING),
        ("Inspection Initiated", Status.SUBMITTED),
        ("Contract Generated", Status.ACCEPTED),
        ("Connection Fee Generated", Status.ACCEPTED),
        ("Installation Initiated", Status.IN_PROGRESS),
        ("Completed", Status.COMPLETED),
        ("Inspection Failed", Status.REJECTED),
        ("completed", Status.COMPLETED),
        ("Meter Vetted", None),
    ],
)
def test_a_milestone_has_its_canonical_status_and_keeps_its_name(
    raw: str, status: Status | None
) -> None:
    by_event, by_poll = read_event(service_request(raw)), read_order(service_request(raw))
    assert (by_event.status, by_event.raw_status, by_event.source) == (status, raw, Source.WEBHOOK)
    assert (by_poll.status, by_poll.raw_status, by_poll.source) == (status, raw, Source.POLL)


def test_a_webhook_and_a_poll_of_the_same_request_are_one_report() -> None:
    assert read_event(service_request()).id == read_order(service_request()).id


def test_a_request_becomes_an_order_with_everything_that_was_said() -> None:
    one = read_order(service_request())
    assert (one.connection, one.order_id, one.item_id) == ("subs-grid", "sr-000417", "sr-000417")
    assert one.occurred_at == datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert one.details == {
        "reference": "NC-2026-000417",
        "ordered_at": "2026-02-20T10:11:12Z",
        "customer": SERVICE_REQUEST["customer"],
        "address": SERVICE_REQUEST["address"],
        "service_type": "new_connection",
        "invoices": [
            {
                "id": "inv-000417-1",
                "number": "NE-881204",
                "kind": "application_fee",
                "amount": Decimal("149.90"),
                "currency": "GHS",
                "paid": True,
                "paid_at": "2026-02-21T07:30:00Z",
                "due_on": "2026-03-06",
            }
        ],
        "authorization_code": {"sent": True, "sent_at": "2026-03-03T12:00:00Z"},
        "installer": {"kind": "farming_out_contractor", "name": "Volta Line Works"},
        "installation_type": "overhead",
        "meter_phase": "three_phase",
    }


def test_the_six_milestones_lead_to_a_completed_order_with_its_numbers() -> None:
    numbers = {"spn": "SPN-1", "meter_number": "M-77120", "account_number": "AC-9"}
    bodies = [
        reached(milestone, day, **(numbers if milestone == "Completed" else {}))
        for day, milestone in enumerate(MILESTONES, start=1)
    ]
    order = fold(map(read_order, bodies), PROVIDER.rules)
    assert (order.status, order.raw_status) == (Status.COMPLETED, "Completed")
    assert {name: order.details.get(name) for name in numbers} == numbers
    assert not order.attention


def test_a_failed_inspection_is_a_rejection_with_its_reason() -> None:
    failed = reached("Inspection Failed", 3, reason="No earth electrode")
    order = fold(map(read_order, [reached("Inspection Initiated", 2), failed]), PROVIDER.rules)
    assert (order.status, order.details["reason"]) == (Status.REJECTED, "No earth electrode")


def test_a_fee_that_is_generated_within_one_status_moves_the_name_alone() -> None:
    bodies = [reached("Contract Generated", 3), reached("Connection Fee Generated", 4)]
    order = fold(map(read_order, bodies), PROVIDER.rules)
    assert (order.status, order.raw_status) == (Status.ACCEPTED, "Connection Fee Generated")
    assert order.since == datetime(2026, 3, 3, 8, tzinfo=UTC)


def test_a_paid_invoice_is_news_within_one_milestone_and_dates_nothing_else() -> None:
    before = reached("Connection Fee Generated", 4, invoices=[unpaid()])
    after = {
        **before,
        "updated_at": "2026-03-06T09:00:00Z",
        "invoices": SERVICE_REQUEST["invoices"],
    }
    owing, paid = (
        fold([read_order(body) for body in bodies], PROVIDER.rules)
        for bodies in ([before], [before, after])
    )
    assert [reason.code for reason in owing.attention] == ["payment_due"]
    assert paid.attention == ()
    assert paid.since == owing.since == datetime(2026, 3, 4, 8, tzinfo=UTC)


def test_a_fee_that_is_not_paid_says_which_and_how_much() -> None:
    request = service_request(invoices=[unpaid(kind="connection_fee", amount="1280.00")])
    (reason,) = fold([read_order(request)], PROVIDER.rules).attention
    assert "The connection fee (invoice NE-881204, 1280.00 GHS) is not paid" in reason.text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("149.90", "149.90"), ("150", "150.00"), ("1280.00", "1280.00"), ("0.12345", "0.12345")],
)
def test_the_reason_of_an_unpaid_fee_is_the_same_once_it_was_stored(amount: str, text: str) -> None:
    texts = set()
    # DynamoDB keeps numbers without the zeros at their end.
    for written in (amount, f"{Decimal(amount).normalize():f}"):
        request = service_request(invoices=[unpaid(amount=written)])
        (reason,) = fold([read_order(request)], PROVIDER.rules).attention
        texts.add(reason.text)
    assert len(texts) == 1
    assert f", {text} GHS)" in texts.pop()


def test_an_amount_is_exact_to_the_last_digit() -> None:
    amount = "12345678901234567890.123456789012345678"
    one = read_order(service_request(invoices=[unpaid(amount=amount)]))
    assert one.details["invoices"][0]["amount"] == Decimal(amount)
    kept = TrackedOrder(order=fold([one], PROVIDER.rules), version=1)
    assert stored_and_read(kept, connection=SUBS) == kept


def test_the_code_for_signing_itself_is_never_kept() -> None:
    code = {"sent": True, "sent_at": None, "code": "493117", "value": "493117"}
    one = read_order(service_request(authorization_code=code))
    assert "493117" not in json.dumps(one.details, default=str)
    assert one.details["authorization_code"] == {"sent": True}


def test_without_a_service_type_it_is_the_connections_or_a_grid_connection() -> None:
    assert read_order(service_request(service_type=None)).details["service_type"] == (
        "grid_connection"
    )


def test_fields_that_nobody_documented_and_nulls_change_nothing() -> None:
    plain = service_request()
    without = {name: value for name, value in plain.items() if value is not None}
    assert read_order({**without, "surprise": {"deep": [1]}}).id == read_order(plain).id


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"id": ""},
        {"id": "x" * 201},
        {"milestone": None},
        {"updated_at": None},
        {"updated_at": "2026-03-09T08:00:00"},
        {"updated_at": "0001-01-01T00:00:00Z"},
        {"milestone": {"name": "Completed"}},
    ],
    ids=str,
)
def test_a_request_of_another_shape_is_a_bad_payload(fields: dict[str, Any]) -> None:
    for read in (read_event, read_order):
        with pytest.raises(BadPayload):
            read(service_request(**fields))


def test_a_refusal_says_where_and_not_what() -> None:
    with pytest.raises(BadPayload) as refusal:
        read_order(service_request(id=["ama.boateng@example.com"]))
    assert "id: string_type" in str(refusal.value)
    assert "ama" not in str(refusal.value)


@pytest.mark.parametrize(
    ("page", "last", "following"),
    [(1, 3, "2"), (2, 3, "3"), (3, 3, None), (1, 1, None), (4, 3, "5"), (1, 0, "2")],
)
def test_a_page_says_which_comes_next(page: int, last: int, following: str | None) -> None:
    body = {"data": [service_request()], "page": page, "last_page": last}
    request = PageRequest(LIST.path, {**LIST.query, "page": str(page)})
    read = PROVIDER.read_page(body, request=request)
    expected = PageRequest(LIST.path, {**LIST.query, "page": following}) if following else None
    assert read.next == expected
    assert read.newest_change == datetime(2026, 3, 9, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None, "page": 1, "last_page": 1},
        {"data": "sr-000417", "page": 1, "last_page": 1},
        {"data": [], "page": 1, "last_page": "one"},
        {"data": [], "page": 1, "last_page": 2},
        {"data": [], "page": 1},
        {"error": {"code": "server_error", "message": "Something broke."}},
    ],
)
def test_what_is_no_page_is_a_broken_page(body: dict[str, Any]) -> None:
    with pytest.raises(BrokenPage):
        PROVIDER.read_page(body, request=LIST)


def test_the_first_page_asks_for_what_changed_since() -> None:
    assert PROVIDER.first_page(SUBS, changed_since=None) == LIST
    since = PROVIDER.first_page(SUBS, changed_since=NOON + timedelta(milliseconds=250))
    assert since.query["updated_since"] == "2026-03-02T12:00:00.250Z"


def test_it_signs_in_with_a_token_and_not_without() -> None:
    signed_in = PROVIDER.sign_in(SUBS, {"token": "t0k3n"}, http=None, now=NOON)  # type: ignore[arg-type]
    assert signed_in.headers["authorization"] == "Bearer t0k3n"
    with pytest.raises(SignInFailed, match="subs-grid"):
        PROVIDER.sign_in(SUBS, {"token": ""}, http=None, now=NOON)  # type: ignore[arg-type]


REAL = [service_request(raw) for raw in STATUSES] + [service_request(invoices=[unpaid()])]


@given(mangled([webhook(one) for one in REAL]))
def test_no_event_gives_anything_but_a_report_or_a_bad_payload(event: dict[str, Any]) -> None:
    try:
        reports = PROVIDER.read_event(event, connection=SUBS, seen_at=NOON)
    except BadPayload:
        return
    assert_can_be_stored(reports)


@given(mangled(REAL))
def test_no_order_gives_anything_but_a_report_or_a_bad_payload(request: dict[str, Any]) -> None:
    try:
        reports = PROVIDER.read_order(request, connection=SUBS, requested_at=NOON)
    except BadPayload:
        return
    assert_can_be_stored(reports)


@pytest.mark.thorough
@given(mangled([{"data": REAL[:2], "page": 1, "last_page": last} for last in (1, 2)]))
def test_no_page_gives_anything_but_a_page_or_a_broken_one(body: dict[str, Any]) -> None:
    try:
        PROVIDER.read_page(body, request=LIST)
    except BrokenPage:
        return


def assert_can_be_stored(reports: list[Report]) -> None:
    for one in reports:
        order = TrackedOrder(order=fold([one], PROVIDER.rules), version=1)
        assert stored_and_read(order, connection=SUBS) == order


APPLICATION_FEE: dict[str, Any] = {"id": "inv-1", "kind": "application_fee", "paid": True}
CONNECTION_FEE: dict[str, Any] = {"id": "inv-2", "kind": "connection_fee", "paid": False}


@pytest.mark.parametrize(
    ("milestone", "fields", "what"),
    [
        ("Application Fee Generated", {"invoices": [APPLICATION_FEE | {"paid": False}]}, "payment"),
        ("Application Fee Generated", {"invoices": [APPLICATION_FEE]}, None),
        ("Inspection Initiated", {}, None),
        ("Contract Generated", {"authorization_code": {"sent": True}}, "signature"),
        ("Contract Generated", {"authorization_code": {"sent": False}}, None),
        (
            "Connection Fee Generated",
            {"authorization_code": {"sent": True}, "invoices": [APPLICATION_FEE, CONNECTION_FEE]},
            "payment",
        ),
        (
            "Connection Fee Generated",
            {
                "authorization_code": {"sent": True},
                "invoices": [APPLICATION_FEE, CONNECTION_FEE | {"paid": True}],
            },
            None,
        ),
        ("Inspection Failed", {"invoices": [APPLICATION_FEE | {"paid": False}]}, None),
    ],
)
def test_a_request_waits_for_payments_and_signatures(
    milestone: str, fields: dict[str, Any], what: str | None
) -> None:
    base: dict[str, Any] = {"invoices": [APPLICATION_FEE], "authorization_code": None}
    order = service_request(milestone, **{**base, **fields})
    waiting = fold(
        PROVIDER.read_order(order, connection=SUBS, requested_at=NOON), PROVIDER.rules
    ).waiting
    assert (waiting.what if waiting else None) == what
