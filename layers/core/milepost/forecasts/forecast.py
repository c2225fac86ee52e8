"""Forecasts: when an order's stage and the order itself will end, from its age in the stage."""

from dataclasses import dataclass, replace
from typing import Final, Protocol

from milepost.forecasts.durations_by_age import AGES, Group, What, groups_of, place_of
from milepost.forecasts.survival import Points


class Known(Protocol):
    """Points that were calculated from past orders."""

    def points(self, what: What, group: Group, place: int) -> Points | None:
        """The points at ``AGES[place]``; None if too few orders reached that age."""


@dataclass(frozen=True, slots=True)
class Widening:
    """The factors by which the interval's lower and upper side are widened, so that it covers the
    share that it states.

    ``low`` divides its lower end, ``high`` multiplies its upper one.
    """

    low: float = 1.0
    high: float = 1.0


AS_IT_IS: Final = Widening()


@dataclass(frozen=True, slots=True)
class Forecast:
    """The numbers of seconds from now within which 10, 50 and 90% of such orders are done, and the
    orders from which this is known."""

    group: Group
    points: Points


def forecast(
    known: Known,
    what: What,
    *,
    stage: str,
    age: float,
    service_type: str = "",
    connection: str = "",
    widening: Widening = AS_IT_IS,
) -> Forecast | None:
    """The forecast from the most similar orders, if there are enough of them.

    :param age: how long it has been in its stage, in seconds of the clock of the stays
    """
    place = place_of(age)
    part = _part(age, place)
    for group in groups_of(stage, service_type=service_type, connection=connection):
        before = known.points(what, group, place)
        if before is None:
            continue
        after = known.points(what, group, place + 1) if part else before
        if after is not None:
            return Forecast(group, widen(_between(before, after, part), widening))
    return None


def _part(age: float, place: int) -> float:
    """How far an age is between one landmark and the next, from 0 to 1."""
    if place + 1 >= len(AGES):
        return 0.0
    return (max(age, 0.0) - AGES[place]) / (AGES[place + 1] - AGES[place])


def _between(before: Points, after: Points, part: float) -> Points:
    return Points(
        after.at_risk,
        _weighted(before.low, after.low, part),
        _weighted(before.middle, after.middle, part),
        _weighted(before.high, after.high, part),
        before.share + (after.share - before.share) * part,
    )


def _weighted(before: float | None, after: float | None, part: float) -> float | None:
    if before is None or after is None:
        return None
    return before + (after - before) * part


def widen(points: Points, widening: Widening) -> Points:
    """The points with the interval widened; the median is unchanged and stays within the
    interval."""
    if points.low is None:
        return points
    low, high = points.low / widening.low, points.high
    if points.middle is not None:
        low = min(low, points.middle)
        high = max(high * widening.high, points.middle) if high is not None else None
    return replace(points, low=low, high=high)
