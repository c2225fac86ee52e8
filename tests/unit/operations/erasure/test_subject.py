"""The subject of an erasure: what is known to be theirs, what only may be, and what isn't."""

import json
from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.operations.erasure.judged_text import judge_raw
from milepost.operations.erasure.subject import (
    Subject,
    Verdict,
    judge_details,
    judge_reports,
    subject_of,
)
from milepost.orders.details import Details
from milepost.orders.search_terms import customer_id_of_email
from tests.builders import KEY, NOON, minute, report, tracked

EMAIL = "Charlotte.Nguyen@example.com"
FORMER = "lotte@example.net"
CUSTOMER: Any = {
    "name": "Charlotte Nguyen",
    "email": EMAIL,
    "phone": "+49 30 1234567",
    "number": "K-204417",
}
SHORT = replace(KEY, order_id="4711")
ELSEWHERE = replace(KEY, connection="another")


def subject(**options: Any) -> Subject:
    orders = [
        tracked(
            report(Status.PENDING, 0, key=key, customer={**CUSTOMER, "email": FORMER}),
            report(Status.ACCEPTED, 1, key=key, customer=CUSTOMER, reference="SP-2026-90012"),
        ).order
        for key in (KEY, SHORT)
    ]
    who = customer_id_of_email(EMAIL)
    return subject_of(orders, customer_id=who, salt=b"salt", **options)


def judge(text: str, connection: str | None = KEY.connection) -> Verdict:
    return judge_raw(text.encode(), subject(), connection=connection).verdict


def of(**customer: str) -> Details:
    return {"customer": customer}  # type: ignore[typeddict-item]


OTHER_ORDER = replace(KEY, order_id="another-order")


@pytest.mark.parametrize(
    "customer",
    [
        {"email": EMAIL.upper()},
        {"email": FORMER},
        {"email": EMAIL, "phone": "+49 40 7654321", "name": "C. N."},
        {"number": "k-204417"},
        {"phone": "0049 30/1234567"},
        {"phone": "030 1234567", "name": "Charlotte Nguyen"},
    ],
)
def test_an_order_is_theirs_by_address_else_number_else_phone(customer: dict[str, str]) -> None:
    assert judge_details(of(**customer), OTHER_ORDER, subject()).verdict is Verdict.THEIRS


@pytest.mark.parametrize(
    ("customer", "verdict"),
    [
        ({"email": "charlotte.nguyen@example.co"}, Verdict.OTHERS),
        ({"email": "harlotte.nguyen@example.com"}, Verdict.OTHERS),
        ({"email": "paul@example.com", "phone": "+49 30 1234567"}, Verdict.UNSURE),
        ({"email": "paul@example.com", "number": "K-204417"}, Verdict.UNSURE),
        ({"name": "Charlotte Nguyen"}, Verdict.OTHERS),
        ({"phone": "+49 30 1234568"}, Verdict.OTHERS),
        ({}, Verdict.OTHERS),
    ],
)
def test_who_has_another_address_or_number_is_somebody_else(
    customer: dict[str, str], verdict: Verdict
) -> None:
    assert judge_details(of(**customer), OTHER_ORDER, subject()).verdict is verdict


def test_ids_count_within_their_connection() -> None:
    assert judge_details({}, KEY, subject()).verdict is Verdict.THEIRS
    assert judge_details({}, replace(KEY, item_id="9"), subject()).verdict is Verdict.THEIRS
    assert judge_details({}, ELSEWHERE, subject()).verdict is Verdict.OTHERS
    same_number = of(number="K-204417")
    assert judge_details(same_number, ELSEWHERE, subject()).verdict is Verdict.OTHERS


def test_a_delivery_about_several_customers_is_not_theirs_alone() -> None:
    theirs = report(Status.PENDING, key=OTHER_ORDER, customer=CUSTOMER)
    pauls = report(Status.PENDING, key=OTHER_ORDER, customer={"email": "paul@example.com"})
    assert judge_reports([theirs], subject()).verdict is Verdict.THEIRS
    assert judge_reports([theirs, pauls], subject()).verdict is Verdict.UNSURE
    assert judge_reports([pauls], subject()).verdict is Verdict.OTHERS


@pytest.mark.parametrize(
    "text",
    [
        f'{{"orderId": "{KEY.order_id}", "broken',
        json.dumps({"order": {"id": KEY.order_id}}),
        f'{{"to": "{EMAIL.upper()}"}}',
        "mailto:charlotte.nguyen%40example.com",
        '{"ref": "sp-2026-90012"}',
        f"bounced: <{EMAIL}>",
        '{"phone": "(030) 123 45 67"}',
    ],
)
def test_what_has_a_long_value_of_theirs_is_theirs(text: str) -> None:
    assert judge(text) is Verdict.THEIRS


@pytest.mark.parametrize(
    "text",
    [
        '{"orderId": "4711"}',
        "door code 4711",
        json.dumps({"email": "paul@example.com", "note": f"lives with {EMAIL}"}),
        json.dumps({"email": "paul@example.com", "cc": EMAIL}),
        f"paul@example.com wrote to {EMAIL}",
        json.dumps({"note": f"call {EMAIL}"}),
        '{"name": "CHARLOTTE  NGUYEN"}',
        '{"name": "Nguyen, Charlotte"}',
        "NGUYEN Charlotte moved out",
    ],
)
def test_what_only_may_be_theirs_is_for_a_person_to_look_at(text: str) -> None:
    found = judge_raw(text.encode(), subject(), connection=KEY.connection)
    assert found.verdict is Verdict.UNSURE
    assert found.why


@pytest.mark.parametrize(
    "text",
    [
        f'{{"orderId": "{KEY.order_id}0"}}',
        '{"orderId": "47110"}',
        '{"to": "ann-charlotte.nguyen@example.com"}',
        '{"to": "charlotte.nguyen@example.com.au"}',
        '{"number": "K-2044171"}',
        '{"phone": "+49 30 1234568"}',
        '{"name": "Paul Nguyen", "street": "18 Lygon Street"}',
        "Charlotte",
        "",
    ],
)
def test_a_look_alike_is_somebody_else(text: str) -> None:
    assert judge(text) is Verdict.OTHERS


@pytest.mark.parametrize("connection", ["another", None])
@pytest.mark.parametrize("text", [f'{{"orderId": "{KEY.order_id}"}}', '{"n": "K-204417"}'])
def test_an_id_of_another_connection_is_another_id(text: str, connection: str | None) -> None:
    assert judge(text, connection) is Verdict.OTHERS


def test_an_address_that_may_be_somebody_elses_only_hints() -> None:
    unsure = subject(unconfirmed={customer_id_of_email(FORMER)})
    assert not unsure.owns_email(FORMER)
    assert judge_details(of(email=FORMER), OTHER_ORDER, unsure).verdict is Verdict.OTHERS
    found = judge_raw(f'{{"e": "{FORMER}"}}'.encode(), unsure, connection=None)
    assert found.verdict is Verdict.UNSURE


def test_what_only_the_summary_of_a_long_timeline_says_is_known() -> None:
    reports = [report(Status.ACCEPTED, n, reason=f"try {n}") for n in range(1, 2000)]
    first = report(Status.PENDING, 0, customer={"email": FORMER}, meter_number="1EMH00-7001")
    order = tracked(first, *reports).order
    assert order.summary is not None
    assert order.timeline[0].report != first
    who = subject_of([order], customer_id="0" * 16, salt=b"salt")
    assert who.owns_email(FORMER)
    found = judge_raw(b'{"meter": "1emh00-7001"}', who, connection=KEY.connection)
    assert found.verdict is Verdict.THEIRS


@pytest.mark.parametrize(("order_id", "verdict"), [("1234567", 1), ("12345678", 2)])
def test_an_id_decides_from_eight_characters_on(order_id: str, verdict: int) -> None:
    order = tracked(report(Status.PENDING, key=replace(KEY, order_id=order_id))).order
    who = subject_of([order], customer_id="0" * 16, salt=b"salt")
    for text in (f'{{"id": "{order_id}"}}', f"order {order_id} failed"):
        assert judge_raw(text.encode(), who, connection=KEY.connection).verdict == verdict


def test_later_only_what_is_about_their_orders_is_theirs() -> None:
    late = replace(subject(), until=NOON)
    assert late.as_of(minute(-1)).owns_email(EMAIL)
    assert late.as_of(None).owns_email(EMAIL)
    assert not late.as_of(minute(1)).owns_email(EMAIL)
    assert late.as_of(minute(1)).owns_order(KEY.connection, KEY.order_id)


def test_a_subject_holds_nothing_that_can_be_read() -> None:
    text = f"{vars(subject())}".lower()
    for word in ("nguyen", "example.com", "1234567", "204417", "90012"):
        assert word not in text
