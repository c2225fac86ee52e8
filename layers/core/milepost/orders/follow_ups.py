"""Follow-ups: mails that ask customers how satisfied they are, some days after completion."""

from datetime import datetime, timedelta
from typing import Final

from milepost.common.status import Status
from milepost.common.timestamps import later
from milepost.connections.connection import Connection
from milepost.orders.order import Announcement, Kind, TrackedOrder

CATCH_UP: Final = timedelta(days=3)
"""How late a follow-up may be sent. Older orders get none, also when a connection starts to send
follow-ups."""
COMPLETE: Final = frozenset({Status.COMPLETED, Status.ACTIVE})


def sends_follow_ups(connection: Connection) -> bool:
    """Whether the connection has a link for follow-ups, and sends them to customers."""
    return connection.follow_up is not None and Kind.FOLLOW_UP in connection.customer_notices


def follow_up_at(since: datetime, connection: Connection) -> datetime | None:
    """When the follow-up is due for an order that was completed at this time; None if there is
    none.
    """
    if connection.follow_up is None or not sends_follow_ups(connection):
        return None
    return later(since, timedelta(days=float(connection.follow_up.after_days)))


def due_follow_up(
    tracked: TrackedOrder, connection: Connection, *, now: datetime
) -> datetime | None:
    """The due time of the follow-up to announce now; None if there is none."""
    at = follow_up_at(tracked.order.since, connection)
    if at is None or not at <= now <= later(at, CATCH_UP):
        return None
    was_announced = any(one.kind is Kind.FOLLOW_UP for one in tracked.announced)
    return None if was_announced or why_no_follow_up(tracked) else at


def why_no_follow_up(tracked: TrackedOrder) -> str | None:
    """The reason why no follow-up is sent for this order; None if one may be sent."""
    order = tracked.order
    if order.status not in COMPLETE:
        return f"the order is {str(order.status).replace('_', ' ')} now"
    if _was_cancelled(tracked):
        return "the order was cancelled before"
    if tracked.attention:
        return "the order needs attention"
    return None


def follow_up_withdrawn(
    _one: Announcement, tracked: TrackedOrder, connection: Connection
) -> str | None:
    """The reason why a follow-up that waits to be sent must not be sent; None if it may be sent."""
    if connection.follow_up is None:
        return f"{connection.id} has no link to send any more"
    return why_no_follow_up(tracked)


def _was_cancelled(tracked: TrackedOrder) -> bool:
    said = any(e.report.status is Status.CANCELLED for e in tracked.order.timeline)
    return said or any(one.kind is Kind.CANCELLED for one in tracked.announced)
