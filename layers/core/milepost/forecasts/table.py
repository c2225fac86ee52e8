"""The table of a connection's forecasts: the points of each stage at each landmark."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from milepost.forecasts.curves import AGES, Curves, Group, What
from milepost.forecasts.forecast import AS_IT_IS, Widening
from milepost.forecasts.quality import Made, made_at, widening_from
from milepost.forecasts.slowdown import WEEK
from milepost.forecasts.stays import Stay
from milepost.forecasts.survival import Points

MOST_STAYS: Final = 2_000
"""Of one stage: the last ones. More of them make no forecast better."""
SCORED_WEEKS: Final = 8
"""Weeks whose forecasts are made again for the widening and for how good they were."""

_Key = tuple[What, Group, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What became of the forecasts of the last weeks that were made of orders completed since."""

    made: int = 0
    cannot_say: int = 0
    covered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastTable:
    """Everything that a forecast of an order of one connection needs."""

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
            "quality": [self.quality.made, self.quality.cannot_say, self.quality.covered],
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
        made, cannot_say, covered = stored["quality"]
        return cls(
            made_at=stored["made_at"],
            widening=Widening(*stored["widening"]),
            quality=Quality(made=made, cannot_say=cannot_say, covered=covered),
            points_by_key={
                (What(what), Group(stage, service_type, connection), place): Points(*points)
                for what, stage, service_type, connection, place, *points in stored["points"]
            },
        )


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def make_table(stays: Iterable[Stay], *, now: float, made_at_text: str) -> ForecastTable:
    """The table of one connection's stays, as they are known now."""
    kept = _last_of_each_stage(stays)
    first_end = min((one.ended for one in kept if one.ended is not None), default=None)
    if first_end is None:
        return ForecastTable(made_at=made_at_text)
    since = first_end - 1
    curves = Curves(kept, since=since, now=now)
    points = {
        (what, group, place): one
        for group in curves.groups
        if group.connection
        for what in What
        for place in range(len(AGES))
        for one in [curves.points(what, group, place)]
        if one is not None
    }
    moments = (now - week * WEEK for week in range(SCORED_WEEKS, 0, -1))
    made = [one for at in moments if at > since for one in made_at(at, kept, since=since)]
    return ForecastTable(
        made_at=made_at_text,
        points_by_key=points,
        widening=widening_from(made, now=now),
        quality=_quality_of(made),
    )


def _last_of_each_stage(stays: Iterable[Stay]) -> list[Stay]:
    stages: dict[str, list[Stay]] = defaultdict(list)
    for one in stays:
        stages[one.stage].append(one)
    for of_stage in stages.values():
        of_stage.sort(key=lambda one: one.entered)
    return [one for of_stage in stages.values() for one in of_stage[-MOST_STAYS:]]


def _quality_of(made: Iterable[Made]) -> Quality:
    """How many of the forecasts covered the end, before any widening."""
    known = [one for one in made if one.stay.ended is not None and one.stay.completed]
    said = [
        (one.forecast.points, (one.stay.ended or 0) - one.at)
        for one in known
        if one.forecast and one.forecast.points.low is not None
    ]
    return Quality(
        made=len(known),
        cannot_say=len(known) - len(said),
        covered=sum(
            (points.low or 0) <= took and (points.high is None or took <= points.high)
            for points, took in said
        ),
    )
