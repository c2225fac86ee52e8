"""What was measured, and whether it reaches its goal."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table. ``goal`` is the most it may be, or the least if ``at_least``.

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
        """None for a figure without a goal."""
        if self.goal is None:
            return None
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal

    @property
    def verdict(self) -> str:
        """``reached``, or by how much of the goal it is missed."""
        if self.goal is None or self.is_reached is None:
            return ""
        if self.is_reached:
            return "reached"
        if self.goal == 0:
            return f"missed by {self.measured:g}"
        return f"missed by {abs(self.measured - self.goal) / self.goal:.0%}"

    @property
    def remark(self) -> str:
        """What there is to say of it as it was measured."""
        why = self.if_missed if self.is_reached is False else ""
        return ". ".join(filter(None, (self.note, why)))

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds of one by the other: both ran in the same moment of a round.

    :raises ValueError: when the rounds don't match
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError("a ratio needs the same rounds of both")
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], rank: int) -> float:
    """The smallest value that so many of a hundred do not exceed.

    :raises ValueError: when there are no values
    """
    if not values:
        raise ValueError("a percentile needs values")
    return sorted(values)[max(math.ceil(len(values) * rank / 100), 1) - 1]
