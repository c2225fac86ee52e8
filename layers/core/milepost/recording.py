"""Recording a report: read the order, fold the report in, write once."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from milepost.announcing import announcements
from milepost.lifecycle import Rules, fold
from milepost.order import Announcement, Order, OrderKey, TrackedOrder
from milepost.report import Report, Status, whole_milliseconds

MOST_LOST_RACES: Final = 10
"""Writers that may get ahead of us on one order before we leave the report to a redelivery."""


class LostRace(Exception):
    """Somebody else wrote the order since we read it; ``winner`` is what they wrote."""

    def __init__(self, winner: TrackedOrder) -> None:
        super().__init__(f"order {winner.order.key} is at version {winner.version} by now")
        self.winner = winner


class Orders(Protocol):
    """Where orders are kept."""

    def read(self, key: OrderKey) -> TrackedOrder | None:
        """The order as last seen; it may be a little out of date, since ``write`` checks."""
        ...

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        """Keep it in place of the version before it, with what is to be announced of it.

        :raises LostRace: when the version kept is not the one before
        """
        ...


class Erasures(Protocol):
    """Customers who were erased."""

    def cover(self, report: Report) -> bool:
        """Whether a report of an order that isn't known is about one that was erased: a further
        item of it, or an order from before its customer was erased."""
        ...


class _NobodyErased:
    """Implements ``Erasures``."""

    def cover(self, report: Report) -> bool:  # noqa: ARG002 - as the protocol has it
        return False


NOBODY_ERASED: Final = _NobodyErased()


class Outcome(StrEnum):
    """What became of a report."""

    TRANSITION = "transition"
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a report, and where its order stands now."""

    outcome: Outcome
    status: Status
    announced: tuple[Announcement, ...] = ()


def record(
    report: Report,
    *,
    orders: Orders,
    rules: Rules,
    now: datetime,
    announce: bool = True,
    erasures: Erasures = NOBODY_ERASED,
) -> Recorded:
    """Take a report into its order, whoever else is writing to it.

    :param announce: False for a replay that is to tell nobody
    :param erasures: whose orders are not taken in; looked at for a new order alone
    :raises LostRace: after ``MOST_LOST_RACES``; try the report again later
    """
    before = orders.read(OrderKey.of(report))
    if before is None and erasures.cover(report):
        return Recorded(Outcome.ERASED, report.status or Status.UNKNOWN)
    for attempt in range(MOST_LOST_RACES + 1):
        if before is not None and (known := _nothing_to_add(report, before)):
            return Recorded(known, before.order.status)
        order = _fold_in(report, before, rules)
        told = announcements(before, order, now=whole_milliseconds(now)) if announce else ()
        after = _next_version(order, before, told)
        try:
            orders.write(after, new=told)
        except LostRace as race:
            if attempt == MOST_LOST_RACES:
                raise
            before = race.winner
        else:
            moved = before is None or before.order.status is not after.order.status
            outcome = Outcome.TRANSITION if moved else Outcome.RECORDED
            return Recorded(outcome, after.order.status, told)
    raise AssertionError("the loop returns or raises")


def _fold_in(report: Report, before: TrackedOrder | None, rules: Rules) -> Order:
    if before is None:
        return fold([report], rules)
    known = before.order
    return fold([*(entry.report for entry in known.timeline), report], rules, known.summary)


def _next_version(
    order: Order, before: TrackedOrder | None, told: tuple[Announcement, ...]
) -> TrackedOrder:
    if before is None:
        return TrackedOrder(order=order, version=1, announced=told)
    announced = (*before.announced, *told)
    return replace(
        before,
        order=order,
        version=before.version + 1,
        announced=announced,
        overdue=before.overdue if _clock(order) == _clock(before.order) else None,
    )


def _clock(order: Order) -> tuple[object, ...]:
    """All that a stage's deadline follows from, beside the connection's settings."""
    offer, service = order.details.get("offer", {}).get("id"), order.details.get("service_type")
    stage = (order.status, order.since, order.waited, order.waiting)
    return (*stage, order.appointment, offer, service)


def _nothing_to_add(report: Report, before: TrackedOrder) -> Outcome | None:
    if before.erased_at is not None:
        return Outcome.ERASED
    if before.order.has_report(report.id) or _is_history(report, before.order):
        return Outcome.DUPLICATE
    if report.dated_by_fetch and _says_what_is_known(report, before.order):
        return Outcome.DUPLICATE
    return None


def _is_history(report: Report, order: Order) -> bool:
    return order.summary is not None and report.occurred_at <= order.summary.until


def _says_what_is_known(report: Report, order: Order) -> bool:
    """A provider without a clock says the same at each fetch: only a difference is news."""
    fetched = [e.report for e in order.timeline if e.report.dated_by_fetch]
    if not fetched:
        return False
    last = fetched[-1]
    return (last.raw_status, last.details) == (report.raw_status, report.details)
