"""Finds orders whose commission has become overdue since the last run.

A commission is overdue from a midnight that its connection's terms determine. So a run checks
orders only after such a midnight, each once, and stores its position.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from milepost.common.status import Status
from milepost.common.timestamps import EARLIEST, whole_milliseconds
from milepost.connections.connection import CommissionTerms, Connection
from milepost.connections.matching_terms import any_recurs
from milepost.orders.announcements import kept
from milepost.orders.deadline_watch import rewrite
from milepost.orders.order import Announcement, Kind, OrderKey, TrackedOrder
from milepost.orders.recording import OrderStore
from milepost.orders.timed_announcements import DatedOrders
from milepost.queries.commission import EARNING, NAMED_BY, due_on
from milepost.queries.overdue_commissions import LOOK_BACK, due_commission_notice, overdue_from

_STATUSES: Final = (*sorted(EARNING), Status.CANCELLED)
"""Orders that earn, and those that earned until they were cancelled."""
_USUAL_DAY: Final = CommissionTerms(amount="0", currency="EUR").due_day


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The position up to which commissions were checked: commissions from ``at`` on are left; at
    exactly that time, those of orders from ``order`` on."""

    at: datetime
    order: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """An order that may have a commission that has been overdue since ``place.at``."""

    place: Place
    key: OrderKey


class Checkpoint(Protocol):
    """Stores the position up to which commissions were checked."""

    def place(self) -> Place | None: ...
    def mark(self, place: Place) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionWatch:
    """Announces overdue commissions to the connection's contact."""

    index: DatedOrders
    connections: Callable[[], Iterable[Connection]]
    """Those whose settings can be used."""
    orders_of: Callable[[Connection], OrderStore]
    checkpoint: Checkpoint

    def candidates(self, *, now: datetime) -> Sequence[Due]:
        """Orders to judge, the longest overdue first."""
        earliest = Place(now - LOOK_BACK)
        begin = max(self.checkpoint.place() or earliest, earliest)
        midnights = {
            one.id: found
            for one in self.connections()
            if one.contact and (found := list(_midnights(one, since=begin.at, until=now)))
        }
        return sorted(one for one in self._closed(midnights, now) if one.place >= begin)

    def judge(self, key: OrderKey, *, now: datetime) -> tuple[Announcement, ...]:
        """Announce the overdue commission of one order.

        :raises LostRace: after many; the next run tries again
        """
        known = {one.id: one for one in self.connections()}
        connection = known.get(key.connection)
        if connection is None:
            return ()
        return rewrite(
            self.orders_of(connection),
            key,
            lambda before: judged_by_money(before, connection, now=whole_milliseconds(now)),
        )

    def finish(self, left: Iterable[Due], *, now: datetime) -> None:
        """Store the position up to which commissions were checked, so that the next run continues
        there.

        :param left: candidates that were not processed, for lack of time or after an error
        """
        first = min((one.place for one in left), default=Place(now))
        self.checkpoint.mark(first if first.at <= now else Place(now))

    def _closed(
        self, midnights: Mapping[str, Sequence[tuple[datetime, datetime]]], now: datetime
    ) -> Iterator[Due]:
        """Orders that closed late enough for a commission to be due at one of their connection's
        midnights.
        """
        if not midnights:
            return
        since = min(closed for found in midnights.values() for _, closed in found)
        for status in _STATUSES:
            for one in self.index.dated(status, since=since, until=now):
                for at, closed_since in midnights.get(one.key.connection, ()):
                    if one.date >= closed_since:
                        yield Due(Place(at, str(one.key)), one.key)


def judged_by_money(
    before: TrackedOrder | None, connection: Connection, *, now: datetime
) -> tuple[TrackedOrder | None, tuple[Announcement, ...]]:
    """The order after it was judged at this time, and its announcements; None to leave it
    unchanged."""
    if before is None or before.erased_at is not None:
        return None, ()
    since = due_commission_notice(before, connection, now=now)
    if since is None:
        return None, ()
    status = before.order.status
    new = Announcement(
        sequence=before.last_sequence + 1,
        kind=Kind.COMMISSION_OVERDUE,
        status=status,
        previous=status,
        occurred_at=since,
        announced_at=now,
    )
    after = replace(before, version=before.version + 1, announced=kept((*before.announced, new)))
    return after, (new,)


def _midnights(
    connection: Connection, *, since: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The midnights between the two times at which commissions become overdue, each with the
    earliest closing time of orders that can have one: an order that has been active for years may
    earn a recurring commission."""
    days = {one.due_day for one in connection.commission}
    if connection.provider in NAMED_BY:
        days.add(_USUAL_DAY)
    for month in _months(since, until):
        for day in sorted(days):
            at = overdue_from(due_on(month, day), connection)
            if since <= at <= until:
                recurs = any_recurs(connection.commission)
                yield at, EARLIEST if recurs else _begins(month, connection)


def _months(since: datetime, until: datetime) -> Iterator[date]:
    """Months whose commissions may become overdue between the two times."""
    month = (since.date().replace(day=1) - timedelta(days=35)).replace(day=1)
    while month <= until.date():
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def _begins(month: date, connection: Connection) -> datetime:
    midnight = datetime(month.year, month.month, 1, tzinfo=ZoneInfo(connection.time_zone))
    return midnight.astimezone(UTC)
