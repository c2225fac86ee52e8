"""How good forecasts were: past weeks' forecasts made again from what was known then.

Nothing is stored for it: what was known at a moment follows from the stays.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from milepost.forecasts.curves import Curves, What
from milepost.forecasts.forecast import AS_IT_IS, Forecast, Widening, forecast
from milepost.forecasts.stays import Stay, as_of
from milepost.forecasts.survival import SHARES

MOST_SCORED: Final = 26
"""Weeks whose forecasts say by how much an interval has to be wider."""
ENOUGH_SCORED: Final = 30
"""Forecasts that must have come due before intervals are made wider or narrower by them."""
_SHORTEST: Final = 60.0
"""Seconds: what is forecast or comes true within a minute counts as one."""
_MOST: Final = 4.0
"""The most by which a side of an interval is widened, and the least by which it is narrowed."""


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast of one open order as it was made at a moment, before any widening."""

    at: float
    stay: Stay
    """As it is known now."""
    forecast: Forecast | None


def made_at(moment: float, stays: Sequence[Stay], *, since: float) -> Iterator[Made]:
    """The forecasts that were made of the orders that were open at a moment, from what was known.

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
    """By how much intervals have to be wider, by the forecasts that have come due by now.

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
    if sum(number for _, number in low) < ENOUGH_SCORED:
        return AS_IT_IS
    return Widening(_factor(low), _factor(high))


def _factor(scores: list[tuple[float, int]]) -> float:
    """What 90% of the forecasts needed, and a little more since there are not endlessly many."""
    total = sum(number for _, number in scores)
    wanted = SHARES[2] * (total + 1)
    reached = 0
    for score, number in sorted(scores):
        reached += number
        if reached >= wanted:
            return float(min(max(2.718281828459045**score, 1 / _MOST), _MOST))
    return _MOST
