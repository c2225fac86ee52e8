"""A stage that slows down is told from one that goes on as before."""

from math import sqrt

import pytest

from bench.event_log import slow_down, synthetic
from bench.forecast import compare_stages, find_alerts
from milepost.forecasts.slowdown import DAY, WEEK, compare
from milepost.forecasts.stays import Stay

WEEKS = [week * WEEK for week in range(16, 36)]


def stays_of(cases: list[list[Stay]]) -> list[Stay]:
    return sorted((one for case in cases for one in case), key=lambda one: one.entered)


def steady(*, days: float, until: float) -> list[Stay]:
    """Ten orders a day, each in the stage for so many days."""
    return [
        Stay(stage="accepted", entered=day * DAY, left=(day + days) * DAY, number=10)
        for day in range(int(until / DAY))
    ]


def test_a_stage_that_goes_on_as_before_gives_no_alert() -> None:
    compared = compare_stages(stays_of(synthetic(weeks=40, a_week=25)), WEEKS)
    assert len(compared) == 3 * len(WEEKS)
    assert not find_alerts(compared)


def test_a_slowdown_gives_an_alert_with_its_size_before_it_is_over() -> None:
    slower = slow_down(synthetic(weeks=40, a_week=60), since=20 * WEEK, factor=1.6)
    compared = compare_stages(stays_of(slower), WEEKS)
    alerts = find_alerts(compared)
    assert 21 * WEEK < min(moment for _, moment in alerts) <= 26 * WEEK
    (worst,) = sorted(alerts, key=lambda key: compared[key].z)[:1]
    found = compared[worst]
    assert found.median_now
    assert found.median_before
    assert found.median_now / found.median_before == pytest.approx(1.6, rel=0.25)
    assert found.orders > 50


def test_orders_that_stand_still_count_though_none_of_them_has_left() -> None:
    known = [one for one in steady(days=3, until=100 * DAY) if (one.left or 0) < 90 * DAY]
    stuck = [Stay(stage="accepted", entered=day * DAY, number=10) for day in range(87, 100)]
    found = compare([*known, *stuck], now=100 * DAY)
    assert found
    assert found.is_slower
    assert found.z < -8
    assert found.median_before == 3 * DAY


def test_faster_is_no_slowdown_and_too_few_are_compared_with_nothing() -> None:
    faster = [*steady(days=6, until=86 * DAY)]
    faster += [
        Stay(stage="accepted", entered=day * DAY, left=(day + 2) * DAY, number=10)
        for day in range(86, 100)
    ]
    found = compare(faster, now=100 * DAY)
    assert found
    assert found.z > 0
    assert not found.is_slower
    assert compare(steady(days=3, until=100 * DAY)[:1], now=100 * DAY) is None
    assert compare([], now=100 * DAY) is None


def test_the_test_is_the_log_rank_test() -> None:
    """By hand: of 40 that leave evenly after 1 and 2 days before, and 40 of whom 30 stay longer."""
    before = [Stay(stage="a", entered=0.0, left=day * DAY, number=20) for day in (1, 2)]
    lately = [
        Stay(stage="a", entered=86 * DAY, left=(86 + day) * DAY, number=number)
        for day, number in ((1, 10), (2, 30))
    ]
    found = compare([*before, *lately], now=100 * DAY)
    # Expected: 30 x 40/80 after one day, 50 x 30/50 after two. Variance: 30/4 x 50/79 of the
    # first; after the second nobody is left, so it adds none.
    assert found is not None
    assert found.z == pytest.approx((40 - 45) / sqrt(30 / 4 * 50 / 79))


def test_orders_that_come_to_nothing_are_not_late() -> None:
    rejected = [
        Stay(
            stage="accepted",
            entered=day * DAY,
            left=(day + 1) * DAY,
            ended=(day + 1) * DAY,
            completed=False,
            number=5,
        )
        for day in range(86, 100)
    ]
    found = compare(
        [*steady(days=3, until=100 * DAY), *steady(days=4, until=100 * DAY), *rejected],
        now=100 * DAY,
    )
    assert found
    assert not found.is_slower
