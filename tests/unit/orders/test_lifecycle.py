"""An order is the fold of its reports."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.orders.item_sizes import REPORT_BYTES, TIMELINE_BYTES
from milepost.orders.lifecycle import MOVES, TERMINAL, fold
from milepost.orders.order import Effect, Order
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source
from milepost.orders.timeline import TIMELINE_CAP
from tests.builders import KEY, NOON, RULES, minute, report
from tests.unit.orders.lifecycle_reports import as_bytes

FORGIVING = Rules(
    recovers={"Denied": frozenset({Status.ACCEPTED})},
    continues={"Delivery": frozenset({Status.CANCELLED})},
)


def effects(order: Order) -> list[Effect]:
    return [entry.effect for entry in order.timeline]


def codes(order: Order) -> list[str]:
    return [reason.code for reason in order.attention]


def some_reports() -> st.SearchStrategy[list[Report]]:
    """Reports of one order, many of them of the same few instants."""
    one = st.builds(
        report,
        st.sampled_from([*(s for s in Status if s is not Status.UNKNOWN), None]),
        st.integers(0, 6),
        raw=st.sampled_from([None, "Denied", "Delivery", "no such status"]),
        seen=st.integers(7, 9),
        source=st.sampled_from(Source),
        reason=st.sampled_from(["no access", "wrong address"]),
        appointment=st.sampled_from(["2026-03-12", "2026-03-13T02:00:00Z"]),
    )
    # What has the same id has been said by one provider, in whose table a raw status means one.
    return st.lists(one, min_size=1, max_size=12, unique_by=lambda r: r.id)


@given(some_reports(), st.data())
def test_any_order_and_repetition_of_reports_gives_the_same_order_to_the_byte(
    reports: list[Report], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(reports), max_size=8))
    shuffled = data.draw(st.permutations([*reports, *again]))
    assert as_bytes(fold(shuffled, FORGIVING)) == as_bytes(fold(reports, FORGIVING))


@given(some_reports(), st.data())
def test_reports_taken_in_one_by_one_give_what_all_of_them_at_once_do(
    reports: list[Report], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(reports))
    order = fold(shuffled[:1], FORGIVING)
    for one in shuffled[1:]:
        order = fold([*(entry.report for entry in order.timeline), one], FORGIVING, order.summary)
    assert as_bytes(order) == as_bytes(fold(reports, FORGIVING))


@given(some_reports())
def test_the_status_is_one_that_some_report_named_or_unknown(reports: list[Report]) -> None:
    order = fold(reports, FORGIVING)
    assert order.status in {Status.UNKNOWN, *(r.status for r in reports)}
    assert len(order.timeline) == len({r.id for r in reports})


def test_every_permutation_of_a_whole_life_gives_the_same_order() -> None:
    life = [
        report(Status.PENDING, 0),
        report(Status.ACCEPTED, 10),
        report(Status.SCHEDULED, 20, appointment="2026-03-12T02:00:00Z"),
        report(Status.SCHEDULED, 20),
        report(Status.COMPLETED, 30, account_number="AC-1"),
    ]
    seen = {as_bytes(fold(order, RULES)) for order in itertools.permutations(life)}
    assert len(seen) == 1


def test_an_order_goes_through_its_life() -> None:
    steps = [
        Status.PENDING,
        Status.SUBMITTED,
        Status.ACCEPTED,
        Status.SCHEDULED,
        Status.IN_PROGRESS,
        Status.COMPLETED,
        Status.ACTIVE,
    ]
    order = fold([report(status, at) for at, status in enumerate(steps)], RULES)
    assert order.status is Status.ACTIVE
    assert order.since == minute(6)
    assert effects(order) == [Effect.MOVED] * 7
    assert not order.attention


def test_steps_may_be_skipped_forward() -> None:
    order = fold([report(Status.PENDING, 0), report(Status.COMPLETED, 5)], RULES)
    assert (order.status, codes(order)) == (Status.COMPLETED, [])


@pytest.mark.parametrize("ending", [Status.REJECTED, Status.FAILED, Status.CANCELLED])
def test_every_open_status_can_end(ending: Status) -> None:
    for status in set(Status) - TERMINAL:
        assert ending in MOVES[status]


@pytest.mark.parametrize("ended", sorted(TERMINAL))
@pytest.mark.parametrize("claimed", [s for s in Status if s is not Status.UNKNOWN])
def test_a_terminal_status_is_not_left(ended: Status, claimed: Status) -> None:
    order = fold([report(ended, 0), report(claimed, 5)], RULES)
    if ended is claimed:
        assert effects(order)[-1] is Effect.CONFIRMED
    elif (ended, claimed) == (Status.COMPLETED, Status.ACTIVE):
        assert order.status is Status.ACTIVE
    else:
        assert (order.status, codes(order)) == (ended, ["out_of_sequence"])
        assert len(order.timeline) == 2


def test_a_late_report_takes_its_place_and_changes_nothing_else() -> None:
    on_time = fold([report(Status.COMPLETED, 30)], RULES)
    with_late = fold([report(Status.COMPLETED, 30), report(Status.ACCEPTED, 20)], RULES)
    assert [entry.report.status for entry in with_late.timeline] == [
        Status.ACCEPTED,
        Status.COMPLETED,
    ]
    assert (with_late.status, with_late.since) == (on_time.status, on_time.since)


def test_a_duplicate_changes_nothing() -> None:
    once = report(Status.ACCEPTED, 0, seen=1)
    redelivered = report(Status.ACCEPTED, 0, seen=9)
    assert redelivered.id == once.id
    assert as_bytes(fold([redelivered, once], RULES)) == as_bytes(fold([once], RULES))


def test_the_same_said_by_webhook_and_by_poll_is_one_report() -> None:
    webhook = report(Status.ACCEPTED, 0, source=Source.WEBHOOK)
    poll = report(Status.ACCEPTED, 0, source=Source.POLL)
    assert webhook.id == poll.id


def test_two_reports_of_one_instant_are_placed_by_rank() -> None:
    accepted, scheduled = report(Status.ACCEPTED, 0), report(Status.SCHEDULED, 0)
    for arrived in ([accepted, scheduled], [scheduled, accepted]):
        order = fold(arrived, RULES)
        assert order.status is Status.SCHEDULED
        assert effects(order) == [Effect.MOVED, Effect.MOVED]


def test_two_reports_of_one_instant_and_rank_are_placed_by_id() -> None:
    one = report(Status.SCHEDULED, 0, appointment="2026-03-12")
    other = report(Status.SCHEDULED, 0, appointment="2026-03-13")
    winner = max(one, other, key=lambda r: r.id)
    for arrived in ([one, other], [other, one]):
        assert fold(arrived, RULES).appointment == winner.details["appointment"]


def test_an_unknown_status_is_kept_raw_and_raises_attention() -> None:
    order = fold([report(Status.ACCEPTED, 0), report(None, 5, raw="quantum_superposition")], RULES)
    assert (order.status, order.raw_status) == (Status.ACCEPTED, "accepted")
    assert codes(order) == ["unknown_status"]
    assert "quantum_superposition" in order.attention[0].text
    assert order.last_entry.report.raw_status == "quantum_superposition"


def test_an_order_of_which_nothing_understandable_was_said_is_unknown() -> None:
    order = fold([report(None, 0, raw="Unspecified")], RULES)
    assert (order.status, order.raw_status) == (Status.UNKNOWN, "Unspecified")
    assert codes(order) == ["unknown_status"]


def test_a_report_of_facts_alone_is_noted() -> None:
    order = fold([report(Status.ACCEPTED, 0), report(None, 5, account_number="AC-1")], RULES)
    assert effects(order) == [Effect.MOVED, Effect.NOTED]
    assert order.details["account_number"] == "AC-1"
    assert not order.attention


def test_attention_is_settled_by_a_later_report_that_fits() -> None:
    doubtful = [report(Status.ACCEPTED, 0), report(None, 5, raw="???")]
    assert codes(fold([*doubtful, report(Status.SCHEDULED, 9)], RULES)) == []


def test_out_of_sequence_brings_no_facts_with_it() -> None:
    order = fold(
        [report(Status.COMPLETED, 0), report(Status.SCHEDULED, 5, appointment="2026-03-12")], RULES
    )
    assert order.appointment is None


def test_a_denied_order_recovers_when_its_provider_allows_that() -> None:
    reports = [
        report(Status.REJECTED, 0, raw="Denied", reason="no such meter"),
        report(Status.ACCEPTED, 5),
    ]
    order = fold(reports, FORGIVING)
    assert (order.status, effects(order)[-1]) == (Status.ACCEPTED, Effect.CORRECTED)
    assert codes(order) == ["correction"]
    assert "reason" not in order.details


def test_what_its_provider_does_not_allow_stays_out_of_sequence() -> None:
    reports = [report(Status.REJECTED, 0, raw="Rejected"), report(Status.ACCEPTED, 5)]
    order = fold(reports, FORGIVING)
    assert (order.status, codes(order)) == (Status.REJECTED, ["out_of_sequence"])


def test_a_delivery_that_ends_continues_and_alarms_nobody() -> None:
    order = fold([report(Status.ACTIVE, 0, raw="Delivery"), report(Status.CANCELLED, 5)], FORGIVING)
    assert (order.status, effects(order)[-1]) == (Status.CANCELLED, Effect.CONTINUED)
    assert codes(order) == []


def test_a_reason_goes_with_the_status_that_it_explained() -> None:
    reports = [
        report(Status.ACCEPTED, 0, reason="manual check passed"),
        report(Status.SCHEDULED, 5),
    ]
    assert "reason" not in fold(reports, RULES).details


def test_a_fact_stays_until_another_replaces_it() -> None:
    reports = [
        report(Status.SCHEDULED, 0, appointment="2026-03-12", account_number="AC-1"),
        report(Status.SCHEDULED, 5, appointment="2026-03-14"),
    ]
    details = fold(reports, RULES).details
    assert (details["appointment"], details["account_number"]) == ("2026-03-14", "AC-1")


def test_an_order_needs_a_report() -> None:
    with pytest.raises(ValueError, match="at least one report"):
        fold([], RULES)


def test_a_long_timeline_folds_its_oldest_reports_into_a_summary() -> None:
    reports = [report(Status.ACCEPTED, at, account_number=f"AC-{at}") for at in range(150)]
    order = fold(reports, RULES)
    assert len(order.timeline) <= TIMELINE_CAP
    assert order.summary is not None
    assert order.summary.count + len(order.timeline) == 150
    assert order.since == minute(0)
    assert order.details["account_number"] == "AC-149"
    assert order.timeline[0].report.occurred_at > order.summary.until


def heavy_reports(count: int, *, characters: int) -> list[Report]:
    """Reports that differ, each with as many reasons of 3,000 characters as it takes."""
    texts = [{"kind": "other", "text": "x" * 3_000}] * (characters // 3_000)
    return [report(Status.ACCEPTED, at, notes=texts, reference=f"PP-{at}") for at in range(count)]


def test_a_heavy_timeline_is_shortened_before_it_is_a_long_one() -> None:
    order = fold(heavy_reports(20, characters=REPORT_BYTES // 2), RULES)
    assert order.summary is not None
    assert order.summary.count + len(order.timeline) == 20
    assert sum(entry.report.size for entry in order.timeline) < TIMELINE_BYTES


def test_a_timeline_that_is_neither_long_nor_heavy_is_kept_whole() -> None:
    light = fold(heavy_reports(TIMELINE_CAP, characters=0), RULES)
    few = fold(heavy_reports(4, characters=REPORT_BYTES // 2), RULES)
    assert light.summary is None
    assert few.summary is None


def test_what_a_summary_stands_for_still_decides_what_may_follow() -> None:
    reports = [report(Status.COMPLETED, 0)]
    reports += [report(Status.COMPLETED, at, account_number=f"AC-{at}") for at in range(1, 130)]
    order = fold(reports, RULES)
    later = fold([*(e.report for e in order.timeline), report(Status.ACCEPTED, 500)],
                 RULES, order.summary)  # fmt: skip
    assert (later.status, codes(later)) == (Status.COMPLETED, ["out_of_sequence"])


@settings(max_examples=25)
@given(st.lists(st.integers(0, 4), min_size=TIMELINE_CAP - 1, max_size=2 * TIMELINE_CAP))
def test_a_long_timeline_loses_no_report_however_many_share_an_instant(minutes: list[int]) -> None:
    reports = [
        report(Status.ACCEPTED, at, account_number=f"AC-{number}")
        for number, at in enumerate(minutes)
    ]
    order = fold(reports, RULES)
    counted = order.summary.count if order.summary else 0
    assert counted + len(order.timeline) == len(reports)
    assert order.status is Status.ACCEPTED
    assert order.since == min(r.occurred_at for r in reports)


def test_times_are_kept_to_the_millisecond() -> None:
    exact = NOON + timedelta(microseconds=123_999)
    one = Report(
        connection=KEY.connection,
        order_id=KEY.order_id,
        item_id=KEY.item_id,
        status=Status.ACCEPTED,
        raw_status="accepted",
        occurred_at=exact,
        seen_at=exact,
        source=Source.WEBHOOK,
        details={},
    )
    assert one.occurred_at == NOON + timedelta(milliseconds=123)
