"""Which stages an order has finished, and when."""

from dataclasses import replace

import pytest

from milepost.lifecycle import Rules, fold
from milepost.order import Order, Stage
from milepost.report import Report, Status
from milepost.stages import finished_stages
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
