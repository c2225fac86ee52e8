"""The quality of forecasts and of alerts about slowdowns, on event logs and on a synthetic log.

Snapshots are taken each week, and each knows only what had happened by then. A log that gives
forecasts for less than half a year gets them on each of the seven days of the week: with two or
three snapshots, the day of the week alone would decide.
"""

import random
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.event_log import Case, read_xes, slow_down, synthetic
from bench.figures import Figure
from milepost.forecasts.durations_by_age import AGES, Curves, Group, What
from milepost.forecasts.forecast import Known, Widening, forecast, widen
from milepost.forecasts.quality import (
    MOST_SCORED,
    Made,
    Naive,
    covers,
    made_at,
    widening_from,
)
from milepost.forecasts.slowdown import BEFORE, DAY, RECENT, WEEK, Comparison, compare
from milepost.forecasts.stays import Stay
from milepost.forecasts.survival import SHARES, Points

LEAST_COVERED: Final = 0.77
MOST_COVERED: Final = 0.83
GOAL_OF_LOSS: Final = 0.95
MOST_FALSE: Final = 0.03
LEAST_FOUND: Final = 0.9
SLOWER_BY: Final = 1.3
FOUND_WITHIN: Final = 10
"""Weeks after which a slowdown counts as missed."""
INJECTIONS: Final = 40
HISTORY: Final = 52 * WEEK
ENOUGH_WEEKS: Final = 26
"""Of snapshots with forecasts, so that one a week is enough."""
_MONDAY: Final = 4 * DAY
"""The first Monday, on a clock that began on a Thursday."""
_ROUNDS: Final = 20_000


@dataclass(slots=True)
class Score:
    """The results of forecasts."""

    made: int = 0
    cannot_say: int = 0
    covered: int = 0
    covered_before: int = 0
    """By intervals as they were before they were made wider."""
    without_upper: int = 0
    loss: float = 0.0
    naive_loss: float = 0.0
    weeks: set[float] = field(default_factory=set)

    @property
    def forecasts(self) -> int:
        return self.made - self.cannot_say


def measure(*, quick: bool, logs: Sequence[Path] = ()) -> list[Figure]:
    """The goals on each log, and on the synthetic one if no log is given."""
    figures: list[Figure] = []
    named = {path.name.partition(".")[0]: read_xes(path) for path in logs}
    for name, cases in (named or {"synthetic": synthetic(weeks=60, a_week=25)}).items():
        figures += measure_forecasts(name, cases)
        figures += measure_alerts(name, cases, injections=4 if quick else INJECTIONS)
    return [*figures, measure_time()]


def measure_forecasts(name: str, cases: Sequence[Case]) -> Iterator[Figure]:
    """Coverage and loss of a log's forecasts."""
    stays = sorted((one for case in cases for one in case), key=lambda one: one.entered)
    score = score_log(stays, days=(0,))
    if len(score.weeks) < ENOUGH_WEEKS:
        score = score_log(stays, days=range(7))
    number = max(score.forecasts, 1)
    covered = score.covered / number
    note = (
        f"{score.forecasts:,} forecasts; "
        f"{score.cannot_say / max(score.made, 1):.0%} not enough yet; "
        f"{score.without_upper / number:.0%} without an upper date; "
        f"before widening {score.covered_before / number:.3f}"
    )
    what = f"{name}: 80% intervals that covered the end"
    yield Figure(what=what, measured=covered, goal=LEAST_COVERED, at_least=True, note=note)
    yield Figure(what=f"{what}, at most", measured=covered, goal=MOST_COVERED)
    yield Figure(
        what=f"{name}: pinball loss, compared with completed orders' quantiles",
        measured=score.loss / max(score.naive_loss, 1.0),
        goal=GOAL_OF_LOSS,
        if_missed=(
            "A log that was cut out by when cases ended has none that take longer, so its "
            "completed cases alone know when the others will end; open ones that nobody can know "
            "to be short make forecasts longer. Tried: ends by the last status instead of the last "
            "event, left truncation, snapshots on all days of the week, other histories and ages, "
            "leaning on completed orders; see docs/forecasts.md"
        ),
    )


def score_log(stays: Sequence[Stay], *, days: Iterable[int]) -> Score:
    """Make and evaluate the forecasts of weekly snapshots, on each of these days of the week."""
    score = Score()
    first_end = min(one.ended for one in stays if one.ended is not None)
    for day in days:
        history: list[list[Made]] = []
        for moment in _weeks(stays, day=day):
            since = max(first_end - 1, moment - HISTORY)
            known = [one for one in _until(stays, moment) if (one.ended or moment) > since]
            made = [*made_at(moment, known, since=since)]
            scored = (one for week in history[-MOST_SCORED:] for one in week)
            widening = widening_from(scored, now=moment)
            naive = Naive(known, moment)
            for one in made:
                _score(score, one, widening, naive)
            history.append(made)
    return score


def _score(score: Score, one: Made, widening: Widening, naive: Naive) -> None:
    if one.stay.ended is None or not one.stay.completed:
        return
    score.made += 1
    points = one.forecast.points if one.forecast else None
    if points is None or points.low is None:
        score.cannot_say += 1
        return
    took, told = one.stay.ended - one.at, widen(points, widening)
    score.weeks.add(one.at)
    score.covered_before += covers(points, took)
    score.covered += covers(told, took)
    score.without_upper += told.high is None
    usual = naive.points(one.stay.stage, one.at - one.stay.entered)
    if usual is None:
        return
    for share, ours, theirs in zip(SHARES, (told.low, told.middle, told.high), usual, strict=True):
        if ours is not None:
            score.loss += pinball(share, ours, took)
            score.naive_loss += pinball(share, theirs, took)


def pinball(share: float, told: float, took: float) -> float:
    """The pinball loss of a forecast quantile: higher on the side on which it should rarely be
    wrong.
    """
    return max(share * (took - told), (share - 1) * (took - told))


def _weeks(stays: Sequence[Stay], *, day: int) -> Iterator[float]:
    last = max(one.ended or one.entered for one in stays)
    monday = (stays[0].entered - _MONDAY) // WEEK * WEEK + _MONDAY
    moment = monday + WEEK + day * DAY
    while moment < last:
        yield moment
        moment += WEEK


def _until(stays: Sequence[Stay], moment: float) -> Sequence[Stay]:
    return stays[: bisect_right(stays, moment, key=lambda one: one.entered)]


def measure_alerts(name: str, cases: Sequence[Case], *, injections: int) -> Iterator[Figure]:
    """The number of windows with an alert although nothing was changed, and the share of detected
    slowdowns.
    """
    stays = sorted((one for case in cases for one in case), key=lambda one: one.entered)
    began = stays[0].entered + BEFORE + RECENT
    weeks = [moment for moment in _weeks(stays, day=0) if moment >= began]
    compared = compare_stages(stays, weeks)
    alerts = find_alerts(compared)
    yield Figure(
        what=f"{name}: share of windows with an alert",
        measured=len(alerts) / max(len(compared), 1),
        goal=MOST_FALSE,
        note=f"{len(alerts)} of {len(compared)}: 14 days of a stage, each week",
    )
    chance, found, tried = random.Random(1), 0, 0
    latest = weeks[-1] - 2 * FOUND_WITHIN * WEEK if weeks else began
    while tried < injections and latest > began:
        tried += 1
        since = chance.uniform(began, latest)
        slower = slow_down([*cases], since=since, factor=SLOWER_BY)
        changed = sorted((one for case in slower for one in case), key=lambda one: one.entered)
        after = [moment for moment in weeks if since < moment <= since + FOUND_WITHIN * WEEK]
        found += bool(find_alerts(compare_stages(changed, after)))
    if tried:
        yield Figure(
            what=f"{name}: injected slowdowns of {SLOWER_BY} found within {FOUND_WITHIN} weeks",
            measured=found / tried,
            goal=LEAST_FOUND if name in ("helpdesk", "synthetic") else None,
            at_least=True,
            note=f"{found} of {tried}",
        )


Window = tuple[str, float]


def compare_stages(stays: Iterable[Stay], weeks: Sequence[float]) -> dict[Window, Comparison]:
    """The comparison of each stage's last two weeks with the weeks before, at each of these
    times.
    """
    stages: dict[str, list[Stay]] = defaultdict(list)
    for one in stays:
        stages[one.stage].append(one)
    found = {}
    for stage, of_stage in stages.items():
        for moment in weeks:
            oldest = moment - RECENT - BEFORE
            known = [one for one in _until(of_stage, moment) if (one.left or moment) > oldest]
            if compared := compare(known, now=moment):
                found[stage, moment] = compared
    return found


def find_alerts(compared: dict[Window, Comparison]) -> list[Window]:
    """The windows that are slower, if the week before was slower, too."""
    return [
        (stage, moment)
        for (stage, moment), one in compared.items()
        if one.is_slower
        and (before := compared.get((stage, moment - WEEK))) is not None
        and before.is_slower
    ]


class _Table:
    """Points that are already calculated, as a function reads them."""

    def __init__(self, made: Curves) -> None:
        self._points = {
            (what, group, place): made.points(what, group, place)
            for what in What
            for group in made.groups
            for place in range(len(AGES))
        }

    def points(self, what: What, group: Group, place: int) -> Points | None:
        return self._points.get((what, group, place))


def measure_time() -> Figure:
    """Processor time of an open order's forecasts, of its stage and its end."""
    stays = [one for case in synthetic(weeks=26, a_week=25) for one in case]
    known: Known = _Table(Curves(stays, since=0.0, now=30 * WEEK))
    began = time.process_time()
    for place in range(_ROUNDS):
        for what in What:
            forecast(known, what, stage="accepted", age=place % 20 * DAY / 2)
    took = (time.process_time() - began) / _ROUNDS
    return Figure(
        what="a forecast of an open order, warm", measured=took * 1e3, unit="ms", goal=1.0
    )
