"""Measured figures, and whether they reach their goals."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

_ONE_PERCENT: Final = 0.01
_TWO_MINUTES: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table. ``goal`` is the maximum, or the minimum if ``at_least``.

    ``if_missed`` says of a goal that may not be reached why, and what was tried.
    """

    what: str
    measured: float
    unit: str = ""
    goal: float | None = None
    at_least: bool = False
    note: str = ""
    if_missed: str = ""

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None for a figure without a goal."""
        if self.goal is None:
            return None
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal

    @property
    def verdict(self) -> str:
        """``reached``, or the share of the goal by which it is missed."""
        if self.goal is None or self.is_reached is None:
            return ""
        if self.is_reached:
            return "reached"
        if self.goal == 0:
            return f"missed by {self.measured:g}"
        share = abs(self.measured - self.goal) / self.goal
        return f"missed by {share:.{0 if share >= _ONE_PERCENT else 1}%}"

    @property
    def reason(self) -> str:
        """Why the goal was missed and what was tried; empty if it is reached."""
        return self.if_missed if self.is_reached is False else ""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median, over all rounds, of the ratio of the two: in a round, both ran at the same time.

    :raises ValueError: when the rounds don't match
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError("a ratio needs the same rounds of both")
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], rank: int) -> float:
    """The smallest value that this percentage of the values doesn't exceed.

    :raises ValueError: when there are no values
    """
    if not values:
        raise ValueError("a percentile needs values")
    return sorted(values)[max(math.ceil(len(values) * rank / 100), 1) - 1]


def describe_seconds(seconds: float) -> str:
    """``43 s``, or ``2 min 5 s`` from two minutes on."""
    whole = round(seconds)
    return f"{whole} s" if whole < _TWO_MINUTES else f"{whole // 60} min {whole % 60} s"
