"""The deadline watch: marks and escalates orders whose stage lasts too long.

Orders are found through the index, so the cost of a run depends on what is overdue and what was
announced lately, not on the number of orders. Each order is read again, judged, and written like
any other change.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from milepost.common.status import Status, is_same_word
from milepost.common.timestamps import stored_moment, whole_milliseconds
from milepost.connections.connection import (
    Connection,
    Connections,
    UnknownConnection,
    UnusableConnection,
)
from milepost.orders.announcements import kept
from milepost.orders.deadlines import (
    allowed_in_words,
    appointment_ends,
    escalates_at,
    next_date,
    overdue_at,
)
from milepost.orders.indexed_orders import LastAnnounced, PastDueOrder
from milepost.orders.order import Announcement, Kind, Order, OrderKey, Overdue, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import OrderStore, read_again, write_until_won


class WatchList(Protocol):
    """The index, as far as the deadline watch uses it."""

    def past(self, *, now: datetime) -> Iterator[PastDueOrder]:
        """Open orders whose next date is past."""
        ...

    def announced(
        self, *, since: datetime, until: datetime, closed_since: datetime
    ) -> Iterator[LastAnnounced]:
        """Orders whose last announcement is in this period, both ends included: every open order,
        and recently closed orders."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineWatch:
    """Marks overdue orders, and escalates those that stay overdue to the connection's contact."""

    watch_list: WatchList
    connections: Connections
    orders_of: Callable[[Connection], OrderStore]
    rules_of: Callable[[Connection], Rules] = lambda _: Rules()

    def candidates(self, *, now: datetime) -> Iterator[PastDueOrder]:
        """Orders to judge, except those for which the index shows that there is nothing to do, and
        those of connections with invalid settings."""
        for one in self.watch_list.past(now=now):
            try:
                connection = _connection_of(one.key, self.connections)
            except UnusableConnection:
                continue
            if connection and _is_worth_reading(one, connection, now):
                yield one

    def judge(self, key: OrderKey, *, now: datetime) -> tuple[Announcement, ...]:
        """Mark or escalate one order if it is due; returns the announcements of that.

        :raises LostRace: after many; the next run tries again
        """
        connection = self.connections.get(key.connection)
        return rewrite(
            self.orders_of(connection),
            key,
            lambda before: judged(
                before,
                connection,
                now=whole_milliseconds(now),
                rules=self.rules_of(connection),
            ),
        )


Judged = tuple[TrackedOrder | None, tuple[Announcement, ...]]
"""The changed order, and what that announces; None to leave it unchanged."""


def rewrite(
    orders: OrderStore, key: OrderKey, judge: Callable[[TrackedOrder | None], Judged]
) -> tuple[Announcement, ...]:
    """Write the order as the judge changes it, even with concurrent writers; returns its
    announcements.

    :raises LostRace: after many; the next run tries again
    """

    def attempt(before: TrackedOrder | None) -> tuple[Announcement, ...]:
        after, new = judge(before)
        if after is None:
            return ()
        orders.write(after, new=new)
        return new

    return write_until_won(attempt, orders.read(key))


def judged(
    stored: TrackedOrder | None,
    connection: Connection,
    *,
    now: datetime,
    rules: Rules = Rules(),  # noqa: B008 - it is frozen
) -> tuple[TrackedOrder | None, tuple[Announcement, ...]]:
    """The order after it was judged at this time, and its announcements; None to leave it
    unchanged."""
    before = read_again(stored, rules)
    if before is None or before.erased_at is not None:
        return None, ()
    deadline = overdue_at(before.order, connection)
    if deadline is None or deadline > now:
        after = _set_right(before, connection, now)
        if after is None and before is not stored:
            after = replace(before, version=before.version + 1)
        return after, ()
    if before.overdue is None:
        return _marked(before, connection, deadline=deadline, now=now)
    if _is_to_escalate(before, before.overdue, connection, now):
        return _escalated(before, before.overdue, now=now)
    return None, ()


def _set_right(before: TrackedOrder, connection: Connection, now: datetime) -> TrackedOrder | None:
    """Update an order whose dates were calculated with earlier settings, if the current settings
    allow more time."""
    if before.overdue is None and next_date(before.order, connection) <= now:
        return None
    return replace(before, version=before.version + 1, overdue=None)


def _marked(
    before: TrackedOrder, connection: Connection, *, deadline: datetime, now: datetime
) -> tuple[TrackedOrder, tuple[Announcement, ...]]:
    order = before.order
    mark = Overdue(
        status=order.status,
        raw_status=_word_of_its_own(order),
        since=order.stage_since,
        deadline=whole_milliseconds(deadline),
        allowed=allowed_in_words(order, connection),
        marked_at=now,
        waiting=order.waiting.what if order.waiting else None,
    )
    return _next_version(before, mark, _kinds_of_mark(before, mark, connection), now=now)


def _kinds_of_mark(before: TrackedOrder, mark: Overdue, connection: Connection) -> tuple[Kind, ...]:
    """Announce overdue once for each stage; announce delayed, for customers, once for each
    appointment or stage.

    While the order waits for its customer, the customer is not notified of a delay.
    """
    kinds = () if _was_announced(before, mark, Kind.OVERDUE) else (Kind.OVERDUE,)
    tells_customer = Kind.DELAYED in connection.customer_notices and before.order.waiting is None
    if not tells_customer or _delay_was_announced(before, mark):
        return kinds
    return (*kinds, Kind.DELAYED)


def _delay_was_announced(before: TrackedOrder, mark: Overdue) -> bool:
    """Whether the customer was notified of a delay since they were last given a date."""
    dates = (Kind.SCHEDULED, Kind.RESCHEDULED)
    since = max((one.sequence for one in before.announced if one.kind in dates), default=0)
    order = before.order
    return any(
        one.kind is Kind.DELAYED
        and one.status is order.status
        and one.sequence > since
        and _is_of_stage(one, mark, mark.since)
        for one in before.announced
    )


def _escalated(
    before: TrackedOrder, mark: Overdue, *, now: datetime
) -> tuple[TrackedOrder, tuple[Announcement, ...]]:
    kinds = () if _was_announced(before, mark, Kind.ESCALATED) else (Kind.ESCALATED,)
    return _next_version(before, replace(mark, escalated_at=now), kinds, now=now)


def _next_version(
    before: TrackedOrder, mark: Overdue, kinds: Iterable[Kind], *, now: datetime
) -> tuple[TrackedOrder, tuple[Announcement, ...]]:
    first = before.last_sequence + 1
    new = tuple(
        _announcement(mark, kind, sequence, now) for sequence, kind in enumerate(kinds, first)
    )
    announced = kept((*before.announced, *new))
    after = replace(before, version=before.version + 1, overdue=mark, announced=announced)
    return after, new


def _word_of_its_own(order: Order) -> str | None:
    is_the_same = is_same_word(order.raw_status, str(order.status))
    return None if is_the_same else order.raw_status


def _is_of_stage(one: Announcement, mark: Overdue, since: datetime) -> bool:
    """Whether the announcement was about the stage that has the mark. If the stage began when the
    order was far beyond its track, its deadline is before its beginning."""
    when = one.announced_at if mark.deadline < mark.since else one.occurred_at
    return when >= since


def _was_announced(before: TrackedOrder, mark: Overdue, kind: Kind) -> bool:
    """Whether this was announced for this stage or this wait, even if its deadline has moved
    since."""
    order = before.order
    since = order.waiting.since if order.waiting else mark.since
    return any(
        one.kind is kind and one.status is order.status and _is_of_stage(one, mark, since)
        for one in before.announced
    )


def _announcement(mark: Overdue, kind: Kind, sequence: int, now: datetime) -> Announcement:
    return Announcement(
        sequence=sequence,
        kind=kind,
        status=mark.status,
        previous=mark.status,
        occurred_at=mark.deadline,
        announced_at=now,
    )


def _is_to_escalate(
    before: TrackedOrder, mark: Overdue, connection: Connection, now: datetime
) -> bool:
    is_acknowledged = mark.reason.id in before.order.acknowledged
    return not is_acknowledged and _is_due_to_escalate(mark, connection, now)


def _is_due_to_escalate(mark: Overdue, connection: Connection, now: datetime) -> bool:
    if mark.escalated_at is not None or connection.contact is None:
        return False
    return escalates_at(mark.deadline, connection) <= now


def _is_worth_reading(one: PastDueOrder, connection: Connection, now: datetime) -> bool:
    if one.overdue is not None:
        return not one.is_acknowledged and _is_due_to_escalate(one.overdue, connection, now)
    if one.status is Status.SCHEDULED and one.appointment:
        moment = stored_moment(one.appointment)
        # Past although the appointment is in the future: it was moved far beyond the track.
        is_sliding = moment is not None and moment > now
        return is_sliding or appointment_ends(one.appointment, connection) <= now
    return True


def _connection_of(key: OrderKey, connections: Connections) -> Connection | None:
    """The connection; None if it was removed, since nobody is responsible for its orders then."""
    try:
        return connections.get(key.connection)
    except UnknownConnection:
        return None
