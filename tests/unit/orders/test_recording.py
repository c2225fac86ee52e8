"""Taking a report into its order, whoever else is writing to it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.orders.order import Kind
from milepost.orders.recording import MOST_LOST_RACES, LostRace, Recorded, RecordOutcome, record
from milepost.orders.report import Report, Source
from tests.builders import KEY, RULES, minute, report
from tests.fakes.orders import MemoryOrders


def take_in(one: Report, orders: MemoryOrders, **how: bool) -> Recorded:
    return record(one, orders=orders, rules=RULES, now=one.seen_at, **how)


def test_the_first_report_makes_the_order() -> None:
    orders = MemoryOrders()
    recorded = take_in(report(Status.ACCEPTED), orders)
    assert (recorded.outcome, recorded.status) == (RecordOutcome.TRANSITION, Status.ACCEPTED)
    assert orders.kept[KEY].version == 1


def test_a_duplicate_is_not_written() -> None:
    orders = MemoryOrders()
    take_in(report(Status.ACCEPTED), orders)
    recorded = take_in(report(Status.ACCEPTED, seen=99, source=Source.POLL), orders)
    assert (recorded.outcome, recorded.announced) == (RecordOutcome.DUPLICATE, ())
    assert len(orders.written) == 1


def test_a_late_report_is_written_and_tells_nobody() -> None:
    orders = MemoryOrders()
    take_in(report(Status.COMPLETED, 30), orders)
    recorded = take_in(report(Status.ACCEPTED, 20), orders)
    assert (recorded.outcome, recorded.announced) == (RecordOutcome.RECORDED, ())
    assert len(orders.kept[KEY].order.timeline) == 2


def test_who_loses_a_race_folds_again_on_what_the_winner_wrote() -> None:
    orders = MemoryOrders()
    take_in(report(Status.PENDING, 0), orders)
    orders.before_write = lambda: _ignore(take_in(report(Status.ACCEPTED, 5), orders))
    take_in(report(Status.SCHEDULED, 9), orders)
    kept = orders.kept[KEY]
    assert [e.report.status for e in kept.order.timeline] == [
        Status.PENDING,
        Status.ACCEPTED,
        Status.SCHEDULED,
    ]
    assert [(one.sequence, one.kind) for one in orders.announced] == [
        (1, Kind.ACCEPTED),
        (2, Kind.SCHEDULED),
    ]


def test_two_workers_with_the_same_delivery_make_one_transition() -> None:
    orders = MemoryOrders()
    orders.before_write = lambda: _ignore(take_in(report(Status.ACCEPTED), orders))
    recorded = take_in(report(Status.ACCEPTED, seen=3), orders)
    assert recorded.outcome is RecordOutcome.DUPLICATE
    assert [one.kind for one in orders.announced] == [Kind.ACCEPTED]


def test_a_write_whose_answer_was_lost_counts_once() -> None:
    class ForgetfulOrders(MemoryOrders):
        """The first answer is lost on its way, so the client sends the same write again."""

        def write(self, tracked, *, new):  # type: ignore[no-untyped-def]
            super().write(tracked, new=new)
            super().write(tracked, new=new)

    orders = ForgetfulOrders()
    recorded = take_in(report(Status.ACCEPTED), orders)
    assert recorded.outcome is RecordOutcome.TRANSITION
    assert len(orders.announced) == 1


def test_a_report_gives_up_after_many_lost_races_and_can_be_tried_again() -> None:
    class BusyOrders(MemoryOrders):
        attempts = 0

        def write(self, tracked, *, new):  # type: ignore[no-untyped-def]
            self.attempts += 1
            raise LostRace(replace(tracked, order=other, version=self.attempts))

    other = _order_of(report(Status.PENDING, 0))
    orders = BusyOrders()
    with pytest.raises(LostRace):
        take_in(report(Status.ACCEPTED, 5), orders)
    assert orders.attempts == MOST_LOST_RACES + 1


def test_a_replay_may_be_told_to_nobody() -> None:
    orders = MemoryOrders()
    recorded = take_in(report(Status.ACCEPTED), orders, announce=False)
    assert (recorded.outcome, recorded.announced) == (RecordOutcome.TRANSITION, ())
    assert orders.announced == []


def test_nothing_comes_back_of_an_erased_order() -> None:
    orders = MemoryOrders()
    take_in(report(Status.ACCEPTED), orders)
    orders.kept[KEY] = replace(orders.kept[KEY], erased_at=minute(60))
    recorded = take_in(report(Status.COMPLETED, 90, customer={"name": "Charlotte"}), orders)
    assert recorded.outcome is RecordOutcome.ERASED
    assert len(orders.written) == 1


def test_a_provider_without_a_clock_says_the_same_only_once() -> None:
    orders = MemoryOrders()
    for at in range(5):
        take_in(report(Status.ACCEPTED, at, dated_by_fetch=True, reference="V-1"), orders)
    assert len(orders.written) == 1
    take_in(report(Status.SCHEDULED, 6, dated_by_fetch=True, reference="V-1"), orders)
    take_in(report(Status.ACCEPTED, 7, dated_by_fetch=True, reference="V-1"), orders)
    assert len(orders.written) == 3


@given(st.permutations(list(range(5))), st.lists(st.integers(0, 4), max_size=6))
def test_any_order_of_arrival_ends_in_the_same_order_and_tells_nothing_twice(
    arrival: list[int], repeated: list[int]
) -> None:
    life = [
        report(Status.PENDING, 0),
        report(Status.ACCEPTED, 10),
        report(Status.SCHEDULED, 20, appointment="2026-03-12"),
        report(Status.SCHEDULED, 25, appointment="2026-03-14"),
        report(Status.COMPLETED, 30),
    ]
    orders = MemoryOrders()
    for place in [*arrival, *repeated]:
        take_in(life[place], orders)
    in_time = MemoryOrders()
    for one in life:
        take_in(one, in_time)
    assert orders.kept[KEY].order == in_time.kept[KEY].order
    kinds = [one.kind for one in orders.announced]
    assert len(kinds) == len(set(kinds))
    assert kinds[-1] is Kind.COMPLETED


def _ignore(_recorded: Recorded) -> None:
    return None


def _order_of(one: Report):  # type: ignore[no-untyped-def]
    orders = MemoryOrders()
    take_in(one, orders)
    return orders.kept[KEY].order
