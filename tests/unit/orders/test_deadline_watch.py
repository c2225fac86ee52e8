"""What is overdue, and what was announced and never told."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.connections.connection import Connection, UnknownConnection
from milepost.orders.deadline_watch import DeadlineWatch, judged
from milepost.orders.indexed_orders import LastAnnounced, PastDueOrder
from milepost.orders.order import OVERDUE, Announcement, Kind, OrderKey, Overdue, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import LostRace, record
from milepost.orders.report import Report, Source
from tests.builders import KEY, NOON, OFFERGRID, announcement, minute, report, tracked
from tests.fakes.orders import MemoryOrders

DAY = timedelta(days=1)
LOOKED_AFTER = replace(OFFERGRID, contact="lead@example.org")
RULES = Rules(waits=lambda _status, details: details.get("account_number"))
LATE = NOON + 3 * DAY + timedelta(minutes=1)
"""A little after an order that was accepted at noon became overdue."""
VERY_LATE = LATE + 2 * DAY


@dataclass
class Desk:
    """Orders in memory; implements ``Connections`` and ``overdue.WatchList`` for them."""

    orders: MemoryOrders = field(default_factory=MemoryOrders)
    connection: Connection = LOOKED_AFTER

    def get(self, connection_id: str) -> Connection:
        if connection_id != self.connection.id:
            raise UnknownConnection(connection_id)
        return self.connection

    def past(self, *, now: datetime) -> Iterator[PastDueOrder]:
        for key, kept in self.orders.kept.items():
            yield PastDueOrder(
                key=key,
                status=kept.order.status,
                appointment=kept.order.appointment,
                overdue=kept.overdue,
                is_acknowledged=kept.overdue is not None
                and OVERDUE not in {reason.code for reason in kept.attention},
            )

    def announced(
        self, *, since: datetime, until: datetime, closed_since: datetime
    ) -> Iterator[LastAnnounced]:
        yield from ()

    @property
    def watch(self) -> DeadlineWatch:
        return DeadlineWatch(
            watch_list=self, connections=self, orders_of=lambda _connection: self.orders
        )

    def record(self, *reports: Report) -> None:
        for one in reports:
            record(one, orders=self.orders, rules=RULES, now=one.seen_at)

    def run(self, now: datetime) -> list[Kind]:
        """What a run announces."""
        watch = self.watch
        found = [one.key for one in watch.candidates(now=now)]
        return [new.kind for key in found for new in watch.judge(key, now=now)]

    @property
    def kept(self) -> TrackedOrder:
        return self.orders.kept[KEY]

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.kept.attention]


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.record(report(Status.SUBMITTED, -60), report(Status.ACCEPTED, 0))
    return made


def seen_to(kept: TrackedOrder, at: datetime) -> Report:
    assert kept.overdue is not None
    minutes = (at - NOON) / timedelta(minutes=1)
    acknowledged = [kept.overdue.reason.id]
    return report(None, minutes, source=Source.PERSON, action_key="k", acknowledged=acknowledged)


def test_an_order_within_its_time_is_left_alone(desk: Desk) -> None:
    assert desk.run(NOON + 2 * DAY) == []
    assert desk.kept.overdue is None


def test_an_order_beyond_its_time_is_marked_and_told_once(desk: Desk) -> None:
    assert [desk.run(LATE), desk.run(LATE), desk.run(LATE + timedelta(hours=1))] == [
        [Kind.OVERDUE],
        [],
        [],
    ]
    assert desk.kept.overdue == Overdue(
        status=Status.ACCEPTED,
        since=NOON,
        deadline=NOON + 3 * DAY,
        allowed="3 days",
        marked_at=LATE,
    )
    told = desk.orders.announced[-1]
    assert (told.kind, told.status, told.occurred_at, told.announced_at) == (
        Kind.OVERDUE,
        Status.ACCEPTED,
        NOON + 3 * DAY,
        LATE,
    )


def test_it_says_what_stage_since_when_and_what_was_allowed(desk: Desk) -> None:
    desk.run(LATE)
    (reason,) = desk.kept.attention
    assert reason.code == OVERDUE
    assert reason.text.startswith(
        "The order has been accepted since 2026-03-02T12:00:00Z; allowed was 3 days, "
        "until 2026-03-05T12:00:00Z."
    )


def test_the_mark_goes_when_the_stage_does(desk: Desk) -> None:
    desk.run(LATE)
    desk.record(report(Status.SCHEDULED, 5000, appointment="2026-04-12"))
    assert desk.kept.overdue is None
    assert desk.codes == []


def test_the_mark_stays_with_news_that_move_no_deadline(desk: Desk) -> None:
    desk.run(LATE)
    desk.record(report(Status.ACCEPTED, 5000, reference="PP-1"))
    assert desk.codes == [OVERDUE]


def test_a_new_stage_is_told_anew(desk: Desk) -> None:
    desk.run(LATE)
    desk.record(report(Status.IN_PROGRESS, 5000))
    assert desk.run(minute(5000 + 4 * 60 + 1)) == [Kind.OVERDUE]
    kinds = [one.kind for one in desk.orders.announced]
    assert kinds == [Kind.ACCEPTED, Kind.OVERDUE, Kind.OVERDUE]


def test_an_appointment_that_moved_is_marked_again_and_told_no_more() -> None:
    desk = Desk()
    desk.record(report(Status.SCHEDULED, 0, appointment="2026-03-03"))
    assert desk.run(NOON + 2 * DAY) == [Kind.OVERDUE]
    desk.record(report(Status.SCHEDULED, 3000, appointment="2026-03-06"))
    assert desk.codes == []
    assert desk.run(NOON + 6 * DAY) == []
    assert desk.codes == [OVERDUE]


def test_on_the_day_of_the_appointment_nothing_is_overdue() -> None:
    desk = Desk()
    desk.record(report(Status.SCHEDULED, 0, appointment="2026-03-03T02:00:00Z"))
    on_site = datetime.fromisoformat("2026-03-03T05:59:00Z")
    assert list(desk.watch.candidates(now=on_site)) == []
    assert len(list(desk.watch.candidates(now=on_site + timedelta(minutes=2)))) == 1


def test_while_the_customer_is_waited_for_nothing_is_overdue_and_then_the_clock_goes_on() -> None:
    desk = Desk(connection=replace(LOOKED_AFTER, wait_days={"contact": 20.0}))
    desk.record(report(Status.ACCEPTED, 0), report(Status.ACCEPTED, 60, account_number="contact"))
    assert desk.run(VERY_LATE) == []
    desk.record(report(Status.ACCEPTED, 60 + 10 * 24 * 60, account_number=""))
    assert desk.run(LATE + 9 * DAY) == []
    assert desk.run(LATE + 10 * DAY) == [Kind.OVERDUE]
    assert "240 hours of waiting for the customer" in desk.kept.attention[0].text


def test_a_wait_takes_the_mark_away(desk: Desk) -> None:
    desk.run(LATE)
    desk.record(report(Status.ACCEPTED, 5000, account_number="contact"))
    assert desk.codes == []


def test_what_stays_overdue_is_escalated_once(desk: Desk) -> None:
    desk.run(LATE)
    assert desk.run(VERY_LATE - timedelta(hours=1)) == []
    assert [desk.run(VERY_LATE), desk.run(VERY_LATE), desk.run(VERY_LATE + 9 * DAY)] == [
        [Kind.ESCALATED],
        [],
        [],
    ]
    assert desk.kept.overdue is not None
    assert desk.kept.overdue.escalated_at == VERY_LATE


def test_without_a_contact_nothing_is_escalated(desk: Desk) -> None:
    desk.connection = OFFERGRID
    desk.run(LATE)
    assert desk.run(VERY_LATE) == []


def test_what_a_person_acknowledged_shows_no_more_and_is_not_escalated(desk: Desk) -> None:
    desk.run(LATE)
    desk.record(seen_to(desk.kept, LATE))
    assert desk.codes == []
    assert desk.kept.overdue is not None
    assert desk.run(VERY_LATE) == []


def test_settings_that_give_more_time_take_the_mark_back(desk: Desk) -> None:
    desk.run(LATE)
    desk.connection = replace(LOOKED_AFTER, stage_days={"accepted": 30.0})
    assert desk.run(VERY_LATE) == []
    assert desk.kept.overdue is None


def test_orders_of_a_connection_that_was_removed_are_left_alone(desk: Desk) -> None:
    desk.connection = replace(LOOKED_AFTER, id="another")
    assert desk.run(LATE) == []


@pytest.mark.parametrize("change", ["erased", "gone"])
def test_an_order_that_is_no_more_is_left_alone(desk: Desk, change: str) -> None:
    kept = desk.kept if change == "erased" else None
    tombstone = replace(kept, erased_at=LATE) if kept else None
    assert judged(tombstone, LOOKED_AFTER, now=LATE) == (None, ())


def test_who_loses_a_race_judges_what_the_winner_wrote(desk: Desk) -> None:
    def meanwhile() -> None:
        desk.record(report(Status.SCHEDULED, 4000, appointment="2026-04-12"))

    desk.orders.before_write = meanwhile
    assert desk.run(LATE) == []
    assert (desk.kept.order.status, desk.kept.overdue) == (Status.SCHEDULED, None)


def test_two_runs_at_once_tell_once(desk: Desk) -> None:
    desk.orders.before_write = lambda: desk.watch.judge(KEY, now=LATE) and None
    desk.run(LATE)
    assert [one.kind for one in desk.orders.announced] == [Kind.ACCEPTED, Kind.OVERDUE]


def test_a_report_that_loses_against_the_mark_keeps_it(desk: Desk) -> None:
    desk.orders.before_write = lambda: desk.watch.judge(KEY, now=LATE) and None
    desk.record(report(Status.ACCEPTED, 5000, reference="PP-1"))
    assert desk.codes == [OVERDUE]
    assert desk.kept.order.details.get("reference") == "PP-1"


def test_after_many_lost_races_the_next_run_tries_again() -> None:
    class Contested(MemoryOrders):
        def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
            raise LostRace(self.kept[KEY])

    contested = Contested()
    contested.kept[KEY] = tracked(report(Status.ACCEPTED, 0))
    watch = replace(Desk().watch, orders_of=lambda _connection: contested)
    with pytest.raises(LostRace):
        watch.judge(KEY, now=LATE)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=30), st.integers(0, 200))
def test_however_often_and_whenever_it_runs_each_stage_is_told_and_escalated_once(
    hours: list[int], moves_at: int
) -> None:
    desk = Desk()
    desk.record(report(Status.ACCEPTED, 0))
    for hour in sorted(hours):
        if hour >= moves_at and desk.kept.order.status is Status.ACCEPTED:
            desk.record(report(Status.IN_PROGRESS, moves_at * 60))
        desk.run(NOON + timedelta(hours=hour))
    told = [(one.kind, one.status) for one in desk.orders.announced if one.kind in _BY_TIME]
    assert len(told) == len(set(told))


_BY_TIME: Any = frozenset({Kind.OVERDUE, Kind.ESCALATED})


def test_an_earlier_time_in_the_same_status_is_another_stage() -> None:
    before = announcement(Kind.OVERDUE, occurred_at=NOON - DAY, status=Status.ACCEPTED)
    kept = tracked(report(Status.ACCEPTED, 0), announced=(before,))
    _, new = judged(kept, LOOKED_AFTER, now=LATE)
    assert [(one.kind, one.sequence) for one in new] == [(Kind.OVERDUE, 2)]


def test_keys_of_other_connections_are_no_candidates(desk: Desk) -> None:
    other = OrderKey("removed", "ord-1", "item-1")
    desk.orders.kept[other] = tracked(report(Status.ACCEPTED, 0, key=other))
    assert [one.key for one in desk.watch.candidates(now=LATE)] == [KEY]
