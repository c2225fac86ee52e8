"""The table of a connection's forecasts: the points of each stage at each landmark."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Final

from milepost.forecasts.durations_by_age import AGES, Curves, Group, What
from milepost.forecasts.forecast import AS_IT_IS, Widening
from milepost.forecasts.quality import Made, Naive, Quality, made_at, quality_of, widening_from
from milepost.forecasts.slowdown import WEEK
from milepost.forecasts.stays import Stay
from milepost.forecasts.survival import Points

MOST_STAYS: Final = 2_000
"""Of one stage: the last ones. More of them make no forecast better."""
SCORED_WEEKS: Final = 8
"""Weeks whose forecasts say how good they were, and before each of which as many say by how much
intervals have to be wider."""

_Key = tuple[What, Group, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastTable:
    """Everything that is needed to forecast the orders of one connection."""

    made_at: str
    points_by_key: Mapping[_Key, Points] = field(default_factory=dict)
    widening: Widening = AS_IT_IS
    quality: Quality = field(default_factory=Quality)

    def points(self, what: What, group: Group, place: int) -> Points | None:
        """Implements ``forecast.Known``."""
        return self.points_by_key.get((what, group, place))

    def as_json(self) -> dict[str, Any]:
        """The table as JSON: times in whole seconds, shares in thousandths."""
        return {
            "made_at": self.made_at,
            "widening": [self.widening.low, self.widening.high],
            "quality": [*astuple(self.quality)],
            "points": [
                [
                    str(what),
                    group.stage,
                    group.service_type,
                    group.connection,
                    place,
                    one.at_risk,
                    _whole(one.low),
                    _whole(one.middle),
                    _whole(one.high),
                    round(one.share, 3),
                ]
                for (what, group, place), one in self.points_by_key.items()
            ],
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "ForecastTable":
        """Read what ``as_json`` wrote."""
        return cls(
            made_at=stored["made_at"],
            widening=Widening(*stored["widening"]),
            quality=Quality(*stored["quality"]),
            points_by_key={
                (What(what), Group(stage, service_type, connection), place): Points(*points)
                for what, stage, service_type, connection, place, *points in stored["points"]
            },
        )


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def make_table(
    stays: Iterable[Stay],
    *,
    now: float,
    made_at_text: str,
    week: float = WEEK,
    of_provider: Iterable[Stay] = (),
) -> ForecastTable:
    """The table for one connection's stays, as they are known now.

    :param week: seconds of their clock in a week
    :param of_provider: stays of all connections of the provider, on the same clock: what this
        connection has too few orders for is forecast from them
    """
    kept = _last_of_each_stage(stays)
    others = _points_of(_last_of_each_stage(of_provider), now=now)
    shared = {key: one for key, one in others.items() if not key[1].connection}
    first_end = _first_end(kept)
    if first_end is None:
        return ForecastTable(made_at=made_at_text, points_by_key=shared)
    own = {key: one for key, one in _points_of(kept, now=now).items() if key[1].connection}
    known = {(what, group.stage, place) for what, group, place in own if not group.service_type}
    missing = {
        key: one for key, one in shared.items() if (key[0], key[1].stage, key[2]) not in known
    }
    moments = (now - number * week for number in range(2 * SCORED_WEEKS, 0, -1))
    since = first_end - 1
    made = [(at, [*made_at(at, kept, since=since)]) for at in moments if at > since]
    lately = [one for _, of_week in made[-SCORED_WEEKS:] for one in of_week]
    return ForecastTable(
        made_at=made_at_text,
        points_by_key=own | missing,
        widening=widening_from(lately, now=now),
        quality=_score(made, kept),
    )


def _first_end(stays: Iterable[Stay]) -> float | None:
    return min((one.ended for one in stays if one.ended is not None), default=None)


def _points_of(stays: Sequence[Stay], *, now: float) -> dict[_Key, Points]:
    first_end = _first_end(stays)
    if first_end is None:
        return {}
    curves = Curves(stays, since=first_end - 1, now=now)
    return {
        (what, group, place): one
        for group in curves.groups
        for what in What
        for place in range(len(AGES))
        for one in [curves.points(what, group, place)]
        if one is not None
    }


def _last_of_each_stage(stays: Iterable[Stay]) -> list[Stay]:
    stages: dict[str, list[Stay]] = defaultdict(list)
    for one in stays:
        stages[one.stage].append(one)
    for of_stage in stages.values():
        of_stage.sort(key=lambda one: one.entered)
    return [one for of_stage in stages.values() for one in of_stage[-MOST_STAYS:]]


def _score(made: Sequence[tuple[float, Sequence[Made]]], stays: Sequence[Stay]) -> Quality:
    """The quality of the last weeks' forecasts, each widened according to the forecasts of the
    weeks before.
    """
    total = Quality()
    for number in range(max(len(made) - SCORED_WEEKS, 0), len(made)):
        at, of_week = made[number]
        before = (one for _, week in made[max(number - SCORED_WEEKS, 0) : number] for one in week)
        total += quality_of(of_week, widening_from(before, now=at), Naive(stays, at))
    return total
