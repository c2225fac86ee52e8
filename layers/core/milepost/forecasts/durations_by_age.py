"""Durations by age: how long it takes from each age in a stage to the next step, and to the end.

Also which orders are looked at together: groups by service type, connection and provider.

They are made at fixed ages (landmarks), each from the orders that were in the stage at that age.
Source: van Houwelingen, "Dynamic Prediction by Landmarking in Event History Analysis" (2007).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from milepost.forecasts.minimum_samples import FOR_FORECAST
from milepost.forecasts.stays import Stay
from milepost.forecasts.survival import Event, Observation, Points, points_of

_MINUTE: Final = 60
_LONGEST: Final = 2 * 365 * 24 * 60 * _MINUTE


def _ages() -> Iterator[float]:
    yield 0.0
    age = 10 * _MINUTE
    while age < _LONGEST:
        yield float(age)
        age += age * 3 // 10


AGES: Final = tuple(_ages())
"""Seconds in the stage at which curves are made; each is 30% more than the one before it."""


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """A group of similar orders. Without a service type, orders of every service type; without a
    connection, of all connections of the provider."""

    stage: str
    service_type: str = ""
    connection: str = ""


class What(StrEnum):
    """What a curve describes: the time from an age in a stage until something happens."""

    STEP = "step"
    """When the stage ends."""
    END = "end"
    """When the order ends."""


def groups_of(stage: str, *, service_type: str, connection: str) -> Iterator[Group]:
    """The groups from which an order's forecast is made, the most similar one first."""
    if service_type:
        yield Group(stage, service_type, connection)
    yield Group(stage, "", connection)
    yield Group(stage)


class Curves:
    """The points at each landmark of each group, calculated from stays when they are first needed.

    :param since: from when on ends are known, on the clock of the stays: an order that was
        entered before counts from then on
    :param now: until when they are known
    """

    def __init__(self, stays: Iterable[Stay], *, since: float, now: float) -> None:
        self._since = since
        self._now = now
        self._groups: dict[Group, list[Stay]] = {}
        self._observed: dict[tuple[What, Group], list[_Observed]] = {}
        self._made: dict[tuple[What, Group, int], Points | None] = {}
        for stay in stays:
            for group in groups_of(
                stay.stage, service_type=stay.service_type, connection=stay.connection
            ):
                self._groups.setdefault(group, []).append(stay)

    @property
    def groups(self) -> Iterable[Group]:
        return self._groups

    def points(self, what: What, group: Group, place: int) -> Points | None:
        """The points at ``AGES[place]``; None if fewer than ``FOR_FORECAST`` orders reached that
        age, or none of them was completed."""
        wanted = (what, group, place)
        if wanted not in self._made:
            self._made[wanted] = self._make(*wanted)
        return self._made[wanted]

    def _make(self, what: What, group: Group, place: int) -> Points | None:
        if group not in self._groups or place >= len(AGES):
            return None
        age = AGES[place]
        there = [
            Observation(max(start - age, 0.0), time - age, event, number)
            for start, stayed, time, event, number in self._observe(what, group)
            if stayed > age or not place
        ]
        return points_of(there, enough=FOR_FORECAST)

    def _observe(self, what: What, group: Group) -> "list[_Observed]":
        """The observations of a group, from the entry into the stage on, sorted by time."""
        if (what, group) not in self._observed:
            seen = (self._seen(what, one) for one in self._groups[group])
            self._observed[what, group] = sorted(seen, key=lambda one: one[2])
        return self._observed[what, group]

    def _seen(self, what: What, one: Stay) -> "_Observed":
        start = max(self._since - one.entered, 0.0)
        stayed = (one.left if one.left is not None else self._now) - one.entered
        if what is What.STEP:
            return start, stayed, stayed, _event_of_stage(one), one.number
        lasted = (one.ended if one.ended is not None else self._now) - one.entered
        return start, stayed, lasted, _event_of_order(one), one.number


_Observed = tuple[float, float, float, Event, int]
"""From which age on orders were watched, how long they stayed, how long it was until their event,
which one, and how many of them."""


def _event_of_stage(one: Stay) -> Event:
    if one.left is None:
        return Event.NOTHING_YET
    is_end = one.ended == one.left
    return Event.UNSUCCESSFUL if is_end and not one.completed else Event.COMPLETED


def _event_of_order(one: Stay) -> Event:
    if one.ended is None:
        return Event.NOTHING_YET
    return Event.COMPLETED if one.completed else Event.UNSUCCESSFUL


def place_of(age: float) -> int:
    """The greatest of ``AGES`` that is not greater than this age."""
    return bisect_right(AGES, max(age, 0.0)) - 1
