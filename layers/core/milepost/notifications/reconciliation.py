"""Reconciliation: finds announcements that were never sent, by the delivery log, and sends them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.connections.connection import Connection, Connections
from milepost.notifications.dispatch import AnnouncementDispatcher
from milepost.notifications.subscription import Subscription
from milepost.orders.announcements import Announced
from milepost.orders.deadline_watch import WatchList, _connection_of
from milepost.orders.indexed_orders import LastAnnounced
from milepost.orders.order import Announcement, OrderKey, TrackedOrder

ANNOUNCEMENT_GRACE_PERIOD: Final = timedelta(minutes=30)
"""How old an announcement has to be before it is checked: older than the stream's retries usually
take."""


LOOK_BACK: Final = timedelta(days=14)
"""How far back announcements are checked; for a closed order, how long ago it may have closed."""


class AnnouncementLog(Protocol):
    """The delivery log, for the watch, and the time up to which it has been checked."""

    def fully_notified(self, key: OrderKey) -> frozenset[int]:
        """Sequence numbers of the order's announcements for which all recipients were notified."""
        ...

    def looked_through_until(self) -> datetime | None: ...
    def mark_looked_through(self, *, until: datetime) -> None: ...


class Reader(Protocol):
    def read(self, key: OrderKey) -> TrackedOrder | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementWatch:
    """Sends announcements for which, according to the delivery log, nobody was notified."""

    watch_list: WatchList
    connections: Connections
    orders: Reader
    log: AnnouncementLog
    subscriptions: Callable[[], Iterable[Subscription]]
    teller: AnnouncementDispatcher

    def candidates(self, *, now: datetime) -> Sequence[LastAnnounced]:
        """Orders whose log has to be checked; the oldest announcement comes first."""
        earliest, until = now - LOOK_BACK, now - ANNOUNCEMENT_GRACE_PERIOD
        since = self.log.looked_through_until() or earliest
        return sorted(
            self.watch_list.announced(
                since=min(max(since, earliest), until), until=until, closed_since=earliest
            )
        )

    def announce_missing(self, key: OrderKey, *, now: datetime) -> list[Announcement]:
        """Send the announcements that are missing in the order's log. If ``announce`` processes
        them at the same time, it finds the log's entries and notifies nobody twice.

        :raises UnusableConnection: when the connection's settings can't be used
        """
        connection = _connection_of(key, self.connections)
        tracked = self.orders.read(key) if connection else None
        if connection is None or tracked is None or tracked.erased_at is not None:
            return []
        missing = self._missing(tracked, now)
        for one in missing:
            self.teller.tell(
                _announced(tracked, one, connection),
                subscriptions=self.subscriptions(),
                connection=connection,
                now=now,
            )
        return missing

    def _missing(self, tracked: TrackedOrder, now: datetime) -> list[Announcement]:
        notified = self.log.fully_notified(tracked.order.key)
        return [
            one
            for one in tracked.announced
            if one.sequence not in notified
            and now - LOOK_BACK <= one.announced_at <= now - ANNOUNCEMENT_GRACE_PERIOD
        ]

    def finish(self, left: Iterable[LastAnnounced], *, now: datetime) -> None:
        """Store the time up to which the log has been checked, so that the next run continues from
        there.

        :param left: candidates that were not processed, for lack of time or after an error
        """
        done = min((one.at for one in left), default=now - ANNOUNCEMENT_GRACE_PERIOD)
        self.log.mark_looked_through(until=done)


def _announced(tracked: TrackedOrder, one: Announcement, connection: Connection) -> Announced:
    order = tracked.order
    return Announced(
        key=order.key,
        provider=connection.provider,
        announcement=one,
        raw_status=order.raw_status,
        details=order.details,
    )
