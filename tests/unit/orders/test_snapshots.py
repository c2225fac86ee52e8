"""A snapshot says the whole order; an event says a part of it."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.orders.lifecycle import fold
from milepost.orders.order import Effect, Kind, Order, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import RecordOutcome, record
from milepost.orders.report import Report, Source
from tests.builders import KEY, OFFERGRID, RULES, minute, report, stored_and_read, tracked
from tests.fakes.orders import MemoryOrders

EVENTS_TELL_ACCOUNTS = Rules(event_facts=frozenset({"account_number"}))


def snapshot(status: Status | None, at: float = 0, *, taken: float, **facts: Any) -> Report:
    """A poll's report of an order that last changed at one minute and was asked for at another."""
    polled = report(status, at, seen=taken, source=Source.POLL, **facts)
    return replace(polled, snapshot_at=minute(taken))


def take_in(orders: MemoryOrders, *reports: Report, rules: Rules = RULES) -> list[RecordOutcome]:
    return [record(one, orders=orders, rules=rules, now=one.seen_at).outcome for one in reports]


def standing(order: Order) -> tuple[Any, ...]:
    """All that people see of an order."""
    return (order.status, order.since, order.details, order.attention)


def test_what_a_snapshot_leaves_out_holds_no_more() -> None:
    order = fold(
        [
            snapshot(Status.SCHEDULED, 0, taken=1, appointment="2026-03-12", reference="PP-1"),
            snapshot(Status.SCHEDULED, 5, taken=6, reference="PP-1"),
        ],
        RULES,
    )
    assert order.details == {"reference": "PP-1"}


def test_what_an_event_leaves_out_stays() -> None:
    order = fold(
        [
            snapshot(Status.SCHEDULED, 0, taken=1, appointment="2026-03-12"),
            report(Status.SCHEDULED, 5, account_number="AC-1"),
        ],
        RULES,
    )
    assert order.details == {"appointment": "2026-03-12", "account_number": "AC-1"}


def test_a_snapshot_leaves_what_events_alone_can_say() -> None:
    order = fold(
        [
            report(Status.ACCEPTED, 0, account_number="AC-1", reason="checked"),
            snapshot(Status.ACCEPTED, 5, taken=6, reference="PP-1"),
        ],
        EVENTS_TELL_ACCOUNTS,
    )
    assert order.details == {"account_number": "AC-1", "reference": "PP-1"}


def test_a_snapshot_leaves_what_people_did() -> None:
    seen = report(
        None, 2, source=Source.PERSON, action="note", action_key="k", note="call", person="kim"
    )
    strange = snapshot(None, 1, taken=1, raw="on_hold")
    reason = fold([strange], RULES).attention[0]
    done = report(
        None,
        3,
        source=Source.PERSON,
        action="acknowledge",
        action_key="l",
        acknowledged=[reason.id],
    )
    order = fold([strange, seen, done, snapshot(None, 1, taken=9, raw="on_hold")], RULES)
    assert [entry.report.details.get("note") for entry in order.timeline] == [None, "call", None]
    assert order.attention == ()


def test_a_snapshot_out_of_sequence_takes_no_fact_away() -> None:
    order = fold(
        [
            report(Status.COMPLETED, 0, account_number="AC-1"),
            snapshot(Status.PENDING, 5, taken=6),
        ],
        RULES,
    )
    assert order.details == {"account_number": "AC-1"}
    assert order.last_entry.effect is Effect.OUT_OF_SEQUENCE


@pytest.mark.parametrize("first", ["2026-03-12", "2026-03-13", None])
@pytest.mark.parametrize("second", ["2026-03-14", "2026-03-11", None])
def test_of_two_snapshots_of_one_instant_the_one_taken_later_holds(
    first: str | None, second: str | None
) -> None:
    said = [
        snapshot(Status.SCHEDULED, 0, taken=taken, **({"appointment": day} if day else {}))
        for taken, day in ((1, first), (2, second))
    ]
    for arrived in (said, said[::-1]):
        assert fold(arrived, RULES).appointment == second
        orders = MemoryOrders()
        take_in(orders, *arrived)
        assert orders.kept[KEY].order.appointment == second


def test_what_was_said_before_and_is_said_again_holds_again() -> None:
    """A, then B, then A again, all of one instant: A holds, and each change is told."""
    orders = MemoryOrders()
    days = ["2026-03-12", "2026-03-13", "2026-03-12"]
    said = [
        snapshot(Status.SCHEDULED, 0, taken=taken, appointment=day)
        for taken, day in enumerate(days)
    ]
    assert take_in(orders, *said) == [
        RecordOutcome.TRANSITION,
        RecordOutcome.RECORDED,
        RecordOutcome.RECORDED,
    ]
    kept = orders.kept[KEY]
    assert kept.order.appointment == "2026-03-12"
    assert [one.kind for one in kept.announced] == [
        Kind.SCHEDULED,
        Kind.RESCHEDULED,
        Kind.RESCHEDULED,
    ]
    again = snapshot(Status.SCHEDULED, 0, taken=9, appointment="2026-03-12")
    assert take_in(orders, again) == [RecordOutcome.DUPLICATE]
    assert len(orders.written) == 3


@given(st.permutations([("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5), ("a", 6)]), st.data())
def test_the_snapshot_taken_last_holds_whatever_came_first_and_how_often(
    arrival: list[tuple[str, float]], data: st.DataObject
) -> None:
    said = [snapshot(Status.ACCEPTED, 0, taken=at, account_number=who) for who, at in arrival]
    again = data.draw(st.lists(st.sampled_from(said), max_size=6))
    assert fold([*said, *again], RULES).details == {"account_number": "a"}


@given(st.permutations(list(range(7))), st.data())
def test_events_and_snapshots_give_one_order_whatever_came_first(
    arrival: list[int], data: st.DataObject
) -> None:
    life = [
        report(Status.PENDING, 0, reference="PP-1"),
        snapshot(Status.PENDING, 0, taken=1, reference="PP-1", meter_number="1EMH"),
        snapshot(Status.PENDING, 0, taken=3, reference="PP-1"),
        report(Status.SCHEDULED, 5, appointment="2026-03-12", account_number="AC-1"),
        snapshot(Status.SCHEDULED, 5, taken=6, appointment="2026-03-12"),
        snapshot(Status.SCHEDULED, 5, taken=8, appointment="2026-03-14"),
        report(Status.SCHEDULED, 5, notes=[{"kind": "other", "text": "ring twice"}]),
    ]
    in_time = fold(life, RULES)
    assert in_time.details == {"appointment": "2026-03-14"}
    order = fold([life[arrival[0]]], RULES)
    repeated = data.draw(st.lists(st.sampled_from(life), max_size=5))
    for one in [*(life[place] for place in arrival[1:]), *repeated]:
        order = fold([*(entry.report for entry in order.timeline), one], RULES)
        order = stored_and_read(TrackedOrder(order=order, version=1), connection=OFFERGRID).order
    assert standing(order) == standing(in_time)
    assert [e.report.id for e in order.timeline] == [e.report.id for e in in_time.timeline]


@pytest.mark.parametrize(
    "arrival",
    # A that is seen again while it holds is not written: what came between and comes later holds
    # then, until the next poll looks at the order: docs/decisions, snapshots and events.
    [one for one in itertools.permutations(range(3)) if one != (0, 2, 1)],
)
def test_recorded_in_any_order_the_last_one_taken_holds(arrival: tuple[int, ...]) -> None:
    days = ["2026-03-12", "2026-03-13", "2026-03-12"]
    said = [
        snapshot(Status.SCHEDULED, 0, taken=taken, appointment=day)
        for taken, day in enumerate(days)
    ]
    orders = MemoryOrders()
    take_in(orders, *(said[place] for place in arrival))
    assert orders.kept[KEY].order.appointment == "2026-03-12"


def test_what_comes_late_between_two_sights_of_the_same_is_put_right_by_the_next_poll() -> None:
    orders = MemoryOrders()
    said = [
        snapshot(Status.SCHEDULED, 0, taken=taken, appointment=day)
        for taken, day in ((1, "2026-03-12"), (3, "2026-03-12"), (2, "2026-03-13"))
    ]
    assert take_in(orders, *said)[1] is RecordOutcome.DUPLICATE
    take_in(orders, snapshot(Status.SCHEDULED, 0, taken=4, appointment="2026-03-12"))
    assert orders.kept[KEY].order.appointment == "2026-03-12"


def test_an_unchanged_order_is_polled_again_without_a_write() -> None:
    orders = MemoryOrders()
    said = [snapshot(Status.ACCEPTED, 0, taken=taken, reference="PP-1") for taken in range(5)]
    assert take_in(orders, *said) == [RecordOutcome.TRANSITION, *[RecordOutcome.DUPLICATE] * 4]
    assert len(orders.written) == 1


def test_a_webhook_and_a_poll_that_say_the_same_are_one_transition() -> None:
    orders = MemoryOrders()
    webhook = replace(report(Status.ACCEPTED, 0, reference="PP-1"), snapshot_at=minute(0))
    polled = snapshot(Status.ACCEPTED, 0, taken=4, reference="PP-1")
    assert take_in(orders, webhook, polled) == [RecordOutcome.TRANSITION, RecordOutcome.DUPLICATE]
    assert [one.kind for one in orders.announced] == [Kind.ACCEPTED]


def test_an_event_of_the_instant_of_a_snapshot_stands_before_it() -> None:
    event = report(Status.SCHEDULED, 0, appointment="2026-03-12")
    polled = snapshot(Status.SCHEDULED, 0, taken=5)
    for arrived in ([event, polled], [polled, event]):
        order = fold(arrived, RULES)
        assert [entry.report for entry in order.timeline] == [event, polled]
        assert order.appointment is None


def test_an_event_of_a_later_status_stands_after_a_snapshot_of_its_instant() -> None:
    event = report(Status.SCHEDULED, 0, appointment="2026-03-12")
    polled = snapshot(Status.ACCEPTED, 0, taken=5, reference="PP-1")
    for arrived in ([event, polled], [polled, event]):
        order = fold(arrived, RULES)
        assert order.status is Status.SCHEDULED
        assert order.details == {"reference": "PP-1", "appointment": "2026-03-12"}
        assert order.attention == ()


def test_an_appointment_that_is_taken_back_is_told_and_its_successor_too() -> None:
    orders = MemoryOrders()
    take_in(
        orders,
        snapshot(Status.SCHEDULED, 0, taken=1, appointment="2026-03-12"),
        snapshot(Status.SCHEDULED, 60, taken=61),
        snapshot(Status.SCHEDULED, 120, taken=121, appointment="2026-03-20"),
    )
    assert [one.kind for one in orders.announced] == [
        Kind.SCHEDULED,
        Kind.RESCHEDULED,
        Kind.RESCHEDULED,
    ]


def test_a_stale_fact_goes_when_the_very_report_that_left_it_out_comes_as_a_snapshot() -> None:
    """What was stored when snapshots were not told from events is put right by the next poll."""
    orders = MemoryOrders()
    polled = snapshot(Status.SCHEDULED, 5, taken=6, reference="PP-1")
    stored = replace(polled, snapshot_at=None)
    take_in(orders, report(Status.SCHEDULED, 0, appointment="2026-03-12"), stored)
    assert orders.kept[KEY].order.appointment == "2026-03-12"
    assert take_in(orders, replace(polled, seen_at=minute(9))) == [RecordOutcome.RECORDED]
    assert orders.kept[KEY].order.details == {"reference": "PP-1"}
    assert take_in(orders, replace(polled, seen_at=minute(12))) == [RecordOutcome.DUPLICATE]


def test_what_was_stored_before_and_leaves_nothing_out_is_not_written_again() -> None:
    orders = MemoryOrders()
    polled = snapshot(Status.SCHEDULED, 5, taken=6, reference="PP-1")
    take_in(orders, replace(polled, snapshot_at=None))
    assert take_in(orders, polled) == [RecordOutcome.DUPLICATE]
    assert len(orders.written) == 1


def test_ids_are_those_that_reports_have_always_had() -> None:
    event = report(Status.ACCEPTED, 0, reference="PP-1", service_type="internet")
    assert event.id == "6184aadc75dfe5b5"
    assert replace(event, snapshot_at=minute(1)).id == event.id


@pytest.mark.parametrize("taken", [None, 1, 4.5])
def test_when_a_snapshot_was_taken_is_read_as_it_was_written(taken: float | None) -> None:
    one = replace(
        report(Status.ACCEPTED, 0, seen=1, source=Source.POLL),
        snapshot_at=None if taken is None else minute(taken),
    )
    assert stored_and_read(tracked(one), connection=OFFERGRID).order.last_entry.report == one


def test_a_provider_without_a_clock_is_heard_again_after_another_source_spoke() -> None:
    """What a fetch found holds no more once somebody else said otherwise."""
    orders = MemoryOrders()
    fetched = [
        replace(
            report(Status.ACCEPTED, at, dated_by_fetch=True, source=Source.POLL),
            snapshot_at=minute(at),
        )
        for at in (1, 5, 9)
    ]
    other = report(Status.ACCEPTED, 3, account_number="AC-1")
    assert take_in(orders, fetched[0], other, fetched[1], fetched[2]) == [
        RecordOutcome.TRANSITION,
        RecordOutcome.RECORDED,
        RecordOutcome.RECORDED,
        RecordOutcome.DUPLICATE,
    ]
    assert "account_number" not in orders.kept[KEY].order.details


def test_the_first_fetch_after_events_is_taken_in() -> None:
    orders = MemoryOrders()
    event = report(Status.ACCEPTED, 0)
    fetched = report(Status.ACCEPTED, 2, dated_by_fetch=True, source=Source.POLL)
    assert take_in(orders, event, fetched) == [RecordOutcome.TRANSITION, RecordOutcome.RECORDED]


def test_what_a_person_did_makes_no_fetch_news() -> None:
    orders = MemoryOrders()
    fetched = [report(Status.ACCEPTED, at, dated_by_fetch=True) for at in (0, 9)]
    noted = report(None, 5, source=Source.PERSON, action="note", action_key="k", note="x")
    assert take_in(orders, fetched[0], noted, fetched[1])[-1] is RecordOutcome.DUPLICATE


def test_the_first_fetch_after_what_only_people_said_is_taken_in() -> None:
    orders = MemoryOrders()
    noted = report(None, 0, source=Source.PERSON, action="note", action_key="k", note="x")
    fetched = report(Status.ACCEPTED, 2, dated_by_fetch=True, source=Source.POLL)
    assert take_in(orders, noted, fetched)[-1] is RecordOutcome.TRANSITION


def test_a_late_fetch_that_says_what_was_said_later_is_when_that_began() -> None:
    orders = MemoryOrders()
    first, late, last = (
        report(status, at, dated_by_fetch=True)
        for status, at in ((Status.PENDING, 0), (Status.ACCEPTED, 3), (Status.ACCEPTED, 6))
    )
    assert take_in(orders, first, last, late)[-1] is RecordOutcome.RECORDED
    assert orders.kept[KEY].order.since == minute(3)
