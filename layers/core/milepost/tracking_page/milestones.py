"""The line of milestones: the steps that an order has completed, and those that follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from milepost.common.status import Status
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Order
from milepost.orders.stages import finished_stages


class Progress(StrEnum):
    """The position of a milestone on the line."""

    DONE = "done"
    NOW = "now"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One step on the line. ``name`` is the key of its text; ``since`` is when it was reached."""

    name: str
    progress: Progress
    since: datetime | None = None


_STEPS: Final = ("placed", "accepted", "scheduled", "in_progress", "complete")
_STEP_OF: Final[Mapping[Status, str]] = {
    Status.UNKNOWN: "placed",
    Status.PENDING: "placed",
    Status.SUBMITTED: "placed",
    Status.ACCEPTED: "accepted",
    Status.SCHEDULED: "scheduled",
    Status.IN_PROGRESS: "in_progress",
    Status.COMPLETED: "complete",
    Status.ACTIVE: "complete",
}
_SKIPPED_BY_SOME: Final = frozenset({"scheduled", "in_progress"})
ENDED_EARLY: Final = frozenset({Status.REJECTED, Status.FAILED, Status.CANCELLED})
"""Statuses with which an order ends before it is complete."""


def milestones_of(order: Order, *, visits: bool) -> tuple[Milestone, ...]:
    """The order's line.

    An order behind which there is no appointment and no work that anybody reported shows none. An
    order that ended early shows the steps that it reached, and how it ended.

    :param visits: whether somebody comes and works; without that the step is left out
    """
    reached = _reached(order)
    if order.status in ENDED_EARLY:
        behind = [name for name in _STEPS if name in reached]
        end = Milestone(name=str(order.status), progress=Progress.NOW, since=order.since)
        return (*(_done(name, reached) for name in behind), end)
    at = _STEPS.index(_STEP_OF[order.status])
    left_out = {"in_progress"} if not visits else set()
    left_out |= {name for name in _STEPS[:at] if name in _SKIPPED_BY_SOME}
    steps = [name for name in _STEPS if name in reached or name not in left_out]
    return tuple(_step(name, at, order, reached) for name in steps)


def _step(name: str, at: int, order: Order, reached: Mapping[str, datetime]) -> Milestone:
    place = _STEPS.index(name)
    if place > at:
        return Milestone(name=name, progress=Progress.AHEAD)
    if place < at:
        return _done(name, reached)
    # Nothing is expected any more of a complete order, so its last step is done.
    progress = Progress.DONE if order.status in TERMINAL else Progress.NOW
    return Milestone(name=name, progress=progress, since=reached.get(name))


def _done(name: str, reached: Mapping[str, datetime]) -> Milestone:
    return Milestone(name=name, progress=Progress.DONE, since=reached.get(name))


def _reached(order: Order) -> dict[str, datetime]:
    """When the order reached each step: the last time, if it reached a step more than once.

    A step may last for several statuses, of which the first counts.
    """
    statuses = [(one.status, one.entered) for one in finished_stages(order)]
    found: dict[str, datetime] = {}
    before = None
    for status, since in [*statuses, (order.status, order.since)]:
        step = _STEP_OF.get(status)
        if step is not None and step != before:
            found[step] = since
        before = step
    return found
