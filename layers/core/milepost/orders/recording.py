"""Recording a report: reads the order, folds the report in, writes once."""

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
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source
from milepost.orders.status_remapping import restate, restate_summary

MOST_LOST_RACES: Final = 10
"""How often a write may lose to another writer before the report is left to a redelivery."""


Done = TypeVar("Done")


class LostRace(Exception):
    """Another process has written the order since it was read; ``winner`` is the version it
    wrote."""

    def __init__(self, winner: TrackedOrder) -> None:
        super().__init__(f"order {winner.order.key} is at version {winner.version} by now")
        self.winner = winner


class UnstorableOrder(Exception):
    """The order can't be stored with this report, and a retry won't help. The message says why,
    without the order's contents. The stored order is unchanged."""


class OrderStore(Protocol):
    """Where orders are stored."""

    def read(self, key: OrderKey) -> TrackedOrder | None:
        """The order; it may be slightly out of date, since ``write`` checks its version."""
        ...

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        """Replace the order's previous version, together with its new announcements.

        :raises LostRace: when the stored version is not the previous one
        :raises UnstorableOrder: when the store refuses the order's contents
        """
        ...


class Erasures(Protocol):
    """Customers who have been erased."""

    def cover(self, report: Report) -> bool:
        """Whether a report of an unknown order belongs to an erased customer: it is another item of
        their order, or an order that was placed before the erasure."""
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
    """The outcome of a report, and the current version of its order."""

    outcome: RecordOutcome
    status: Status
    announced: tuple[Announcement, ...] = ()
    stored: Order | None = None
    """The order as it is stored, if the report adds nothing to it. An eventually consistent read
    may not have the report yet."""


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
    """Record a report in its order, even with concurrent writers.

    :param announce: False for a replay that notifies nobody
    :param erasures: the customers whose orders are not recorded; only checked for a new order
    :param require: raises when the report must not be added to the order. It gets the version that
        the write replaces, so that concurrent decisions about one order can't both succeed
    :raises LostRace: after ``MOST_LOST_RACES``; retry the report later
    :raises UnstorableOrder: when the order can't be stored with it; keep the report elsewhere
    """
    report = restate(report, rules.read_status)
    stored = orders.read(OrderKey.of(report))
    if stored is None and erasures.cover(report):
        return Recorded(RecordOutcome.ERASED, report.status or Status.UNKNOWN)

    def attempt(before: TrackedOrder | None) -> Recorded:
        before = read_again(before, rules)
        if before is not None and (known := _nothing_to_add(report, before)):
            return Recorded(known, before.order.status, stored=before.order)
        if before is not None and require is not None:
            require(before.shown)
        order = _fold_in(report, before, rules)
        if before is not None and _repeats_known_report(report, order, before.order):
            return Recorded(RecordOutcome.DUPLICATE, order.status, stored=before.order)
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
    """Run a write that replaces the stored version. If another writer was faster, run it again with
    that version.

    :param attempt: gets the stored version; raises ``LostRace`` if another one is stored by then
    :raises LostRace: after ``MOST_LOST_RACES``
    """
    for _ in range(MOST_LOST_RACES):
        try:
            return attempt(stored)
        except LostRace as race:
            stored = race.winner
    return attempt(stored)


def read_again(tracked: TrackedOrder | None, rules: Rules) -> TrackedOrder | None:
    """A stored order according to these rules, if its raw statuses had another meaning when it was
    written. Nothing is announced.
    """
    if tracked is None or tracked.erased_at is not None or not _has_changed(tracked.order, rules):
        return tracked
    return fold_again(tracked, rules)


def fold_again(tracked: TrackedOrder, rules: Rules) -> TrackedOrder:
    """Fold the stored reports again according to these rules; the version stays."""
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
    order: Order, before: TrackedOrder | None, new: tuple[Announcement, ...]
) -> TrackedOrder:
    if before is None:
        return TrackedOrder(order=order, version=1, announced=new)
    return replace(
        before,
        order=order,
        version=before.version + 1,
        announced=kept((*before.announced, *new)),
        overdue=before.overdue if _clock(order) == _clock(before.order) else None,
    )


def _clock(order: Order) -> tuple[object, ...]:
    """Everything that a stage's deadline depends on, except the connection's settings."""
    offer, service = order.details.get("offer", {}), order.details.get("service_type")
    stage = (order.status, order.stage_since, order.waited, order.waited_before, order.waiting)
    facts = (order.appointment, offer.get("id"), offer.get("name"), service, first_due_on(order))
    return (*stage, *facts)


def _nothing_to_add(report: Report, before: TrackedOrder) -> RecordOutcome | None:
    """The outcome of a report that can't change anything; None if it has to be folded in."""
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
    """Whether a known report that a later snapshot repeats may move on the timeline.

    It may if there is another snapshot of the same instant, or if it was not known to be a
    snapshot.
    """
    if not report.is_snapshot:
        return False
    of_its_instant = (
        entry.report for entry in order.timeline if entry.report.occurred_at == report.occurred_at
    )
    return not known.is_snapshot or any(
        other.is_snapshot and other.id != report.id for other in of_its_instant
    )


def _repeats_known_report(report: Report, order: Order, before: Order) -> bool:
    """Whether a repeated report changed nothing except its own time."""
    return before.find_report(report.id) is not None and _standing(order) == _standing(before)


def _standing(order: Order) -> tuple[object, ...]:
    entries = [(entry.report.id, entry.effect) for entry in order.timeline]
    return (entries, order.summary, order.status, order.since, order.details, order.attention)


def _says_what_is_known(report: Report, order: Order) -> bool:
    """Whether the report repeats what is known. Without dates from the provider, every fetch
    returns the same, so only a difference is new.

    It is compared with what the provider had last reported at that time.
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
    """The result of a consistent read. A key that is in neither mapping has no order."""

    found: Mapping[OrderKey, TrackedOrder] = field(default_factory=dict)
    unreadable: Mapping[OrderKey, str] = field(default_factory=dict)
    """Orders that are stored but can't be read: the kind of error, without any content."""
