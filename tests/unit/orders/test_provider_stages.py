"""Stages by a provider's raw status: how long, what comes next, who acts, what can be done."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from milepost.actions.request_checks import allowed_actions
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.deadlines import (
    allowed_in_words,
    expected_by,
    far_limit,
    next_date,
    overdue_at,
    stage_deadline,
    track_of,
)
from milepost.orders.lifecycle import fold
from milepost.orders.next_steps import next_step, open_points, who_acts
from milepost.orders.order import Order
from milepost.orders.report import Report
from milepost.providers.base import rules_of
from milepost.providers.registry import adapter
from tests.builders import NOON, OFFERGRID, RABOT, report

DAY = timedelta(days=1)
SUBS = Connection(id="subs-gh", provider="subs", base_url="https://subs.example")
SPIRII = Connection(id="spirii-dk", provider="spirii", base_url="https://spirii.example")
FEE = {"id": "1", "kind": "application_fee", "paid": True}
CONNECTION_FEE = {"id": "2", "kind": "connection_fee", "paid": False}


def order_of(connection: Connection, *reports: Report) -> Order:
    return fold(reports, rules_of(adapter(connection.provider), connection))


def stage(connection: Connection, raw: str, **details: Any) -> Order:
    return order_of(connection, report(None, 0, raw=raw, **details))


@pytest.mark.parametrize(
    ("connection", "raw", "days"),
    [
        (RABOT, "Processing", 14),
        (RABOT, "processing", 14),
        (RABOT, "PendingDelivery", 3),
        (SUBS, "Installation Initiated", 7),
        (SPIRII, "Pending", 14),
        (replace(SPIRII, track="extended"), "Pending", 30),
        (replace(SUBS, stage_days={"installation initiated": 12}), "Installation Initiated", 12),
        (replace(SUBS, stage_days={"in_progress": 2}), "Installation Initiated", 2),
        (
            replace(SUBS, stage_days={"Connection Fee Generated": 9, "accepted": 4}),
            "Connection Fee Generated",
            9,
        ),
        (
            replace(SUBS, stage_days={"Connection Fee Generated": 9, "accepted": 4}),
            "Contract Generated",
            4,
        ),
    ],
)
def test_a_stage_lasts_as_its_raw_status_does(connection: Connection, raw: str, days: int) -> None:
    assert stage_deadline(stage(connection, raw), connection) == NOON + days * DAY


def test_two_milestones_of_one_canonical_status_are_two_stages() -> None:
    order = order_of(
        SUBS,
        report(None, 0, raw="Contract Generated"),
        report(None, 24 * 60, raw="Connection Fee Generated"),
    )
    assert (order.status, order.since, order.stage_since) == (
        Status.ACCEPTED,
        NOON,
        NOON + DAY,
    )
    assert stage_deadline(order, SUBS) == NOON + 4 * DAY


def test_what_a_milestone_waited_is_not_taken_from_the_next_one() -> None:
    order = order_of(
        SUBS,
        report(None, 0, raw="Contract Generated", authorization_code={"sent": True}),
        report(None, 5 * 24 * 60, raw="Connection Fee Generated", invoices=[CONNECTION_FEE]),
        report(
            None,
            9 * 24 * 60,
            raw="Connection Fee Generated",
            invoices=[{**CONNECTION_FEE, "paid": True}],
        ),
    )
    assert (order.waited_before, order.waited) == (5 * DAY, 4 * DAY)
    assert stage_deadline(order, SUBS) == NOON + 12 * DAY


def moved(days: list[int], **details: Any) -> Order:
    """An order whose appointment was agreed for each of these days from now, one after another."""
    said = [
        report(
            Status.SCHEDULED,
            number,
            appointment=(NOON + day * DAY).isoformat().replace("+00:00", "Z"),
            **details,
        )
        for number, day in enumerate(days)
    ]
    return order_of(OFFERGRID, *said)


def test_an_appointment_ends_its_stage_whatever_the_track_says() -> None:
    far = moved([90])
    assert overdue_at(far, OFFERGRID) == NOON + 90 * DAY + timedelta(hours=4)
    assert next_date(far, OFFERGRID) == NOON + 90 * DAY


def test_an_appointment_far_beyond_the_track_raises_attention() -> None:
    (reason,) = moved([29]).attention
    assert reason.code == "far_appointment"
    assert "standard track takes, 14 days" in reason.text
    assert moved([27]).attention == ()


def test_an_appointment_that_keeps_sliding_is_overdue_far_beyond_the_track() -> None:
    sliding = moved([5, 12, 20, 35])
    assert overdue_at(sliding, OFFERGRID) == NOON + 28 * DAY
    assert next_date(sliding, OFFERGRID) == NOON + 28 * DAY
    assert overdue_at(moved([5, 12, 20]), OFFERGRID) == NOON + 20 * DAY + timedelta(hours=4)


def test_one_that_slides_is_not_overdue_before_what_was_agreed_first() -> None:
    sliding = moved([40, 60])
    assert overdue_at(sliding, OFFERGRID) == NOON + 40 * DAY + timedelta(hours=4)


def test_a_stage_that_begins_again_gets_no_new_time_far_beyond_the_track() -> None:
    days = [(0, "Processing"), (13, "Denied"), (14, "Processing"), (27, "Denied")]
    again = order_of(
        RABOT,
        *(report(None, day * 24 * 60, raw=raw) for day, raw in [*days, (28, "Processing")]),
    )
    assert stage_deadline(again, RABOT) == far_limit(again, RABOT) == NOON + 28 * DAY


def test_an_appointment_of_an_order_that_is_not_scheduled_does_not_say_what_was_allowed() -> None:
    days = [(0, "Processing"), (13, "Denied"), (14, "Processing"), (27, "Denied")]
    again = order_of(
        RABOT,
        *(
            report(None, day * 24 * 60, raw=raw, appointment="2026-05-01")
            for day, raw in [*days, (28, "Processing")]
        ),
    )
    assert allowed_in_words(again, RABOT).startswith("2 times its ")


def test_all_of_it_by_does_not_move_with_a_stage_that_begins_late() -> None:
    late = order_of(
        OFFERGRID,
        report(Status.PENDING, 0),
        report(Status.ACCEPTED, 20 * 24 * 60),
    )
    assert expected_by(late, OFFERGRID) == NOON + 14 * DAY
    assert stage_deadline(late, OFFERGRID) == NOON + 23 * DAY


@pytest.mark.parametrize(
    ("details", "track"),
    [
        ({"service_type": "multi-unit"}, "extended"),
        ({"service_type": "multi_unit"}, "extended"),
        ({"service_type": "custom"}, "extended"),
        ({"service_type": "internet", "offer": {"name": "Multi-Unit Fibre"}}, "extended"),
        ({"service_type": "security", "offer": {"name": "Custom installation"}}, "extended"),
        ({"service_type": "internet", "offer": {"name": "Customer choice"}}, "standard"),
        ({"service_type": "internet", "offer": {"name": "Fibre 1000"}}, "standard"),
    ],
)
def test_multi_unit_and_custom_orders_take_the_extended_track(
    details: dict[str, Any], track: str
) -> None:
    assert track_of(details, OFFERGRID) == track  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "who", "says"),
    [
        ("Application Fee Generated", "customer", "pays the application fee"),
        ("Inspection Initiated", "estimator", "inspects the site"),
        ("Contract Generated", "customer", "signs the contract"),
        ("Connection Fee Generated", "customer", "contract is signed"),
        ("Installation Initiated", "DTO", "assigns the installation"),
    ],
)
def test_each_milestone_says_who_acts_and_what_comes_next(raw: str, who: str, says: str) -> None:
    order = stage(SUBS, raw)
    assert who_acts(order, SUBS) == who
    assert says in (next_step(order, SUBS) or "")


def test_a_contract_that_is_signed_is_signed_no_more() -> None:
    code = {"sent": True}
    unsigned = stage(SUBS, "Contract Generated", authorization_code=code, invoices=[FEE])
    signed = stage(
        SUBS, "Connection Fee Generated", authorization_code=code, invoices=[FEE, CONNECTION_FEE]
    )
    assert open_points(unsigned) == ["The customer signs with the code they were sent."]
    assert open_points(signed) == ["The customer pays the connection fee."]


@pytest.mark.parametrize(
    ("raw", "proposed"),
    [
        ("Application Fee Generated", False),
        ("Inspection Initiated", False),
        ("Contract Generated", True),
        ("Connection Fee Generated", False),
        ("Installation Initiated", False),
        ("Completed", False),
    ],
)
def test_a_code_is_offered_to_be_sent_again_only_while_there_is_a_contract_to_sign(
    raw: str, proposed: bool
) -> None:
    order = stage(SUBS, raw, authorization_code={"sent": True})
    assert ("resend_authorization_code" in allowed_actions(order, adapter("subs"))) is proposed
