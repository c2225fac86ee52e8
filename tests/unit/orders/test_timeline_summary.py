"""A very long history: what its summary keeps, and what comes when it was summed up already."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.connections.connection import CommissionTerms
from milepost.orders.lifecycle import fold
from milepost.orders.order import Attention, Effect, Kind, Order, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import RecordOutcome, record
from milepost.orders.report import Report, Source
from milepost.orders.timeline import TIMELINE_CAP
from milepost.orders.timeline_summary import MOST_ACKNOWLEDGED, MOST_STAGES, MOST_SWALLOWED
from milepost.queries.commission import State, commissions
from milepost.queries.stage_durations import Counted, Step, change_of
from tests.builders import KEY, NOON, OFFERGRID, RULES, minute, report, stored_and_read, tracked
from tests.fakes.orders import MemoryOrders

FLAPPING = Rules(recovers={"rejected": frozenset({Status.ACCEPTED})})


def rescheduled(count: int, *, start: int = 0) -> list[Report]:
    return [
        report(Status.SCHEDULED, at, appointment=f"2026-04-{at % 28 + 1:02d}", reference=f"PP-{at}")
        for at in range(start, start + count)
    ]


def person(at: float, key: str, **details: Any) -> Report:
    return report(None, at, source=Source.PERSON, action="note", action_key=key, **details)


def take_in(orders: MemoryOrders, *reports: Report, rules: Rules = RULES) -> list[RecordOutcome]:
    return [record(one, orders=orders, rules=rules, now=one.seen_at).outcome for one in reports]


def codes(order: Order) -> list[str]:
    return [reason.code for reason in order.attention]


def folded_one_by_one(reports: list[Report], rules: Rules = RULES) -> Order:
    order = fold(reports[:1], rules)
    for one in reports[1:]:
        known = [entry.report for entry in order.timeline]
        order = fold([*known, one], rules, order.summary)
    return order


def test_what_comes_when_its_time_was_summed_up_is_kept_marked_and_shown() -> None:
    orders = MemoryOrders()
    take_in(orders, *rescheduled(110))
    late = report(Status.CANCELLED, 5.5, seen=200)
    assert take_in(orders, late) == [RecordOutcome.RECORDED]
    order = orders.kept[KEY].order
    assert order.status is Status.SCHEDULED
    assert [e.report for e in order.timeline if e.effect is Effect.LATE] == [late]
    assert codes(order) == ["late_report"]
    assert "'cancelled' at 2026-03-02T12:05:30Z" in order.attention[0].text
    assert orders.announced[-1].kind is Kind.ATTENTION
    assert take_in(orders, late) == [RecordOutcome.DUPLICATE]


def test_the_same_in_time_cancels_the_order() -> None:
    orders = MemoryOrders()
    take_in(orders, report(Status.CANCELLED, 5.5, seen=200), *rescheduled(110))
    assert orders.kept[KEY].order.status is Status.CANCELLED


def test_a_late_report_is_read_as_it_was_written_and_stays_with_what_follows() -> None:
    orders = MemoryOrders()
    take_in(orders, *rescheduled(110), report(Status.CANCELLED, 5.5, seen=200))
    kept = orders.kept[KEY]
    assert stored_and_read(kept, connection=OFFERGRID) == kept
    take_in(orders, *rescheduled(150, start=120))
    order = orders.kept[KEY].order
    assert [e.report.status for e in order.timeline if e.effect is Effect.LATE] == [
        Status.CANCELLED
    ]
    assert codes(order) == ["late_report"]


def test_a_late_report_is_shown_until_a_person_has_seen_to_it() -> None:
    orders = MemoryOrders()
    take_in(orders, *rescheduled(110), report(Status.CANCELLED, 5.5, seen=200))
    reason = orders.kept[KEY].order.attention[0]
    take_in(orders, person(210, "k", acknowledged=[reason.id]))
    assert orders.kept[KEY].order.attention == ()
    take_in(orders, report(Status.REJECTED, 6.5, seen=220))
    assert codes(orders.kept[KEY].order) == ["late_report"]


def test_what_was_summed_up_is_known_again() -> None:
    orders = MemoryOrders()
    said = rescheduled(130)
    take_in(orders, *said)
    written = len(orders.written)
    again = [replace(one, seen_at=minute(500), source=Source.POLL) for one in said]
    assert set(take_in(orders, *again)) == {RecordOutcome.DUPLICATE}
    assert len(orders.written) == written


def test_so_old_that_it_is_known_no_more_it_is_kept_and_shown() -> None:
    orders = MemoryOrders()
    said = rescheduled(MOST_SWALLOWED + 2 * TIMELINE_CAP)
    take_in(orders, *said)
    summary = orders.kept[KEY].order.summary
    assert summary is not None
    assert len(summary.swallowed) == MOST_SWALLOWED
    assert take_in(orders, said[0]) == [RecordOutcome.RECORDED]
    assert codes(orders.kept[KEY].order) == ["late_report"]


def test_late_reports_that_are_very_many_are_counted() -> None:
    orders = MemoryOrders()
    take_in(orders, *rescheduled(110))
    late = [report(Status.SCHEDULED, at / 1000, seen=500) for at in range(1, 200)]
    take_in(orders, *late)
    order = orders.kept[KEY].order
    kept = [entry for entry in order.timeline if entry.effect is Effect.LATE]
    assert order.summary is not None
    assert order.summary.late + len(kept) == len(late)
    assert len(order.timeline) <= TIMELINE_CAP
    assert f"{len(late) - 1} more came like this" in order.attention[0].text
    assert set(take_in(orders, *late)) == {RecordOutcome.DUPLICATE}


@settings(max_examples=6, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(101, 180))
def test_no_report_is_lost_without_a_mark_whatever_the_order_of_arrival(
    chance: random.Random, count: int
) -> None:
    said = rescheduled(count)
    chance.shuffle(said)
    orders = MemoryOrders()
    assert RecordOutcome.DUPLICATE not in take_in(orders, *said)
    order = orders.kept[KEY].order
    counted = order.summary.count if order.summary else 0
    assert counted + len(order.timeline) == count
    late = [entry for entry in order.timeline if entry.effect is Effect.LATE]
    assert ("late_report" in codes(order)) == bool(late or (order.summary and order.summary.late))
    assert set(take_in(orders, *said)) == {RecordOutcome.DUPLICATE}


def test_half_of_a_long_timeline_goes() -> None:
    order = fold(rescheduled(TIMELINE_CAP + 1), RULES)
    assert order.summary is not None
    assert (order.summary.count, len(order.timeline)) == (50, 51)
    assert order.summary.until == minute(49)


def test_reports_of_one_instant_go_together() -> None:
    said = [report(Status.ACCEPTED, at // 40, account_number=f"AC-{at}") for at in range(120)]
    order = fold(said, RULES)
    assert order.summary is not None
    assert (order.summary.count, len(order.timeline)) == (40, 80)
    assert order.summary.until == minute(0)


def test_so_many_of_one_instant_that_they_are_too_many_are_cut_among_themselves() -> None:
    said = [report(Status.ACCEPTED, 5, account_number=f"AC-{at}") for at in range(120)]
    order = fold(said, RULES)
    assert order.summary is not None
    assert (order.summary.count, len(order.timeline)) == (60, 60)
    assert order.summary.until == minute(5) - timedelta(milliseconds=1)
    later = fold(
        [*(e.report for e in order.timeline), report(Status.SCHEDULED, 5)], RULES, order.summary
    )
    assert (later.status, codes(later)) == (Status.SCHEDULED, [])
    assert order.has_report(said[0].id)
    assert order.has_report(said[-1].id)


def test_what_people_did_stays_longer_than_what_the_provider_said() -> None:
    plan = report(
        None, 1, source=Source.PERSON, action="fulfill", action_key="p", result="planned",
        planned_for="2026-05-01T08:00:00Z",
    )  # fmt: skip
    noted = [person(at / 50, f"n-{at}", note=f"call {at}") for at in range(30)]
    order = folded_one_by_one([plan, *noted, *rescheduled(400)])
    said = [entry.report.details for entry in order.timeline]
    assert [one["planned_for"] for one in said if "planned_for" in one] == ["2026-05-01T08:00:00Z"]
    notes = [one["note"] for one in said if "note" in one]
    assert notes == [f"call {at}" for at in range(15, 30)]
    assert order.summary is not None
    assert order.summary.people == 15
    assert codes(order) == ["history_shortened"]
    assert "15 of the oldest notes" in order.attention[0].text


def test_many_notes_make_no_report_of_the_provider_late() -> None:
    """A poll brings a change of before the notes, which is news all the same."""
    notes = [person(10 + at, f"k-{at}", note=f"call {at}") for at in range(250)]
    order = folded_one_by_one([report(Status.ACCEPTED, 0), *notes])
    assert order.summary is not None
    known = [entry.report for entry in order.timeline]
    later = fold([*known, report(Status.SCHEDULED, 5, seen=300)], RULES, order.summary)
    assert later.status is Status.SCHEDULED
    assert codes(later) == ["history_shortened"]


def test_nothing_is_said_of_people_of_whom_all_is_kept() -> None:
    order = folded_one_by_one([person(0.5, "k", note="x"), *rescheduled(130)])
    assert codes(order) == []
    assert [e.report.details["note"] for e in order.timeline if "note" in e.report.details] == ["x"]


def test_commissions_that_were_paid_stay_paid() -> None:
    terms = CommissionTerms(amount="75", currency="AUD", due_day=15, recurring="monthly")
    connection = replace(OFFERGRID, commission=(terms,))
    paid = [
        report(
            Status.ACTIVE,
            at,
            commission={"status": "paid", "paid_at": f"2026-0{at + 3}-15T00:00:00Z"},
        )
        for at in range(3)
    ]
    by_hand = report(
        None, 4, source=Source.PERSON, action="commission_paid", action_key="k", note="2026-06"
    )
    noise = [report(Status.ACTIVE, at, reference=f"PP-{at}") for at in range(5, 205)]
    order = folded_one_by_one([*paid, by_hand, *noise])
    order = stored_and_read(TrackedOrder(order=order, version=1), connection=connection).order
    now = datetime(2026, 8, 20, tzinfo=UTC)
    states = {one.month: one.state for one in commissions(order, connection, now=now)}
    assert states["2026-03"] is states["2026-05"] is states["2026-06"] is State.PAID
    assert states["2026-07"] is State.OVERDUE


def test_stages_that_a_very_long_history_leaves_out_stay_counted() -> None:
    flaps = [
        report(Status.REJECTED if at % 2 else Status.ACCEPTED, at)
        for at in range(MOST_STAGES + 3 * TIMELINE_CAP)
    ]
    counted: Counted | None = None
    totals: dict[Any, int] = {}
    order: Order | None = None
    for start in range(0, len(flaps), 15):
        known = [entry.report for entry in order.timeline] if order else []
        said = [*known, *flaps[start : start + 15]]
        order = fold(said, FLAPPING, order.summary if order else None)
        change = change_of(None, TrackedOrder(order=order, version=start + 1))
        for key, tally in Step(KEY, counted, change.after).stages().items():
            totals[key] = totals.get(key, 0) + tally.milliseconds
        counted = change.after
    assert order is not None
    assert order.summary is not None
    assert order.summary.stages_left_out > 0
    assert len(order.summary.stages) == MOST_STAGES
    assert sum(totals.values()) == (len(flaps) - 1) * 60_000


def test_what_is_still_raised_and_acknowledged_stays_so_among_very_many() -> None:
    missing = Attention("missing_data", "zzz")
    rules = Rules(examine=lambda _status, _details: [missing])
    first = person(0.1, "first", acknowledged=[missing.id])
    others = [
        person(at, f"k-{at}", acknowledged=[f"unknown_status#{at:08x}"])
        for at in range(1, 3 * MOST_ACKNOWLEDGED)
    ]
    order = folded_one_by_one([report(Status.PENDING, 0), first, *others], rules)
    assert order.summary is not None
    assert len(order.summary.acknowledged) <= MOST_ACKNOWLEDGED
    assert missing.id in order.acknowledged
    assert "missing_data" not in codes(order)


def test_a_summary_of_before_is_read_and_stands_for_what_it_stood_for() -> None:
    """Stored before late reports were kept: without anything to know its reports by."""
    order = fold(rescheduled(130), RULES)
    assert order.summary is not None
    old = replace(order, summary=replace(order.summary, swallowed=()))
    read = stored_and_read(TrackedOrder(order=old, version=3), connection=OFFERGRID)
    assert read.order == old
    orders = MemoryOrders(kept={KEY: read})
    assert take_in(orders, rescheduled(1)[0]) == [RecordOutcome.RECORDED]
    assert codes(orders.kept[KEY].order) == ["late_report"]


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
def test_dates_at_the_ends_of_time_stop_no_fold(at: datetime) -> None:
    odd = [
        replace(one, occurred_at=at, status_since=at, seen_at=at, snapshot_at=at)
        for one in rescheduled(120)
    ]
    order = fold(odd, RULES)
    assert order.summary is not None
    assert order.summary.count + len(order.timeline) == 120
    mixed = folded_one_by_one([*odd[:5], *rescheduled(120), *odd[5:]])
    assert mixed.status is Status.SCHEDULED


@pytest.mark.parametrize(
    "odd",
    [
        {"appointment": "", "reference": None, "customer": None, "notes": []},
        {"appointment": "9999-12-31", "ordered_at": "0001-01-01", "delivery_end": "9999-12-31"},
        {"service_type": None, "offer": {}, "invoices": [{}], "emails": [{"sent": None}]},
        {"reason": "\x00\u200b\U0001f600" * 20, "cause": "", "acknowledged": []},
    ],
)
def test_odd_facts_stop_no_fold(odd: dict[str, Any]) -> None:
    said = [report(Status.SCHEDULED, at, **odd) for at in range(3)]
    assert fold(said, RULES).status is Status.SCHEDULED


def test_ten_thousand_reports_are_folded_into_one_order() -> None:
    said = [report(Status.ACCEPTED, at // 3, account_number=f"AC-{at}") for at in range(10_000)]
    order = fold(said, RULES)
    assert order.summary is not None
    assert order.summary.count + len(order.timeline) == 10_000
    assert order.since == NOON
    assert tracked(*said[:1]).order.since == NOON
