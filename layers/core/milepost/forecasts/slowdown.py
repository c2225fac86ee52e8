"""Slowdowns: whether orders take longer to leave a stage now than in the weeks before.

Two periods are compared by the log-rank test. An order counts in a period for the time that it was
in the stage then, at the ages that it had then (left truncation), so orders that wait still count.
Source: Mantel, "Evaluation of survival data and two new rank order statistics" (1966).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt
from typing import Final

from milepost.forecasts.minimum_samples import FOR_COMPARISON
from milepost.forecasts.stays import Stay
from milepost.forecasts.survival import Event, Observation, Points, points_of

DAY: Final = 24 * 3600.0
WEEK: Final = 7 * DAY
RECENT: Final = 14 * DAY
BEFORE: Final = 13 * WEEK
SLOWER: Final = -3.0
"""Below it a difference is no chance: once in 740 comparisons, if orders were independent."""
LARGE: Final = 1.2
"""The factor by which the median has to be longer. If orders are handled together, weeks differ by
more than chance, so a small difference means little even if it is significant."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of a stage's last two weeks with the thirteen weeks before; medians in seconds.

    ``z`` is below zero where orders are slower now. ``orders`` is how many were in the stage.
    """

    z: float
    orders: int
    median_before: float | None
    median_now: float | None

    @property
    def is_slower(self) -> bool:
        """Whether the difference is significant, and large enough that somebody should act."""
        if self.z >= SLOWER or self.median_before is None:
            return False
        return self.median_now is None or self.median_now >= LARGE * self.median_before


def compare(stays: Iterable[Stay], *, now: float) -> Comparison | None:
    """Compare the stays of one stage as they are known at a time; None if there are too few."""
    began, known = now - RECENT, [*stays]
    recent = _in_period(known, since=began, until=now)
    before = _in_period(known, since=began - BEFORE, until=began)
    left_before = sum(one.number for one in before if one.event)
    if left_before < FOR_COMPARISON or not recent:
        return None
    observed, expected, variance = _log_rank(recent, before)
    if expected < FOR_COMPARISON or variance <= 0:
        return None
    return Comparison(
        z=(observed - expected) / sqrt(variance),
        orders=sum(one.number for one in recent),
        median_before=_median(before),
        median_now=_median(recent),
    )


def points_in_period(
    stays: Iterable[Stay], *, since: float, until: float
) -> tuple[int, Points | None]:
    """How many orders were in a stage in a period, and how long they stayed.

    None if none of them left it, or none entered it in the period.
    """
    observed = _in_period(stays, since=since, until=until)
    number = sum(one.number for one in observed)
    return number, points_of(sorted(observed, key=lambda one: one.time))


def _in_period(stays: Iterable[Stay], *, since: float, until: float) -> list[Observation]:
    """Observations of stays in a period, by age in the stage."""
    found = []
    for one in stays:
        last = until if one.left is None or one.left > until else one.left
        first = max(since, one.entered)
        if last <= first:
            continue
        is_over = one.left is not None and one.left <= until
        # An order that ends without success is not late: its observation ends.
        goes_on = is_over and (one.ended != one.left or one.completed)
        event = Event.COMPLETED if goes_on else Event.NOTHING_YET
        found.append(Observation(first - one.entered, last - one.entered, event, one.number))
    return found


class _AtRisk:
    """How many orders of some observations were still in the stage at an age."""

    def __init__(self, observed: Iterable[Observation]) -> None:
        begins = Counter[float]()
        ends = Counter[float]()
        for one in observed:
            begins[one.start] += one.number
            ends[one.time] += one.number
        self._begins, self._ends = sorted(begins), sorted(ends)
        self._begun = [0, *accumulate(begins[age] for age in self._begins)]
        self._ended = [0, *accumulate(ends[age] for age in self._ends)]

    def at(self, age: float) -> int:
        begun = self._begun[bisect_left(self._begins, age)]
        return begun - self._ended[bisect_left(self._ends, age)]


def _log_rank(
    recent: Iterable[Observation], before: Iterable[Observation]
) -> tuple[float, float, float]:
    """The observed and expected numbers of orders that left the stage in the recent period, and the
    variance of their difference.
    """
    recent, before = [*recent], [*before]
    in_recent, in_before = _AtRisk(recent), _AtRisk(before)
    left = Counter[float]()
    observed = 0
    for one in recent:
        if one.event:
            left[one.time] += one.number
            observed += one.number
    for one in before:
        if one.event:
            left[one.time] += one.number
    expected = variance = 0.0
    for age, number in left.items():
        now, then = in_recent.at(age), in_before.at(age)
        both = now + then
        expected += number * now / both
        if both > 1:
            variance += number * (now / both) * (then / both) * (both - number) / (both - 1)
    return observed, expected, variance


def _median(observed: Iterable[Observation]) -> float | None:
    points = points_of(sorted(observed, key=lambda one: one.time))
    return points.middle if points else None
