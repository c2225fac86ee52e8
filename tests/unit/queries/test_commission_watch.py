"""Overdue commissions: who is notified of them when, and that it is once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from milepost.actions.action import COMMISSION_PAID
from milepost.common.status import Status
from milepost.connections.connection import CommissionTerms, Connection
from milepost.notifications.eligibility import out_of_date
from milepost.orders.deadlines import next_date
from milepost.orders.indexed_orders import Dated
from milepost.orders.order import Kind, OrderKey
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import record
from milepost.orders.report import Report, Source
from milepost.queries.commission_watch import CommissionWatch, Due, Place
from tests.builders import KEY, OFFERGRID, minute, report
from tests.fakes.orders import MemoryOrders

DAY = timedelta(days=1)
TERMS = CommissionTerms(amount="75.50", currency="AUD", due_day=15)
MONTHLY = replace(TERMS, recurring="monthly")
PAYING = replace(OFFERGRID, commission=(TERMS,), contact="lead@example.org")
DUE = datetime(2026, 4, 15, 14, tzinfo=UTC)
"""As the 16th begins in Melbourne: of what was completed in March."""
RULES = Rules(
    continues={"completed": frozenset({Status.CANCELLED})},
    recovers={"completed": frozenset({Status.REJECTED}), "rejected": frozenset(Status)},
)


@dataclass
class Desk:
    """Orders in memory, the index over them, and how far it was looked through."""

    connection: Connection = PAYING
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    kept_place: Place | None = None
    read: list[OrderKey] = field(default_factory=list)

    def dated(self, status: Status, *, since: datetime, until: datetime) -> Iterator[Dated]:
        for key, kept in self.orders.kept.items():
            date = next_date(kept.order, self.connection)
            if kept.order.status is status and since <= date <= until:
                yield Dated(key=key, date=date)

    def place(self) -> Place | None:
        return self.kept_place

    def mark(self, place: Place) -> None:
        self.kept_place = place

    def record(self, *reports: Report) -> None:
        for one in reports:
            record(one, orders=self.orders, rules=RULES, now=one.seen_at)

    @property
    def watch(self) -> CommissionWatch:
        return CommissionWatch(
            index=self,
            connections=lambda: [self.connection],
            orders_of=lambda _connection: self.orders,
            checkpoint=self,
        )

    def run(self, now: datetime, *, most: int = 1000) -> list[Kind]:
        """What a run announces that has time for so many orders."""
        found = list(self.watch.candidates(now=now))
        self.read = [one.key for one in found]
        new = [one.kind for due in found[:most] for one in self.watch.judge(due.key, now=now)]
        self.watch.finish(found[most:], now=now)
        return new

    def why_withdrawn(self, now: datetime) -> str | None:
        kept = self.orders.kept[KEY]
        one = next(one for one in kept.announced if one.kind is Kind.COMMISSION_OVERDUE)
        return out_of_date(one, kept, self.connection, now=now)


def completed(at: float = 60, **details: Any) -> Report:
    return report(Status.COMPLETED, at, **details)


def paid(month: str) -> Report:
    return report(
        None,
        60 * 24 * 20,
        source=Source.PERSON,
        action=COMMISSION_PAID,
        action_key=f"paid-{month}",
        person="kim",
        note=month,
    )


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.record(completed())
    return made


def test_it_is_announced_once_from_the_day_after_it_was_expected(desk: Desk) -> None:
    before = [desk.run(DUE - hours * timedelta(hours=1)) for hours in (400, 30, 1)]
    assert before == [[], [], []]
    runs = [desk.run(DUE + minutes * timedelta(minutes=15)) for minutes in range(4)]
    assert runs == [[Kind.COMMISSION_OVERDUE], [], [], []]
    (one,) = [one for one in desk.orders.announced if one.kind is Kind.COMMISSION_OVERDUE]
    assert (one.occurred_at, one.status) == (DUE, Status.COMPLETED)


def test_what_is_repeated_or_looked_through_again_announces_nothing_again(desk: Desk) -> None:
    desk.run(DUE)
    desk.record(completed(), completed())
    desk.kept_place = None
    assert desk.run(DUE + DAY) == []


@pytest.mark.parametrize(
    "payment",
    [
        paid("2026-03"),
        report(None, 90, commission={"status": "paid", "paid_at": "2026-04-01T00:00:00Z"}),
        report(None, 90, commission={"status": "paid"}),
    ],
)
def test_what_is_seen_as_paid_in_time_is_not_announced(desk: Desk, payment: Report) -> None:
    desk.record(payment)
    assert desk.run(DUE) == []


def test_a_notice_is_withdrawn_once_the_payment_is_seen(desk: Desk) -> None:
    desk.run(DUE)
    assert desk.why_withdrawn(DUE + DAY) is None
    desk.record(paid("2026-03"))
    assert desk.why_withdrawn(DUE + DAY) == "none of its commissions is overdue any more"
    assert desk.run(DUE + 40 * DAY) == []


def test_an_order_that_is_corrected_is_announced_no_second_time(desk: Desk) -> None:
    desk.run(DUE)
    desk.record(report(Status.REJECTED, 100))
    assert desk.orders.kept[KEY].order.status is Status.REJECTED
    assert desk.why_withdrawn(DUE + DAY) == "none of its commissions is overdue any more"
    april = (datetime(2026, 4, 20, tzinfo=UTC) - minute(0)).total_seconds() / 60
    desk.record(completed(april))
    assert desk.orders.kept[KEY].order.status is Status.COMPLETED
    assert desk.run(datetime(2026, 5, 15, 14, tzinfo=UTC)) == []


def test_an_order_that_came_to_nothing_before_is_not_announced(desk: Desk) -> None:
    desk.record(report(Status.REJECTED, 100))
    assert desk.run(DUE) == []


def test_one_that_earned_until_it_was_cancelled_is(desk: Desk) -> None:
    desk.record(report(Status.CANCELLED, 3000))
    assert desk.run(DUE) == [Kind.COMMISSION_OVERDUE]


@pytest.mark.parametrize(
    "connection",
    [
        replace(PAYING, contact=None),
        replace(PAYING, commission=()),
        replace(PAYING, commission=(replace(TERMS, supplier="Another"),)),
        replace(PAYING, commission=(replace(TERMS, amount="0"),)),
    ],
)
def test_nobody_is_notified_without_a_contact_or_anything_to_expect(
    desk: Desk, connection: Connection
) -> None:
    desk.connection = connection
    assert desk.run(DUE) == []


def test_each_order_is_expected_by_the_day_of_its_own_terms() -> None:
    mobile = replace(TERMS, service="mobile", due_day=20)
    desk = Desk(connection=replace(PAYING, commission=(TERMS, mobile)))
    desk.record(completed(service_type="mobile"))
    assert [desk.run(DUE + days * DAY) for days in (0, 4, 5, 6)] == [
        *([], []),
        *([Kind.COMMISSION_OVERDUE], []),
    ]


def test_an_amount_that_the_provider_names_is_expected_by_the_first() -> None:
    desk = Desk(connection=replace(PAYING, commission=()))
    desk.record(completed(commission={"amount": 40, "currency": "AUD", "status": "earned"}))
    midnight = datetime(2026, 4, 1, 13, tzinfo=UTC)
    assert [desk.run(midnight - timedelta(seconds=1)), desk.run(midnight)] == [
        [],
        [Kind.COMMISSION_OVERDUE],
    ]


def test_of_a_monthly_one_a_later_month_is_announced_when_the_first_was_paid() -> None:
    desk = Desk(connection=replace(PAYING, commission=(MONTHLY,)))
    desk.record(report(Status.ACTIVE, 60))
    may, june = datetime(2026, 5, 15, 14, tzinfo=UTC), datetime(2026, 6, 15, 14, tzinfo=UTC)
    assert [desk.run(now) for now in (DUE, may)] == [[Kind.COMMISSION_OVERDUE], []]
    desk.record(paid("2026-03"))
    assert [desk.run(now) for now in (june, june + DAY)] == [[Kind.COMMISSION_OVERDUE], []]
    last = desk.orders.announced[-1]
    assert (last.kind, last.occurred_at) == (Kind.COMMISSION_OVERDUE, may)


def test_a_run_that_ends_early_goes_on_where_it_ended_and_reads_no_order_twice() -> None:
    desk = Desk()
    keys = [OrderKey(OFFERGRID.id, f"ord-{number}", f"item-{number}") for number in range(5)]
    desk.record(*(report(Status.COMPLETED, 60, key=key) for key in keys))
    said, read = [], []
    for minutes in range(4):
        said.append(len(desk.run(DUE + minutes * timedelta(minutes=15), most=2)))
        read.append(len(desk.read))
    assert (said, read) == ([2, 2, 1, 0], [5, 3, 1, 0])


def test_after_an_outage_the_commissions_of_two_weeks_are_looked_at_and_no_older_ones() -> None:
    late, too_late = Desk(), Desk()
    for desk in (late, too_late):
        desk.record(completed())
    assert late.run(DUE + 14 * DAY) == [Kind.COMMISSION_OVERDUE]
    assert too_late.run(DUE + 14 * DAY + timedelta(minutes=1)) == []


def test_one_that_was_overdue_long_ago_is_not_announced_because_other_terms_are_due() -> None:
    others = replace(MONTHLY, supplier="Another")
    desk = Desk(connection=replace(PAYING, commission=(TERMS, others)))
    desk.record(completed())
    assert [desk.run(DUE + days * DAY) for days in (15, 30, 31)] == [[], [], []]


def test_a_run_as_of_a_later_moment_leaves_no_earlier_order_out(desk: Desk) -> None:
    later_on, now = DUE + 40 * DAY, DUE - DAY
    left = Due(Place(later_on, str(KEY)), KEY)
    desk.watch.finish([left], now=now)
    assert desk.kept_place == Place(now)


def test_between_midnights_no_order_is_looked_at(desk: Desk) -> None:
    desk.run(DUE + timedelta(minutes=15))
    desk.run(DUE + DAY)
    assert desk.read == []
