"""The quality of forecasts: past weeks' forecasts, made from what was known at that time.

Nothing is stored for it: what was known at a moment follows from the stays.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from milepost.forecasts.durations_by_age import Curves, What
from milepost.forecasts.forecast import AS_IT_IS, Forecast, Widening, forecast, widen
from milepost.forecasts.minimum_samples import FOR_WIDENING
from milepost.forecasts.stays import Stay, as_of
from milepost.forecasts.survival import SHARES, Points

MOST_SCORED: Final = 26
"""Weeks whose forecasts say by how much an interval has to be wider."""
_SHORTEST: Final = 60.0
"""Seconds: forecasts and results within a minute count as one minute."""
_MOST: Final = 4.0
"""The maximum factor by which a side of an interval is widened; it is narrowed at most by the
inverse.
"""


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast of one open order as it was made at some time, before any widening."""

    at: float
    stay: Stay
    """As it is known now."""
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class Quality:
    """The results of the last weeks' forecasts, for orders that were completed since.

    ``covered`` are those whose interval, as it was widened then, had the completion in it. The
    errors are sums of seconds, of the ``compared`` forecasts that have a middle: how far it was
    from the completion, and how far the naive forecast was.
    """

    made: int = 0
    cannot_say: int = 0
    covered: int = 0
    compared: int = 0
    error: float = 0.0
    naive_error: float = 0.0

    def __add__(self, other: "Quality") -> "Quality":
        return Quality(
            self.made + other.made,
            self.cannot_say + other.cannot_say,
            self.covered + other.covered,
            self.compared + other.compared,
            self.error + other.error,
            self.naive_error + other.naive_error,
        )


class Naive:
    """The naive forecast: quantiles of the time that completed orders took from the beginning of
    the stage, minus the time that the order has been in it."""

    def __init__(self, stays: Iterable[Stay], moment: float) -> None:
        self._took: dict[str, list[float]] = defaultdict(list)
        for one in stays:
            if one.ended is not None and one.ended < moment:
                self._took[one.stage].append(one.ended - one.entered)
        for took in self._took.values():
            took.sort()

    def points(self, stage: str, age: float) -> list[float] | None:
        """The quantiles of ``SHARES``; None if no order was completed from this stage."""
        took = self._took.get(stage)
        if not took:
            return None
        return [max(took[int(share * (len(took) - 1))] - age, 0.0) for share in SHARES]


def covers(points: Points, took: float) -> bool:
    """Whether this time is within the interval; an interval without an upper end has no limit."""
    return (points.low or 0) <= took and (points.high is None or took <= points.high)


def quality_of(made: Iterable[Made], widening: Widening, naive: Naive) -> Quality:
    """The results of forecasts that were made at the same time, with this widening."""
    total = Quality()
    for one in made:
        if one.stay.ended is not None and one.stay.completed:
            total += _quality_of_one(one, one.stay.ended - one.at, widening, naive)
    return total


def _quality_of_one(one: Made, took: float, widening: Widening, naive: Naive) -> Quality:
    if one.forecast is None or one.forecast.points.low is None:
        return Quality(made=1, cannot_say=1)
    widened = widen(one.forecast.points, widening)
    usual = naive.points(one.stay.stage, one.at - one.stay.entered)
    if widened.middle is None or usual is None:
        return Quality(made=1, covered=covers(widened, took))
    error, naive_error = abs(widened.middle - took), abs(usual[1] - took)
    return Quality(1, 0, covers(widened, took), 1, error, naive_error)


def made_at(moment: float, stays: Sequence[Stay], *, since: float) -> Iterator[Made]:
    """The forecasts for all orders that were open at some time, made from what was known then.

    :param since: from when on ends are known
    """
    watched = (one for one in stays if one.ended is None or one.ended > since)
    known = Curves(as_of(watched, moment), since=since, now=moment)
    for stay in stays:
        is_there = stay.entered < moment and (stay.left is None or stay.left >= moment)
        if is_there and (stay.ended is None or stay.ended >= moment):
            yield Made(
                moment,
                stay,
                forecast(
                    known,
                    What.END,
                    stage=stay.stage,
                    age=moment - stay.entered,
                    service_type=stay.service_type,
                    connection=stay.connection,
                ),
            )


def widening_from(made: Iterable[Made], *, now: float) -> Widening:
    """The factors by which intervals have to be widened, according to the forecasts that are due by
    now.

    Due is a forecast whose upper end has passed, whatever became of its order: those that ended
    early would make all the others look late. Each side gets what 90% of the forecasts needed.
    Source: Romano, Patterson and Candès, "Conformalized Quantile Regression" (2019), on the
    logarithm of the remaining time.
    """
    low: list[tuple[float, int]] = []
    high: list[tuple[float, int]] = []
    for one in made:
        points = one.forecast.points if one.forecast else None
        if points is None or points.low is None or points.high is None:
            continue
        if one.at + points.high > now:
            continue
        is_known = one.stay.ended is not None and one.stay.ended < now
        if is_known and not one.stay.completed:
            continue
        took = max(((one.stay.ended or now) if is_known else now) - one.at, _SHORTEST)
        low.append((log(max(points.low, _SHORTEST) / took), one.stay.number))
        high.append((log(took / max(points.high, _SHORTEST)), one.stay.number))
    if sum(number for _, number in low) < FOR_WIDENING:
        return AS_IT_IS
    return Widening(_factor(low), _factor(high))


def _factor(scores: list[tuple[float, int]]) -> float:
    """The widening that 90% of the forecasts needed, and a little more because the number of
    forecasts is limited.
    """
    total = sum(number for _, number in scores)
    wanted = SHARES[2] * (total + 1)
    reached = 0
    for score, number in sorted(scores):
        reached += number
        if reached >= wanted:
            return float(min(max(2.718281828459045**score, 1 / _MOST), _MOST))
    return _MOST
