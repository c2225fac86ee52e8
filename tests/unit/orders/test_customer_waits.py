"""How long an order may wait for its customer, and what is said when it does so for longer."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.orders.deadline_watch import judged
from milepost.orders.deadlines import next_date, overdue_at
from milepost.orders.order import Kind, Order, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report
from tests.builders import NOON, OFFERGRID, report, stored_and_read, tracked

DAY = timedelta(days=1)
RULES = Rules(waits=lambda _status, details: details.get("account_number") or None)


def waiting(what: str, **details: Any) -> Order:
    """An order that was accepted at noon, and waits for this from an hour later."""
    later = report(Status.ACCEPTED, 60, account_number=what, **details)
    return tracked(report(Status.ACCEPTED, 0), later, rules=RULES).order


def run(before: TrackedOrder, now: datetime) -> tuple[TrackedOrder, list[Kind]]:
    after, new = judged(before, OFFERGRID, now=now)
    return after or before, [one.kind for one in new]


@pytest.mark.parametrize(
    ("what", "days"), [("contact", 3), ("payment", 14), ("signature", 7), ("anything", 7)]
)
def test_each_wait_has_a_limit_of_its_own(what: str, days: int) -> None:
    order = waiting(what)
    limit = NOON + timedelta(hours=1) + days * DAY
    assert (overdue_at(order, OFFERGRID), next_date(order, OFFERGRID)) == (limit, limit)


def test_a_connection_sets_the_limit() -> None:
    order = waiting("signature")
    quick = replace(OFFERGRID, wait_days={"signature": 0.5})
    assert overdue_at(order, quick) == NOON + timedelta(hours=13)


def test_a_payment_may_wait_until_the_first_unpaid_invoice_is_due() -> None:
    invoices = [
        {"due_on": "2026-03-04", "paid": True},
        {"due_on": "2026-03-20", "paid": False},
        {"due_on": "2026-03-10", "paid": False},
        {"paid": False},
    ]
    order = waiting("payment", invoices=invoices)
    # The end of 10 March in Melbourne.
    assert overdue_at(order, OFFERGRID) == datetime.fromisoformat("2026-03-10T13:00:00Z")


def test_a_payment_that_was_due_before_the_wait_began_is_overdue_at_once() -> None:
    order = waiting("payment", invoices=[{"due_on": "2026-01-10", "paid": False}])
    assert overdue_at(order, OFFERGRID) == NOON + timedelta(hours=1)


def test_an_order_with_an_appointment_is_not_overdue_before_it() -> None:
    agreed = report(Status.SCHEDULED, 60, account_number="contact", appointment="2026-03-20")
    order = tracked(agreed, rules=RULES).order
    assert overdue_at(order, OFFERGRID) == datetime.fromisoformat("2026-03-20T13:00:00Z")
    assert next_date(order, OFFERGRID) == datetime.fromisoformat("2026-03-20T00:00:00Z")


def test_a_wait_beyond_its_limit_is_marked_with_the_steps_that_help() -> None:
    before = TrackedOrder(order=waiting("contact"))
    limit = NOON + timedelta(hours=1) + 3 * DAY
    assert run(before, limit - timedelta(minutes=1))[1] == []
    after, kinds = run(before, limit)
    assert kinds == [Kind.OVERDUE]
    (reason,) = after.attention
    assert reason.text == (
        "The order (accepted since 2026-03-02T12:00:00Z) waits for the customer: contact. Allowed "
        "was 3 days, until 2026-03-05T13:00:00Z. Check the contact data, try another way to reach "
        "the customer, and tell the provider."
    )
    assert stored_and_read(after, connection=OFFERGRID).overdue == after.overdue


def test_a_wait_that_follows_an_overdue_stage_is_told_by_itself_and_once() -> None:
    reports: list[Report] = [report(Status.ACCEPTED, 0)]
    first, kinds = run(tracked(*reports), NOON + 3 * DAY)
    assert kinds == [Kind.OVERDUE]
    reports.append(report(Status.ACCEPTED, 4 * 24 * 60, account_number="signature"))
    waits = replace(first, order=tracked(*reports, rules=RULES).order, overdue=None)
    second, kinds = run(waits, NOON + 11 * DAY)
    assert kinds == [Kind.OVERDUE]
    assert run(replace(second, overdue=None), NOON + 12 * DAY)[1] == []


@pytest.mark.parametrize("due_on", ["", "soon", "0001-01-01", None, 20260310])
def test_a_due_date_that_is_none_leaves_the_usual_limit(due_on: Any) -> None:
    order = waiting("payment", invoices=[{"due_on": due_on, "paid": False}])
    assert overdue_at(order, OFFERGRID) == NOON + timedelta(hours=1) + 14 * DAY
