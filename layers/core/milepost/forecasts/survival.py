"""Survival analysis: how long it takes until something happens, from finished and unfinished cases.

The estimate is Aalen and Johansen's, which is Kaplan and Meier's where everything ends in one way.
Source: Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations" (1958); Aalen and
Johansen, "An Empirical Transition Matrix for Non-homogeneous Markov Chains" (1978).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Final

SHARES: Final = (0.1, 0.5, 0.9)
"""Of the completed orders: the points that a forecast names."""
_SLACK: Final = 1e-9
"""Sums of shares are exact to that."""


class Event(IntEnum):
    """How an observation ended."""

    NOTHING_YET = 0
    """It was still going on when it was looked at last."""
    COMPLETED = 1
    UNSUCCESSFUL = 2


@dataclass(frozen=True, slots=True)
class Observation:
    """Orders (``number``) that were observed during the same period with the same outcome.

    ``start`` is above zero for those that were seen late: had they ended before, nobody would know
    of them (left truncation).
    """

    start: float
    time: float
    event: Event
    number: int = 1


@dataclass(frozen=True, slots=True)
class Points:
    """The times within which 10, 50 and 90% of the orders are completed, among the orders that end
    in completion.

    None where the curve does not get there. ``at_risk`` is the number of orders that it is from,
    ``share`` (0 to 1) how many of them are completed in the end.
    """

    at_risk: int
    low: float | None
    middle: float | None
    high: float | None
    share: float


def points_of(observations: Sequence[Observation], *, enough: int = 1) -> Points | None:
    """The points of observations that are sorted by time; None if no order was completed, or if
    fewer than ``enough`` orders were observed from the beginning.

    What goes on beyond the last known end is taken to end as the others did.
    """
    starts = sorted((one.start, one.number) for one in observations if one.start > 0)
    first = at_risk = sum(one.number for one in observations if one.start <= 0)
    if at_risk < enough:
        return None
    going_on, completed, unsuccessful = 1.0, 0.0, 0.0
    reached: list[tuple[float, float]] = []
    entered = 0
    for time, group in groupby(observations, key=lambda one: one.time):
        while entered < len(starts) and starts[entered][0] < time:
            at_risk += starts[entered][1]
            entered += 1
        numbers = [0, 0, 0]
        for one in group:
            # An observation without any duration was never at risk.
            if one.start < time or one.start <= 0:
                numbers[one.event] += one.number
        ended = numbers[Event.COMPLETED] + numbers[Event.UNSUCCESSFUL]
        if ended:
            if numbers[Event.COMPLETED]:
                completed += going_on * numbers[Event.COMPLETED] / at_risk
                reached.append((time, completed))
            unsuccessful += going_on * numbers[Event.UNSUCCESSFUL] / at_risk
            going_on *= 1 - ended / at_risk
        at_risk -= sum(numbers)
    if not reached:
        return None
    share = completed / (completed + unsuccessful)
    low, middle, high = (
        next((time for time, known in reached if known >= one * share - _SLACK), None)
        for one in SHARES
    )
    return Points(first, low, middle, high, share)
