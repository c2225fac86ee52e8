"""Reminders, delays and follow-ups: when each is announced, and that it is announced once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection, FollowUp
from milepost.notifications.eligibility import out_of_date
from milepost.orders.deadline_watch import DeadlineWatch
from milepost.orders.deadlines import next_date
from milepost.orders.indexed_orders import Dated
from milepost.orders.order import Announcement, Attention, Kind
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import record
from milepost.orders.report import Report, Source
from milepost.orders.timed_announcements import TimedWatch
from tests.builders import KEY, NOON, OFFERGRID, announcement, minute, report
from tests.fakes.orders import MemoryOrders

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AGREED = "2026-03-12T02:00:00Z"
BEGINS = datetime.fromisoformat(AGREED)
OFFERED = replace(
    OFFERGRID,
    customer_notices=frozenset({Kind.DELAYED, Kind.FOLLOW_UP, Kind.REMINDER}),
    follow_up=FollowUp(link="https://survey.example/x", after_days=7.0),
)
DELAYS = replace(OFFERED, reminder_hours=())


@dataclass
class Desk:
    """Orders in memory, and the index over them."""

    connection: Connection = OFFERED
    rules: Rules = field(default_factory=Rules)
    orders: MemoryOrders = field(default_factory=MemoryOrders)

    def dated(self, status: Status, *, since: datetime, until: datetime) -> Iterator[Dated]:
        for key, kept in self.orders.kept.items():
            date = next_date(kept.order, self.connection)
            if kept.order.status is status and since <= date <= until:
                yield Dated(key=key, date=date, appointment=kept.order.appointment)

    def record(self, *reports: Report) -> None:
        for one in reports:
            record(one, orders=self.orders, rules=self.rules, now=one.seen_at)

    def run(self, now: datetime) -> list[Kind]:
        """What a run announces by the clock alone."""
        watch = TimedWatch(
            index=self,
            connections=lambda: [self.connection],
            orders_of=lambda _connection: self.orders,
        )
        found = list(watch.candidates(now=now))
        return [one.kind for key in found for one in watch.judge(key, now=now)]

    def late(self, now: datetime) -> list[Kind]:
        """What is announced of lateness."""
        watch = DeadlineWatch(
            watch_list=self,  # type: ignore[arg-type]
            connections=self,
            orders_of=lambda _connection: self.orders,
        )
        return [one.kind for one in watch.judge(KEY, now=now)]

    def get(self, connection_id: str) -> Connection:
        return self.connection

    def reminders(self) -> list[Announcement]:
        return [one for one in self.orders.announced if one.kind is Kind.REMINDER]

    def why_withdrawn(self, now: datetime) -> str | None:
        return out_of_date(self.reminders()[-1], self.orders.kept[KEY], self.connection, now=now)


def scheduled(at: float = 0, appointment: str = AGREED, **details: Any) -> Report:
    return report(Status.SCHEDULED, at, appointment=appointment, **details)


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.record(scheduled())
    return made


def test_people_are_reminded_48_and_2_hours_before_once_each(desk: Desk) -> None:
    hours = (49, 48, 47.75, 24, 2, 1.75, 1, 0.1)
    said = {hour: desk.run(BEGINS - hour * HOUR) for hour in hours}
    assert [hour for hour, kinds in said.items() if kinds] == [48, 2]
    assert [one.occurred_at for one in desk.reminders()] == [BEGINS - 48 * HOUR, BEGINS - 2 * HOUR]


def test_a_connection_sets_the_hours_and_none_turns_reminders_off(desk: Desk) -> None:
    desk.connection = replace(OFFERED, reminder_hours=(24.0,))
    assert desk.run(BEGINS - 48 * HOUR) == []
    assert desk.run(BEGINS - 24 * HOUR) == [Kind.REMINDER]
    desk.connection = replace(OFFERED, reminder_hours=())
    assert desk.run(BEGINS - 2 * HOUR) == []


def test_an_appointment_without_a_time_begins_at_nine_and_is_reminded_of_by_days() -> None:
    desk = Desk()
    desk.record(scheduled(appointment="2026-03-12"))
    # 9:00 on 12 March in Melbourne.
    nine = datetime.fromisoformat("2026-03-11T22:00:00Z")
    assert desk.run(nine - 48 * HOUR - timedelta(minutes=1)) == []
    assert desk.run(nine - 48 * HOUR) == [Kind.REMINDER]
    assert desk.run(nine - 2 * HOUR) == []


def test_nobody_is_reminded_of_what_they_were_told_later_than_the_reminder() -> None:
    desk = Desk()
    desk.record(scheduled((BEGINS - NOON - 30 * HOUR) / timedelta(minutes=1)))
    assert desk.run(BEGINS - 29 * HOUR) == []
    assert desk.run(BEGINS - 2 * HOUR) == [Kind.REMINDER]


@pytest.mark.parametrize(("late", "said"), [(10, [Kind.REMINDER]), (6 * 60 + 1, [])])
def test_the_team_is_reminded_to_complete_what_had_begun_when_it_became_known(
    late: int, said: list[Kind]
) -> None:
    desk = Desk()
    learned = (BEGINS - NOON) / timedelta(minutes=1) + late
    desk.record(scheduled(learned, completed_by="fulfill"))
    assert desk.run(BEGINS + timedelta(minutes=late)) == said
    assert desk.run(BEGINS + timedelta(minutes=late + 15)) == []


def test_after_an_outage_only_the_last_reminder_comes_and_none_of_what_has_begun(
    desk: Desk,
) -> None:
    assert desk.run(BEGINS - HOUR) == [Kind.REMINDER]
    assert desk.reminders()[0].occurred_at == BEGINS - 2 * HOUR
    late = Desk()
    late.record(scheduled())
    assert late.run(BEGINS - 41 * HOUR) == []
    assert late.run(BEGINS + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (scheduled(9000, "2026-03-20T02:00:00Z"), "its appointment was changed since"),
        (report(Status.CANCELLED, 9000), "the order is cancelled now"),
        (report(Status.IN_PROGRESS, 9000), "the order is in progress now"),
    ],
)
def test_a_reminder_is_withdrawn_when_the_appointment_moves_or_goes(
    desk: Desk, after: Report, why: str
) -> None:
    desk.run(BEGINS - 48 * HOUR)
    assert desk.why_withdrawn(BEGINS - 47 * HOUR) is None
    desk.record(after)
    assert desk.why_withdrawn(BEGINS - 47 * HOUR) == why


def test_a_reminder_is_withdrawn_when_the_appointment_was_moved_and_nobody_was_told(
    desk: Desk,
) -> None:
    desk.run(BEGINS - 48 * HOUR)
    moved = scheduled(9000, "2026-03-20T02:00:00Z")
    record(moved, orders=desk.orders, rules=Rules(), now=moved.seen_at, announce=False)
    assert desk.why_withdrawn(BEGINS - 47 * HOUR) is not None


def test_a_moved_appointment_is_reminded_of_again_and_one_that_moved_back_too(desk: Desk) -> None:
    desk.run(BEGINS - 48 * HOUR)
    desk.record(scheduled(11_400, "2026-03-20T02:00:00Z"))
    assert desk.run(BEGINS + 8 * DAY - 48 * HOUR) == [Kind.REMINDER]
    desk.record(scheduled(20_000, "2026-03-30T02:00:00Z"))
    assert desk.run(BEGINS + 18 * DAY - 48 * HOUR) == [Kind.REMINDER]


@given(st.lists(st.integers(0, 14 * 96), max_size=40), st.integers(0, 14 * 96))
def test_however_often_and_whenever_it_runs_each_reminder_is_announced_once(
    quarters: list[int], moves_at: int
) -> None:
    desk = Desk()
    desk.record(scheduled())
    moved = False
    for quarter in sorted(quarters):
        if quarter >= moves_at and not moved:
            desk.record(scheduled(moves_at * 15, "2026-03-14T02:00:00Z"))
            moved = True
        desk.run(NOON + quarter * timedelta(minutes=15))
    times = [one.occurred_at for one in desk.reminders()]
    assert len(times) == len(set(times)) <= 4


def test_two_runs_at_once_remind_once(desk: Desk) -> None:
    now = BEGINS - 48 * HOUR
    desk.orders.before_write = lambda: desk.run(now) and None
    desk.run(now)
    assert len(desk.reminders()) == 1


def test_the_team_is_reminded_to_complete_what_it_completes_itself() -> None:
    desk = Desk()
    desk.record(scheduled(completed_by="fulfill"))
    assert desk.run(BEGINS) == [Kind.REMINDER]
    assert desk.run(BEGINS + HOUR) == []
    assert desk.why_withdrawn(BEGINS + HOUR) is None


def desk_with_plan(where: str, planned_for: str) -> Desk:
    """An order that is to be completed at this time, as planned at the provider or here."""
    desk = Desk()
    planned = {"fulfilment_at": planned_for} if where == "provider" else {}
    desk.record(scheduled(completed_by="fulfill", **planned))
    if where == "here":
        plan = report(
            None,
            10,
            source=Source.PERSON,
            action="fulfill",
            action_key="k",
            person="ana",
            result="planned",
            planned_for=planned_for,
        )
        desk.record(plan)
    return desk


@pytest.mark.parametrize("where", ["provider", "here"])
def test_nobody_is_reminded_to_complete_what_is_planned(where: str) -> None:
    desk = desk_with_plan(where, "2026-03-12T03:00:00Z")
    assert desk.run(BEGINS + timedelta(minutes=1)) == []


@pytest.mark.parametrize("where", ["provider", "here"])
def test_an_order_is_not_overdue_before_its_planned_completion(where: str) -> None:
    planned = BEGINS + timedelta(days=2)
    desk = desk_with_plan(where, format_instant(planned))
    assert desk.late(planned + 3 * HOUR) == []
    assert Kind.OVERDUE in desk.late(planned + 5 * HOUR)
    mark = desk.orders.kept[KEY].overdue
    assert mark is not None
    assert mark.allowed == f"its planned completion ({format_instant(planned)})"


def test_a_plan_beyond_twice_the_track_does_not_keep_an_order_from_being_overdue() -> None:
    desk = desk_with_plan("provider", "2026-09-01T08:00:00Z")
    assert Kind.OVERDUE in desk.late(BEGINS + 60 * DAY)


def test_a_delay_is_announced_with_what_is_overdue_once_an_appointment() -> None:
    desk = Desk(DELAYS)
    desk.record(scheduled())
    over = BEGINS + 4 * HOUR
    assert desk.late(over) == [Kind.OVERDUE, Kind.DELAYED]
    assert desk.late(over + HOUR) == []
    desk.record(scheduled(14_000, "2026-03-20T02:00:00Z"))
    assert desk.late(over + 8 * DAY) == [Kind.DELAYED]
    assert desk.late(over + 9 * DAY) == []


def test_a_stage_that_takes_too_long_is_a_delay_and_a_wait_for_the_customer_is_none() -> None:
    desk = Desk(DELAYS)
    desk.record(report(Status.ACCEPTED, 0))
    assert desk.late(NOON + 3 * DAY) == [Kind.OVERDUE, Kind.DELAYED]
    waits = Desk(DELAYS, Rules(waits=lambda _status, _details: "payment"))
    waits.record(report(Status.ACCEPTED, 0))
    assert waits.late(NOON + 30 * DAY) == [Kind.OVERDUE]


def test_without_the_setting_there_are_no_delays_and_no_follow_ups() -> None:
    desk = Desk(OFFERGRID)
    desk.record(report(Status.ACCEPTED, 0))
    assert desk.late(NOON + 3 * DAY) == [Kind.OVERDUE]
    desk.record(report(Status.COMPLETED, 5000))
    assert desk.run(minute(5000) + 7 * DAY) == []


def test_a_customer_is_followed_up_once_some_days_after_completion(desk: Desk) -> None:
    desk.record(report(Status.COMPLETED, 15_000))
    done = minute(15_000)
    assert desk.run(done + 7 * DAY - timedelta(minutes=1)) == []
    assert desk.run(done + 7 * DAY) == [Kind.FOLLOW_UP]
    desk.record(report(Status.ACTIVE, 15_000 + 8 * 24 * 60))
    assert [desk.run(done + days * DAY) for days in (8, 14, 15, 16)] == [[], [], [], []]


def test_orders_that_were_complete_long_before_are_left_alone(desk: Desk) -> None:
    desk.record(report(Status.COMPLETED, 15_000))
    assert desk.run(minute(15_000) + 11 * DAY) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_nobody_is_followed_up_after_a_cancellation(desk: Desk, when: str) -> None:
    desk.rules = Rules(
        recovers={"cancelled": frozenset({Status.COMPLETED})},
        continues={"completed": frozenset({Status.CANCELLED})},
    )
    moves = [report(Status.CANCELLED, 15_000), report(Status.COMPLETED, 15_001)]
    if when == "after":
        moves = [report(Status.COMPLETED, 15_000), report(Status.CANCELLED, 15_001)]
    desk.record(*moves)
    assert desk.run(minute(15_001) + 7 * DAY) == []


def test_a_follow_up_is_withdrawn_when_a_person_should_look_at_the_order(desk: Desk) -> None:
    desk.record(report(Status.COMPLETED, 15_000))
    at = minute(15_000) + 7 * DAY
    desk.run(at)
    one = announcement(Kind.FOLLOW_UP, 9, status=Status.COMPLETED)
    kept = desk.orders.kept[KEY]
    assert out_of_date(one, kept, OFFERED, now=at) is None
    reason = Attention("payment_failed", "The customer's payment failed.")
    troubled = replace(kept, order=replace(kept.order, attention=(reason,)))
    assert out_of_date(one, troubled, OFFERED, now=at) == "the order needs attention"
