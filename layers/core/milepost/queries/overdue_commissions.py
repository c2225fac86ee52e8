"""Overdue commissions: expected by a day, and not recorded as paid."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from milepost.connections.connection import Connection
from milepost.orders.order import Kind, Order, TrackedOrder
from milepost.queries.commission import Commission, State, commissions

LOOK_BACK: Final = timedelta(days=14)
"""How long ago a commission may have become overdue to be announced now. It is limited, so that new
terms don't announce commissions of past years."""
_A_DAY: Final = timedelta(days=1)


def overdue_from(due_on: date, connection: Connection) -> datetime:
    """When a commission that is expected by this day becomes overdue: at the next midnight in the
    connection's time zone."""
    midnight = datetime.combine(due_on + _A_DAY, time.min)
    return midnight.replace(tzinfo=ZoneInfo(connection.time_zone)).astimezone(UTC)


def overdue_commissions(
    order: Order, connection: Connection, *, now: datetime
) -> tuple[Commission, ...]:
    """The order's overdue commissions, the oldest first, without those of zero."""
    return tuple(
        one
        for one in commissions(order, connection, now=now)
        if one.state is State.OVERDUE and one.amount > 0
    )


def due_commission_notice(
    tracked: TrackedOrder, connection: Connection, *, now: datetime
) -> datetime | None:
    """Since when the commission has been overdue about which the contact has to be notified now;
    None if there is none.

    It is announced once for each order. For a monthly commission, a later month is announced only
    after the announced month has been paid. An order whose last commission became overdue before
    ``LOOK_BACK`` isn't announced: it is looked at because other terms of its connection are due.
    """
    overdue = overdue_commissions(tracked.order, connection, now=now)
    if connection.contact is None or not overdue:
        return None
    if overdue_from(overdue[-1].due_on, connection) < now - LOOK_BACK:
        return None
    if not _was_announced_paid(tracked, connection, now=now):
        return None
    return overdue_from(overdue[0].due_on, connection)


def commission_withdrawn(
    tracked: TrackedOrder, connection: Connection, *, now: datetime
) -> str | None:
    """The reason why a notice that waits to be sent must not be sent; None if it is still true."""
    if overdue_commissions(tracked.order, connection, now=now):
        return None
    return "none of its commissions is overdue any more"


def _was_announced_paid(tracked: TrackedOrder, connection: Connection, *, now: datetime) -> bool:
    """Whether the month that was last announced has been paid; true if no month was announced."""
    announced = [one for one in tracked.announced if one.kind is Kind.COMMISSION_OVERDUE]
    if not announced:
        return True
    return any(
        one.state is State.PAID
        and overdue_from(one.due_on, connection) == announced[-1].occurred_at
        for one in commissions(tracked.order, connection, now=now)
    )
