"""Points of the time to completion, from what ended and what is still going on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.forecasts.survival import Event, Observation, Points, points_of

DONE, LOST, OPEN = Event.COMPLETED, Event.UNSUCCESSFUL, Event.NOTHING_YET


def seen(*observed: tuple[float, Event], start: float = 0.0) -> list[Observation]:
    return [Observation(start, time, event) for time, event in sorted(observed)]


def test_freireichs_trial_is_estimated_as_in_the_textbooks() -> None:
    """The 6-MP arm (Freireich et al. 1963): S(10) = 0.753, S(22) = 0.538, S(23) = 0.448."""
    ended = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    going_on = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    found = points_of(seen(*((t, DONE) for t in ended), *((t, OPEN) for t in going_on)))
    # The survival falls to 0.857 at 6 and to 0.448 at 23, and never below 0.1.
    assert found == Points(21, 6, 23, None, 1.0)


def test_without_open_orders_points_are_quantiles() -> None:
    found = points_of(seen(*((float(day), DONE) for day in range(1, 101))))
    assert found == Points(100, 10, 50, 90, 1.0)


def test_a_cancellation_is_an_outcome_and_no_slow_completion() -> None:
    completed = [(float(day), DONE) for day in range(1, 81)]
    found = points_of(seen(*completed, *((float(day), LOST) for day in range(1, 81, 4))))
    assert found is not None
    assert found.share == pytest.approx(0.8)
    assert found.middle == pytest.approx(40, abs=1)
    assert found.high == pytest.approx(72, abs=1)


def test_where_the_curve_does_not_get_there_no_upper_point_is_named() -> None:
    found = points_of(seen(*((1.0, DONE),) * 3, *((2.0, OPEN),) * 2))
    assert found == Points(5, 1.0, 1.0, None, 1.0)


def test_nothing_follows_where_nothing_was_completed_or_too_few_were_there() -> None:
    assert points_of(seen((3.0, OPEN), (2.0, LOST))) is None
    assert points_of(seen((3.0, DONE)), enough=2) is None
    assert points_of([]) is None


def test_orders_that_were_seen_late_count_from_then_on() -> None:
    """Of ten orders that began unwatched, those that are done by day 5 were never heard of."""
    watched = seen(*((float(day), DONE) for day in range(1, 11)))
    late = [Observation(5.0, float(day), DONE) for day in range(6, 11)]
    together = sorted([*watched, *late], key=lambda one: one.time)
    # At 6, ten are at risk of which two end: half of the curve is left then, and 0.4 after it.
    found = points_of(together)
    assert found == Points(10, 1.0, 5.0, 9.0, 1.0)


@given(st.lists(st.tuples(st.integers(1, 20), st.sampled_from(Event)), max_size=40))
def test_counts_say_the_same_as_single_orders(pairs: list[tuple[int, Event]]) -> None:
    single = seen(*((float(time), event) for time, event in pairs))
    counts: dict[tuple[float, Event], int] = {}
    for one in single:
        counts[one.time, one.event] = counts.get((one.time, one.event), 0) + 1
    together = [Observation(0.0, *key, number) for key, number in sorted(counts.items())]
    assert points_of(together) == points_of(single)


@given(st.lists(st.tuples(st.integers(1, 20), st.sampled_from(Event)), min_size=1, max_size=40))
def test_points_are_in_order_and_shares_are_shares(pairs: list[tuple[int, Event]]) -> None:
    found = points_of(seen(*((float(time), event) for time, event in pairs)))
    if found is not None:
        known = [one for one in (found.low, found.middle, found.high) if one is not None]
        assert known == sorted(known)
        assert 0 < found.share <= 1
