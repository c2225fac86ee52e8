"""Which stages an order has finished, and when."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import StageLevel, Status
from milepost.orders.lifecycle import fold
from milepost.orders.order import Order
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report
from milepost.orders.stages import RAW_STATUS_BYTES, finished_stages, measured_stages
from milepost.orders.summary import Stage
from tests.builders import RULES, minute, report

FLAPPING = Rules(
    recovers={"rejected": frozenset({Status.ACCEPTED}), "accepted": frozenset({Status.REJECTED})}
)


def stages(*reports: Report) -> list[tuple[Status, float, float]]:
    """Status, and minutes at which it was entered and left."""
    return in_minutes(finished_stages(fold(reports, RULES)))


def in_minutes(found: tuple[Stage, ...]) -> list[tuple[Status, float, float]]:
    start = minute(0)
    return [
        (
            one.status,
            (one.entered - start).total_seconds() / 60,
            (one.left - start).total_seconds() / 60,
        )
        for one in found
    ]


def test_the_stage_that_an_order_is_in_is_not_finished() -> None:
    assert stages(report(Status.ACCEPTED, 5)) == []


def test_a_stage_lasts_from_its_status_to_the_next_one() -> None:
    life = [
        report(Status.SUBMITTED, 0),
        report(Status.ACCEPTED, 10),
        report(Status.ACCEPTED, 20, reference="confirmed"),
        report(None, 25, raw="on_hold"),
        report(Status.COMPLETED, 40),
    ]
    expected = [(Status.SUBMITTED, 0, 10), (Status.ACCEPTED, 10, 40)]
    assert stages(*life) == expected
    assert stages(*reversed(life)) == expected


def test_a_stage_that_was_skipped_took_no_time() -> None:
    found = stages(report(Status.PENDING, 0), report(Status.COMPLETED, 9))
    assert found == [(Status.PENDING, 0, 9)]


def test_a_late_report_divides_the_stage_in_which_it_falls() -> None:
    found = stages(
        report(Status.PENDING, 0), report(Status.COMPLETED, 9), report(Status.ACCEPTED, 4)
    )
    assert found == [(Status.PENDING, 0, 4), (Status.ACCEPTED, 4, 9)]


def test_the_time_before_anything_understandable_was_said_is_no_stage() -> None:
    found = stages(
        report(None, 0, raw="?"), report(Status.ACCEPTED, 5), report(Status.COMPLETED, 6)
    )
    assert found == [(Status.ACCEPTED, 5, 6)]


def test_the_provider_s_own_date_of_a_status_counts() -> None:
    since = replace(report(Status.SCHEDULED, 30), status_since=minute(12))
    found = stages(report(Status.ACCEPTED, 0), since, report(Status.COMPLETED, 40))
    assert found == [(Status.ACCEPTED, 0, 12), (Status.SCHEDULED, 12, 40)]


def test_a_status_dated_before_the_one_that_it_followed_makes_no_negative_stage() -> None:
    since = replace(report(Status.SCHEDULED, 30), status_since=minute(-60))
    found = stages(report(Status.ACCEPTED, 0), since)
    assert found == [(Status.ACCEPTED, -60, -60)]


@pytest.mark.parametrize("number", [2, 100, 101, 130, 260])
def test_a_timeline_that_was_shortened_keeps_its_stages(number: int) -> None:
    flaps = [report(Status.REJECTED if at % 2 else Status.ACCEPTED, at) for at in range(number)]
    order: Order = fold(flaps[:1], FLAPPING)
    for one in flaps[1:]:
        reports = [*(entry.report for entry in order.timeline), one]
        order = fold(reports, FLAPPING, order.summary)
    found = in_minutes(finished_stages(order))
    assert [(entered, left) for _, entered, left in found] == [
        (at, at + 1) for at in range(number - 1)
    ]


def by_raw_status(*reports: Report) -> list[tuple[StageLevel, Status, str | None, float, float]]:
    found = measured_stages(fold(reports, RULES))
    return [
        (one.level, one.status, one.raw_status, *times[1:])
        for one, times in zip(found, in_minutes(found), strict=True)
    ]


def test_a_stage_with_one_raw_status_is_one_stage_and_its_own_word_is_not_repeated() -> None:
    found = by_raw_status(
        report(Status.SUBMITTED, 0, raw="Inspection Initiated"),
        report(Status.ACCEPTED, 10, raw=" ACCEPTED "),
        report(Status.IN_PROGRESS, 15, raw="In Progress"),
        report(Status.COMPLETED, 20),
    )
    assert found == [
        (StageLevel.BOTH, Status.SUBMITTED, "Inspection Initiated", 0, 10),
        (StageLevel.BOTH, Status.ACCEPTED, None, 10, 15),
        (StageLevel.BOTH, Status.IN_PROGRESS, None, 15, 20),
    ]


def test_several_raw_statuses_of_a_stage_are_stages_of_their_own_beside_the_whole() -> None:
    life = [
        report(Status.ACCEPTED, 0, raw="Contract Generated"),
        report(Status.ACCEPTED, 4, raw="contract  generated"),
        report(Status.ACCEPTED, 10, raw="Connection Fee Generated"),
        report(Status.IN_PROGRESS, 30, raw="Installation Initiated"),
    ]
    first = (StageLevel.RAW_STATUS, Status.ACCEPTED, "Contract Generated", 0, 10)
    expected = [
        first,
        (StageLevel.RAW_STATUS, Status.ACCEPTED, "Connection Fee Generated", 10, 30),
        (StageLevel.STATUS, Status.ACCEPTED, None, 0, 30),
    ]
    assert by_raw_status(*life[:3])[0][3:] == first[3:]
    assert [one[:2] + one[3:] for one in by_raw_status(*reversed(life))] == [
        one[:2] + one[3:] for one in expected
    ]
    assert stages(*life) == [(Status.ACCEPTED, 0, 30)]


def test_a_very_long_raw_status_is_kept_short() -> None:
    (stage,) = measured_stages(
        fold([report(Status.ACCEPTED, 0, raw="é" * 200), report(Status.COMPLETED, 1)], RULES)
    )
    assert len((stage.raw_status or "").encode()) <= RAW_STATUS_BYTES


steps = st.tuples(
    st.sampled_from([Status.REJECTED, Status.ACCEPTED]), st.sampled_from(["A b", "a  B", "C", ""])
)


@given(st.lists(steps, min_size=1, max_size=200))
def test_raw_statuses_take_the_time_of_their_stage_however_long_the_timeline(
    drawn: list[tuple[Status, str]],
) -> None:
    rules = replace(FLAPPING, recovers={word: frozenset(Status) for word in ("A b", "a  B", "C")})
    reports = [report(status, at, raw=word or None) for at, (status, word) in enumerate(drawn)]
    order: Order = fold(reports[:1], rules)
    for one in reports[1:]:
        order = fold([*(entry.report for entry in order.timeline), one], rules, order.summary)
    found = measured_stages(order)
    wholes = {one.entered: one for one in found if one.level is StageLevel.STATUS}
    parts = [one for one in found if one.level is StageLevel.RAW_STATUS]
    entered = [one.entered for one in found if one.level is not StageLevel.STATUS]
    assert entered == sorted(set(entered))
    for whole in wholes.values():
        of_it = [one for one in parts if whole.entered <= one.entered < whole.left]
        assert len(of_it) > 1
        assert sum(((p.left - p.entered) for p in of_it), minute(0) - minute(0)) == (
            whole.left - whole.entered
        )
    apart = [one for one in found if one.level is not StageLevel.STATUS]
    assert [one.left for one in apart[:-1]] == [one.entered for one in apart[1:]]
