"""Forecasts come from the orders that are most like one, or say that there are not enough yet."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.event_log import synthetic
from bench.forecast import score_log
from milepost.forecasts.durations_by_age import AGES, Curves, Group, What, place_of
from milepost.forecasts.forecast import Forecast, Widening, forecast
from milepost.forecasts.quality import made_at, widening_from
from milepost.forecasts.slowdown import DAY, WEEK
from milepost.forecasts.stays import Stay, as_of


def stay(number: int = 1, *, days: float, **said: object) -> Stay:
    """An order that was accepted on day 0 and completed after some days."""
    given = {"stage": "accepted", "entered": 0.0, "connection": "rabot", "number": number}
    return Stay(**{**given, "left": days * DAY, "ended": days * DAY, **said})  # type: ignore[arg-type]


def known(*stays: Stay) -> Curves:
    return Curves(stays, since=0.0, now=100 * DAY)


def end(
    made: Curves, *, age: float = 0.0, service_type: str = "", connection: str = "rabot"
) -> Forecast | None:
    return forecast(
        made,
        What.END,
        stage="accepted",
        age=age,
        service_type=service_type,
        connection=connection,
    )


def test_it_falls_back_to_the_connection_then_to_the_provider() -> None:
    made = known(
        stay(30, days=2, service_type="internet"),
        stay(29, days=8, service_type="tv"),
        stay(60, days=20, connection="rabot-2"),
    )
    of_type = end(made, service_type="internet")
    assert of_type
    assert of_type.group == Group("accepted", "internet", "rabot")
    assert (of_type.points.at_risk, of_type.points.middle) == (30, 2 * DAY)
    of_connection = end(made, service_type="tv")
    assert of_connection
    assert of_connection.group == Group("accepted", "", "rabot")
    assert of_connection.points.at_risk == 59
    of_provider = end(made, connection="rabot-3")
    assert of_provider
    assert of_provider.group == Group("accepted")
    assert (of_provider.points.at_risk, of_provider.points.middle) == (119, 20 * DAY)


def test_fewer_than_thirty_at_risk_are_not_enough() -> None:
    assert end(known(stay(29, days=2))) is None
    assert end(known(stay(30, days=2))) is not None
    # Thirty at the beginning, of whom ten are left at the order's age.
    assert end(known(stay(20, days=2), stay(10, days=9)), age=4 * DAY) is None


def test_the_longer_an_order_waits_the_more_it_is_like_those_that_waited() -> None:
    made = known(stay(60, days=2), stay(40, days=30))
    young, old = end(made), end(made, age=10 * DAY)
    assert young
    assert young.points.middle == 2 * DAY
    assert old
    assert old.points.middle == pytest.approx(20 * DAY)


def test_the_next_step_is_forecast_apart_from_the_end() -> None:
    made = known(stay(50, days=2, ended=12 * DAY))
    step = forecast(made, What.STEP, stage="accepted", age=DAY, connection="rabot")
    assert step
    assert step.points.middle == pytest.approx(DAY)
    last = end(made, age=DAY)
    assert last
    assert last.points.middle == pytest.approx(11 * DAY)


def test_open_orders_are_at_risk_and_those_that_came_before_history_was_valid_are_no_bias() -> None:
    waiting = stay(100, days=0, left=None, ended=None)
    found = end(Curves([stay(50, days=5), waiting], since=0.0, now=6 * DAY))
    assert found
    assert found.points.high is None
    # All that began earlier and were seen from day 50 on took long; the others are not known.
    early = stay(100, days=60)
    later = [stay(100, days=0, entered=50.0 * DAY, left=55.0 * DAY, ended=55.0 * DAY)]
    fair = end(Curves([early, *later], since=50 * DAY, now=100 * DAY))
    assert fair
    assert fair.points.high == 5 * DAY


def test_ages_are_a_third_apart_at_most() -> None:
    assert all(b <= a * 4 / 3 for a, b in pairwise(AGES[1:]))
    assert AGES[place_of(3 * DAY)] <= 3 * DAY < AGES[place_of(3 * DAY) + 1]
    assert place_of(-5.0) == 0


def test_an_interval_is_widened_on_both_sides_and_keeps_its_middle_inside() -> None:
    made = known(*(stay(1, days=day) for day in range(1, 101)))
    for by in (Widening(2.0, 1.5), Widening(0.1, 0.1)):
        found = forecast(made, What.END, stage="accepted", age=0.0, connection="rabot", widening=by)
        assert found
        assert found.points.low
        assert found.points.middle
        assert found.points.high
        assert found.points.low <= found.points.middle == 50 * DAY <= found.points.high


def test_what_came_later_was_not_known() -> None:
    past = [*as_of([stay(days=9), stay(days=2), stay(days=9, entered=4 * DAY)], 3 * DAY)]
    assert [(one.left, one.ended) for one in past] == [(None, None), (2 * DAY, 2 * DAY)]


def test_forecasts_that_came_true_too_late_make_the_next_ones_wider() -> None:
    stays = [one for case in synthetic(weeks=40, a_week=20) for one in case]
    made = [*made_at(20 * WEEK, stays, since=0.0)]
    late = [replace(one, stay=_twice_as_late(one.stay, 20 * WEEK)) for one in made]
    right, wider = widening_from(made, now=40 * WEEK), widening_from(late, now=40 * WEEK)
    assert right.high == pytest.approx(1.0, abs=0.35)
    assert wider.high == pytest.approx(2 * right.high)


def _twice_as_late(one: Stay, moment: float) -> Stay:
    return replace(one, ended=moment + 2 * ((one.ended or moment) - moment))


def test_intervals_of_known_distributions_cover_eight_in_ten() -> None:
    stays = sorted(
        (one for case in synthetic(weeks=30, a_week=12) for one in case),
        key=lambda one: one.entered,
    )
    score = score_log(stays, days=(0,))
    assert score.covered / score.forecasts == pytest.approx(0.8, abs=0.05)
    assert score.loss < 0.95 * score.naive_loss
