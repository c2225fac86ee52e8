"""Watching: orders whose stage lasts too long, and announcements that never went out.

Both are found through the index, so that a run costs what is overdue, and what was announced
lately; each order is read again, judged and written as any other change is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.announcing import kept
from milepost.connection import Connection, Connections, UnknownConnection, UnusableConnection
from milepost.deadlines import (
    allowed_in_words,
    appointment_ends,
    escalates_at,
    next_date,
    overdue_at,
)
from milepost.lifecycle import Rules
from milepost.notices import Announced
from milepost.order import Announcement, Kind, Order, OrderKey, Overdue, TrackedOrder
from milepost.raw_statuses import is_same_word
from milepost.recording import MOST_LOST_RACES, LostRace, Orders, read_again
from milepost.report import Status, whole_milliseconds
from milepost.subscriptions import Subscription
from milepost.telling import Teller
from milepost.timestamps import stored_moment
from milepost.watched import LastAnnounced, Watched

TIME_TO_TELL: Final = timedelta(minutes=30)
"""How long an announcement may be on its way before it is looked for: longer than the stream's
retries usually take."""
LOOK_BACK: Final = timedelta(days=14)
"""How far back announcements are looked for, and how lately a closed order closed."""


class WatchList(Protocol):
    """The index, as the watch reads it."""

    def past(self, *, now: datetime) -> Iterator[Watched]:
        """Open orders whose next date is past."""
        ...

    def announced(
        self, *, since: datetime, until: datetime, closed_since: datetime
    ) -> Iterator[LastAnnounced]:
        """Orders of which something was last announced then, both ends included: every open
        one, and those that closed lately."""
        ...


class ToldLog(Protocol):
    """The delivery log, as the watch reads it, and how far it has been looked through."""

    def told(self, key: OrderKey) -> frozenset[int]:
        """Sequences of the order's announcements that everybody was told of."""
        ...

    def looked_through_until(self) -> datetime | None: ...
    def mark_looked_through(self, *, until: datetime) -> None: ...


class Reader(Protocol):
    def read(self, key: OrderKey) -> TrackedOrder | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineWatch:
    """Marks orders that are overdue, and gives to the contact what stays so."""

    watch_list: WatchList
    connections: Connections
    orders_of: Callable[[Connection], Orders]
    rules_of: Callable[[Connection], Rules] = lambda _: Rules()

    def candidates(self, *, now: datetime) -> Iterator[Watched]:
        """Orders to judge: without what the index alone shows to be in time or done with, and
        without those of connections whose settings can't be used."""
        for one in self.watch_list.past(now=now):
            try:
                connection = _connection_of(one.key, self.connections)
            except UnusableConnection:
                continue
            if connection and _is_worth_reading(one, connection, now):
                yield one

    def judge(self, key: OrderKey, *, now: datetime) -> tuple[Announcement, ...]:
        """Mark or escalate one order if it is so; what is announced by that.

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
"""What an order becomes, and what that announces; None to leave it as it is."""


def rewrite(
    orders: Orders, key: OrderKey, judge: Callable[[TrackedOrder | None], Judged]
) -> tuple[Announcement, ...]:
    """Write what the judge makes of an order, whoever else is writing to it; what it announces.

    :raises LostRace: after many; the next run tries again
    """
    before = orders.read(key)
    for attempt in range(MOST_LOST_RACES + 1):
        after, new = judge(before)
        if after is None:
            return ()
        try:
            orders.write(after, new=new)
        except LostRace as race:
            if attempt == MOST_LOST_RACES:
                raise
            before = race.winner
        else:
            return new
    raise AssertionError("the loop returns or raises")


def judged(
    stored: TrackedOrder | None,
    connection: Connection,
    *,
    now: datetime,
    rules: Rules = Rules(),  # noqa: B008 - it is frozen
) -> tuple[TrackedOrder | None, tuple[Announcement, ...]]:
    """What an order becomes at this moment, and what that announces; None to leave it as it is."""
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
    """Write again what was stored by other settings: they give it more time now."""
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
    """Overdue, once a stage; and for customers that it is delayed, once an appointment or stage.

    A customer who is waited for is not told of a delay.
    """
    kinds = () if _was_told(before, mark, Kind.OVERDUE) else (Kind.OVERDUE,)
    tells_customer = Kind.DELAYED in connection.customer_notices and before.order.waiting is None
    if not tells_customer or _delay_was_told(before, mark):
        return kinds
    return (*kinds, Kind.DELAYED)


def _delay_was_told(before: TrackedOrder, mark: Overdue) -> bool:
    """Whether the customer was told of it since the last date that they were told."""
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
    kinds = () if _was_told(before, mark, Kind.ESCALATED) else (Kind.ESCALATED,)
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
    """Whether it was about the stage that has the mark. Where that began far beyond the order's
    track, the deadline lies before it."""
    when = one.announced_at if mark.deadline < mark.since else one.occurred_at
    return when >= since


def _was_told(before: TrackedOrder, mark: Overdue, kind: Kind) -> bool:
    """Whether it was told of this very stage, or of this very wait for the customer, whose deadline
    may have moved since."""
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


def _is_worth_reading(one: Watched, connection: Connection, now: datetime) -> bool:
    if one.overdue is not None:
        return not one.is_acknowledged and _is_due_to_escalate(one.overdue, connection, now)
    if one.status is Status.SCHEDULED and one.appointment:
        moment = stored_moment(one.appointment)
        # Past, although its appointment lies ahead: that one was moved far beyond the track.
        is_sliding = moment is not None and moment > now
        return is_sliding or appointment_ends(one.appointment, connection) <= now
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementWatch:
    """Tells what was announced and, by the delivery log, never told."""

    watch_list: WatchList
    connections: Connections
    orders: Reader
    log: ToldLog
    subscriptions: Callable[[], Iterable[Subscription]]
    teller: Teller

    def candidates(self, *, now: datetime) -> Sequence[LastAnnounced]:
        """Orders whose log is to be looked at, the longest untold first."""
        earliest, until = now - LOOK_BACK, now - TIME_TO_TELL
        since = self.log.looked_through_until() or earliest
        return sorted(
            self.watch_list.announced(
                since=min(max(since, earliest), until), until=until, closed_since=earliest
            )
        )

    def tell_missing(self, key: OrderKey, *, now: datetime) -> list[Announcement]:
        """Tell what the order's log lacks. What ``announce`` tells of it meanwhile or later finds
        the log's entries and tells nothing twice.

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
        told = self.log.told(tracked.order.key)
        return [
            one
            for one in tracked.announced
            if one.sequence not in told
            and now - LOOK_BACK <= one.announced_at <= now - TIME_TO_TELL
        ]

    def finish(self, left: Iterable[LastAnnounced], *, now: datetime) -> None:
        """Note how far the log was looked through, so that the next run goes on from there.

        :param left: candidates that time, or an error, left over
        """
        done = min((one.at for one in left), default=now - TIME_TO_TELL)
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


def _connection_of(key: OrderKey, connections: Connections) -> Connection | None:
    """None for a connection that was removed: nobody looks after its orders any more."""
    try:
        return connections.get(key.connection)
    except UnknownConnection:
        return None
