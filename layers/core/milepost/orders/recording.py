"""Recording a report: read the order, fold the report in, write once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from milepost.common.status import Status
from milepost.common.timestamps import whole_milliseconds
from milepost.orders.announcements import announcements, kept
from milepost.orders.customer_waits import first_due_on
from milepost.orders.lifecycle import fold
from milepost.orders.order import Announcement, Effect, Order, OrderKey, TrackedOrder
from milepost.orders.report import Report, Source
from milepost.orders.restating import restate, restate_summary
from milepost.orders.rules import Rules

MOST_LOST_RACES: Final = 10
"""Writers that may get ahead of us on one order before we leave the report to a redelivery."""


Done = TypeVar("Done")


class LostRace(Exception):
    """Somebody else wrote the order since we read it; ``winner`` is what they wrote."""

    def __init__(self, winner: TrackedOrder) -> None:
        super().__init__(f"order {winner.order.key} is at version {winner.version} by now")
        self.winner = winner


class UnstorableOrder(Exception):
    """The order can't be stored with this report, however often that is tried; the message says
    why, without the order's contents. The order is stored as it was before."""


class OrderStore(Protocol):
    """Where orders are kept."""

    def read(self, key: OrderKey) -> TrackedOrder | None:
        """The order as last seen; it may be a little out of date, since ``write`` checks."""
        ...

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        """Keep it in place of the version before it, with what is to be announced of it.

        :raises LostRace: when the version kept is not the one before
        :raises UnstorableOrder: when the store refuses what the order consists of
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


class RecordOutcome(StrEnum):
    """The outcome of a report."""

    TRANSITION = "transition"
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outcome of a report, and where its order stands now."""

    outcome: RecordOutcome
    status: Status
    announced: tuple[Announcement, ...] = ()


def record(
    report: Report,
    *,
    orders: OrderStore,
    rules: Rules,
    now: datetime,
    announce: bool = True,
    erasures: Erasures = NOBODY_ERASED,
    require: Callable[[Order], None] | None = None,
) -> Recorded:
    """Take a report into its order, whoever else is writing to it.

    :param announce: False for a replay that is to tell nobody
    :param erasures: whose orders are not taken in; looked at for a new order alone
    :param require: raises when the report must not be added to the order. It is given the very
        version in place of which the report is written, so that two decisions about one order
        can't pass each other
    :raises LostRace: after ``MOST_LOST_RACES``; try the report again later
    :raises UnstorableOrder: when the order can't be stored with it; keep the report elsewhere
    """
    report = restate(report, rules.read_status)
    stored = orders.read(OrderKey.of(report))
    if stored is None and erasures.cover(report):
        return Recorded(RecordOutcome.ERASED, report.status or Status.UNKNOWN)

    def attempt(before: TrackedOrder | None) -> Recorded:
        before = read_again(before, rules)
        if before is not None and (known := _nothing_to_add(report, before)):
            return Recorded(known, before.order.status)
        if before is not None and require is not None:
            require(before.shown)
        order = _fold_in(report, before, rules)
        if before is not None and _came_again_for_nothing(report, order, before.order):
            return Recorded(RecordOutcome.DUPLICATE, order.status)
        news = announcements(before, order, now=whole_milliseconds(now)) if announce else ()
        after = _next_version(order, before, news)
        orders.write(after, new=news)
        moved = before is None or before.order.status is not after.order.status
        outcome = RecordOutcome.TRANSITION if moved else RecordOutcome.RECORDED
        return Recorded(outcome, after.order.status, news)

    return write_until_won(attempt, stored)


def write_until_won(
    attempt: Callable[[TrackedOrder | None], Done], stored: TrackedOrder | None
) -> Done:
    """Run a write that replaces the stored version, again with the winner's after a lost race.

    :param attempt: given the stored version; raises ``LostRace`` when another is stored by now
    :raises LostRace: after ``MOST_LOST_RACES``
    """
    for _ in range(MOST_LOST_RACES):
        try:
            return attempt(stored)
        except LostRace as race:
            stored = race.winner
    return attempt(stored)


def read_again(tracked: TrackedOrder | None, rules: Rules) -> TrackedOrder | None:
    """A stored order as these rules have it, where they give its raw statuses another meaning than
    they had when it was written. Nothing is announced by that.
    """
    if tracked is None or tracked.erased_at is not None or not _has_changed(tracked.order, rules):
        return tracked
    return fold_again(tracked, rules)


def fold_again(tracked: TrackedOrder, rules: Rules) -> TrackedOrder:
    """The order that its stored reports imply by these rules; its version stays."""
    known = tracked.order
    order = fold((entry.report for entry in known.timeline), rules, known.summary)
    overdue = tracked.overdue if _clock(order) == _clock(known) else None
    return replace(tracked, order=order, overdue=overdue)


def _has_changed(order: Order, rules: Rules) -> bool:
    read_status = rules.read_status
    if restate_summary(order.summary, read_status) is not order.summary:
        return True
    reports = (entry.report for entry in order.timeline)
    return any(restate(report, read_status) is not report for report in reports)


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
    return replace(
        before,
        order=order,
        version=before.version + 1,
        announced=kept((*before.announced, *told)),
        overdue=before.overdue if _clock(order) == _clock(before.order) else None,
    )


def _clock(order: Order) -> tuple[object, ...]:
    """All that a stage's deadline follows from, beside the connection's settings."""
    offer, service = order.details.get("offer", {}), order.details.get("service_type")
    stage = (order.status, order.stage_since, order.waited, order.waited_before, order.waiting)
    facts = (order.appointment, offer.get("id"), offer.get("name"), service, first_due_on(order))
    return (*stage, *facts)


def _nothing_to_add(report: Report, before: TrackedOrder) -> RecordOutcome | None:
    """The outcome of a report that certainly changes nothing; None when it has to be folded in."""
    if before.erased_at is not None:
        return RecordOutcome.ERASED
    order = before.order
    if known := order.find_report(report.id):
        return None if _may_hold_again(report, known, order) else RecordOutcome.DUPLICATE
    if order.has_report(report.id):
        return RecordOutcome.DUPLICATE
    if report.dated_by_fetch and _says_what_is_known(report, order):
        return RecordOutcome.DUPLICATE
    return None


def _may_hold_again(report: Report, known: Report, order: Order) -> bool:
    """Whether a known report, taken as a snapshot later, may take another place than it has.

    It may when there is another snapshot of its instant, or when it was not known to be one.
    """
    if not report.is_snapshot:
        return False
    of_its_instant = (
        entry.report for entry in order.timeline if entry.report.occurred_at == report.occurred_at
    )
    return not known.is_snapshot or any(
        other.is_snapshot and other.id != report.id for other in of_its_instant
    )


def _came_again_for_nothing(report: Report, order: Order, before: Order) -> bool:
    """Whether a known report left everything as it was, but for when it was said."""
    return before.find_report(report.id) is not None and _standing(order) == _standing(before)


def _standing(order: Order) -> tuple[object, ...]:
    entries = [(entry.report.id, entry.effect) for entry in order.timeline]
    return (entries, order.summary, order.status, order.since, order.details, order.attention)


def _says_what_is_known(report: Report, order: Order) -> bool:
    """A provider without a clock says the same at each fetch: only a difference is news.

    What counts is what the provider was last known to say at that time.
    """
    said = [
        entry.report
        for entry in order.timeline
        if entry.report.source is not Source.PERSON
        and entry.effect is not Effect.LATE
        and entry.report.occurred_at <= report.occurred_at
    ]
    if not said:
        return False
    last = said[-1]
    return last.dated_by_fetch and (last.raw_status, last.details) == (
        report.raw_status,
        report.details,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRead:
    """What a consistent read found. A key in neither mapping has no order."""

    found: Mapping[OrderKey, TrackedOrder] = field(default_factory=dict)
    unreadable: Mapping[OrderKey, str] = field(default_factory=dict)
    """Orders that are stored but can't be read: the kind of error, without any content."""
