"""Stays of the cases of an event log: an XES file, or a synthetic log with a known seed."""

import gzip
import random
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from milepost.forecasts.slowdown import DAY
from milepost.forecasts.stays import Stay

Case = list[Stay]

_STEPS: Final = (("pending", 2.0), ("accepted", 6.0), ("scheduled", 10.0))
"""Stages of the synthetic log with the median days that they last."""
_SPREAD: Final = 0.3
_CANCELLED: Final = 0.06
"""The share of orders that each stage of the synthetic log ends unsuccessfully."""


def read_xes(path: Path) -> list[Case]:
    """The cases of an XES file, which may be gzipped; cases with a single event have no stays.

    A stage is an event's name, and its lifecycle transition unless that says just ``complete``. A
    case ends when it enters its last name for the last time: what follows within it, such as
    resolved and then closed, is no step any more.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        return [
            case
            for _, element in ElementTree.iterparse(file)
            if element.tag.endswith("trace")
            for case in [_case_of(element)]
            if case
        ]


def _case_of(trace: ElementTree.Element) -> Case:
    events = sorted(_events_of(trace), key=lambda one: one[0])
    trace.clear()
    while len(events) > 1 and events[-2][1] == events[-1][1]:
        events.pop()
    return [
        Stay(stage=stage, entered=entered, left=left, ended=events[-1][0])
        for (entered, _, stage), (left, _, _) in pairwise(events)
    ]


def _events_of(trace: ElementTree.Element) -> Iterator[tuple[float, str, str]]:
    for event in trace:
        if not event.tag.endswith("event"):
            continue
        said = {one.get("key", ""): one.get("value", "") for one in event}
        name, transition = said["concept:name"], said.get("lifecycle:transition", "complete")
        stage = name if transition == "complete" else f"{name}: {transition}"
        yield datetime.fromisoformat(said["time:timestamp"]).timestamp(), name, stage


def synthetic(*, weeks: int, a_week: int, seed: int = 1) -> list[Case]:
    """Orders that arrive evenly over some weeks and go through three stages, or are cancelled."""
    chance = random.Random(seed)
    cases = []
    for _ in range(weeks * a_week):
        moment = chance.uniform(0, weeks * 7 * DAY)
        steps: list[tuple[str, float, float]] = []
        completed = True
        for stage, days in _STEPS:
            lasted = days * DAY * chance.lognormvariate(0, _SPREAD)
            steps.append((stage, moment, moment + lasted))
            moment += lasted
            if chance.random() < _CANCELLED:
                completed = False
                break
        cases.append(
            [
                Stay(stage=stage, entered=entered, left=left, ended=moment, completed=completed)
                for stage, entered, left in steps
            ]
        )
    return cases


def slow_down(cases: list[Case], *, since: float, factor: float) -> list[Case]:
    """The same cases, with all time after some instant passing more slowly."""
    return [[_slower(stay, max(since, case[0].entered), factor) for stay in case] for case in cases]


def _slower(stay: Stay, since: float, factor: float) -> Stay:
    def moved(moment: float | None) -> float | None:
        if moment is None or moment <= since:
            return moment
        return since + factor * (moment - since)

    return Stay(
        stage=stay.stage,
        entered=moved(stay.entered) or stay.entered,
        left=moved(stay.left),
        ended=moved(stay.ended),
        completed=stay.completed,
    )
