"""One run of ``watch_deadlines``: announces what is due, and what was never announced."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from milepost.connections.aws.drift import DriftNotices
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import UnusableConnection
from milepost.connections.health import Contact
from milepost.notifications.reconciliation import AnnouncementWatch
from milepost.operations.aws.timed_run import TimedRun
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.deadline_watch import DeadlineWatch
from milepost.orders.order import Announcement, Kind, OrderKey
from milepost.orders.timed_announcements import TimedWatch
from milepost.queries.commission_watch import CommissionWatch

COUNTED_AS: Final = {
    Kind.OVERDUE: "marked",
    Kind.ESCALATED: "escalated",
    Kind.REMINDER: "reminded",
    Kind.DELAYED: "delayed",
    Kind.FOLLOW_UP: "followed_up",
    Kind.COMMISSION_OVERDUE: "commissions_overdue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRun:
    """Marks overdue orders and commissions, announces reminders and follow-ups, and sends missing
    notices."""

    connections: ConnectionSettings
    index: OrdersIndex
    layout: IndexLayout
    deadlines: DeadlineWatch
    timed: TimedWatch
    commissions: CommissionWatch
    announcements: AnnouncementWatch
    drift_notices: DriftNotices
    clock: Callable[[], datetime]

    def run(
        self, contacts: Mapping[str, Contact], *, now: datetime, has_time: Callable[[], bool]
    ) -> dict[str, int]:
        """Process everything that is due. The next run processes what there was no time for.

        :param now: the time by which things are due; may be later than it is
        :returns: how much was done of each, how much failed, and how much was left
        """
        run = TimedRun(names=(*COUNTED_AS.values(), "notified", "moved"), has_time=has_time)
        # A run with a later time must not cause anything to be missed.
        until = min(now, self.clock())
        self._announce_missing(run, now=now, until=until)
        run.each(
            (one.key for one in self.deadlines.candidates(now=now)),
            lambda key: _names_of(self.deadlines.judge(key, now=now)),
        )
        run.each(
            self.timed.candidates(now=now), lambda key: _names_of(self.timed.judge(key, now=now))
        )
        self._judge_commissions(run, now=now, until=until)
        self._move_orders_of_earlier_versions(run)
        self._announce_drift(contacts, run)
        return run.done

    def _announce_missing(self, run: TimedRun, *, now: datetime, until: datetime) -> None:
        """Send notices that were never sent, the oldest first."""

        def announce(key: OrderKey) -> list[str]:
            return ["notified" for _ in self.announcements.announce_missing(key, now=now)]

        # An order whose connection can't be used, which has an alarm of its own, is processed by
        # the first run after the settings were corrected.
        left = run.each_or_left(
            self.announcements.candidates(now=now), announce, postponed_by=(UnusableConnection,)
        )
        self.announcements.finish(left, now=until)

    def _judge_commissions(self, run: TimedRun, *, now: datetime, until: datetime) -> None:
        """Announce overdue commissions, the longest overdue first."""
        left = run.each_or_left(
            self.commissions.candidates(now=now),
            lambda key: _names_of(self.commissions.judge(key, now=now)),
        )
        # Commissions of a connection whose settings can't be used now are checked again later.
        if not self.connections.unusable():
            self.commissions.finish(left, now=until)

    def _move_orders_of_earlier_versions(self, run: TimedRun) -> None:
        """Move orders to the index partitions from which lists read them. Once all orders are
        moved, lists no longer read any other partition."""
        is_settled = True
        for one in self.index.misplaced():
            is_settled = False
            if not run.has_time():
                return
            run.done["moved"] += self.index.move(one)
        if is_settled:
            self.layout.settle()

    def _announce_drift(self, contacts: Mapping[str, Contact], run: TimedRun) -> None:
        """Notify the team of providers whose payloads have changed, at most once a day for each."""
        applied = self.connections.all()
        for name, contact in contacts.items():
            if name not in applied or not contact.drift.unannounced:
                continue
            try:
                self.drift_notices.tell(name, contact.drift, now=self.clock())
            except Exception:
                run.fail("failed to announce changed payloads", connection=name)


def _names_of(new: Iterable[Announcement]) -> list[str]:
    """The names under which announcements are counted in the log."""
    return [COUNTED_AS[one.kind] for one in new]
