"""Announcements at certain times: reminders before appointments, and follow-ups after completion.

Orders are found through the index by their next date. Each is read, judged and written like any
other change, with its announcement in the same write.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.common.status import Status
from milepost.common.timestamps import later, whole_milliseconds
from milepost.connections.connection import Connection
from milepost.orders import follow_ups, reminders
from milepost.orders.announcements import kept
from milepost.orders.deadline_watch import rewrite
from milepost.orders.follow_ups import COMPLETE, due_follow_up, follow_up_at
from milepost.orders.indexed_orders import Dated
from milepost.orders.order import Announcement, Kind, OrderKey, TrackedOrder
from milepost.orders.recording import OrderStore
from milepost.orders.reminders import begins_at, due_reminder

_A_DAY: Final = timedelta(days=1)
"""The index stores a day as midnight in UTC, which is another instant in a connection's time
zone."""


class DatedOrders(Protocol):
    """The index, by the orders' next date."""

    def dated(self, status: Status, *, since: datetime, until: datetime) -> Iterator[Dated]:
        """Orders of this status whose next date is between these two instants."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedWatch:
    """Announces reminders of upcoming appointments, and follow-ups of completed orders."""

    index: DatedOrders
    connections: Callable[[], Iterable[Connection]]
    """The connections whose settings can be used."""
    orders_of: Callable[[Connection], OrderStore]

    def candidates(self, *, now: datetime) -> Iterator[OrderKey]:
        """Orders to judge, selected by the index alone."""
        known = {one.id: one for one in self.connections()}
        yield from self._near_appointments(known, now)
        yield from self._lately_complete(known, now)

    def judge(self, key: OrderKey, *, now: datetime) -> tuple[Announcement, ...]:
        """Announce what is due for one order.

        :raises LostRace: after many; the next run tries again
        """
        known = {one.id: one for one in self.connections()}
        connection = known.get(key.connection)
        if connection is None:
            return ()
        return rewrite(
            self.orders_of(connection),
            key,
            lambda before: judged_by_time(before, connection, now=whole_milliseconds(now)),
        )

    def _near_appointments(
        self, known: Mapping[str, Connection], now: datetime
    ) -> Iterator[OrderKey]:
        hours = [hour for one in known.values() for hour in one.reminder_hours]
        found = self.index.dated(
            Status.SCHEDULED,
            since=now - reminders.CATCH_UP - _A_DAY,
            until=now + timedelta(hours=max(hours, default=0.0)) + _A_DAY,
        )
        for one in found:
            connection = known.get(one.key.connection)
            if connection and _may_be_reminded_of(one, connection, now):
                yield one.key

    def _lately_complete(
        self, known: Mapping[str, Connection], now: datetime
    ) -> Iterator[OrderKey]:
        days = [one.follow_up.after_days for one in known.values() if one.follow_up]
        if not any(follow_ups.sends_follow_ups(one) for one in known.values()):
            return
        since = now - timedelta(days=max(days)) - follow_ups.CATCH_UP
        until = now - timedelta(days=min(days))
        for status in sorted(COMPLETE):
            for one in self.index.dated(status, since=since, until=until):
                connection = known.get(one.key.connection)
                at = follow_up_at(one.date, connection) if connection else None
                if at and at <= now <= later(at, follow_ups.CATCH_UP):
                    yield one.key


def judged_by_time(
    before: TrackedOrder | None, connection: Connection, *, now: datetime
) -> tuple[TrackedOrder | None, tuple[Announcement, ...]]:
    """The order after it was judged at this time, and its announcements; None to leave it
    unchanged."""
    if before is None or before.erased_at is not None:
        return None, ()
    kind, at = Kind.REMINDER, due_reminder(before, connection, now=now)
    if at is None:
        kind, at = Kind.FOLLOW_UP, due_follow_up(before, connection, now=now)
    if at is None:
        return None, ()
    status = before.order.status
    new = Announcement(
        sequence=before.last_sequence + 1,
        kind=kind,
        status=status,
        previous=status,
        occurred_at=whole_milliseconds(at),
        announced_at=now,
    )
    after = replace(before, version=before.version + 1, announced=kept((*before.announced, new)))
    return after, (new,)


def _may_be_reminded_of(one: Dated, connection: Connection, now: datetime) -> bool:
    """Whether a reminder may have become due recently. Only the order itself shows whether it
    has."""
    begins = begins_at(one.appointment, connection)
    if begins is None:
        return False
    times = [begins, *(begins - timedelta(hours=hour) for hour in connection.reminder_hours)]
    return any(now - reminders.CATCH_UP <= time <= now for time in times)
