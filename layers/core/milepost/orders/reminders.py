"""Reminders of appointments: when they are due, and when they must not be sent any more.

A reminder is an announcement of its own. Its ``occurred_at`` is its due time, which follows from
the appointment. It shows whether a reminder was already announced, and whether its appointment has
moved since. How many hours before the appointment: ``reminder_hours`` of the connection.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from milepost.common.status import Status
from milepost.common.timestamps import stored_day, stored_moment
from milepost.connections.connection import Connection
from milepost.orders.action_results import completion_planned_for
from milepost.orders.details import Details
from milepost.orders.order import Announcement, Kind, Order, TrackedOrder

CATCH_UP: Final = timedelta(hours=6)
"""How late a reminder may be sent if the watch didn't run on time."""
DAY_BEGINS: Final = time(9)
"""When an appointment without a time counts as begun on its day: no mails at night."""
_A_DAY: Final = 24.0
_OF_APPOINTMENTS: Final = frozenset({Kind.SCHEDULED, Kind.RESCHEDULED})


def begins_at(appointment: str | None, connection: Connection) -> datetime | None:
    """When an appointment begins: its instant, or 9:00 on its day in the connection's time zone."""
    day = stored_day(appointment)
    if day is None:
        return stored_moment(appointment)
    zone = ZoneInfo(connection.time_zone)
    return datetime.combine(day, DAY_BEGINS, tzinfo=zone).astimezone(UTC)


def is_to_complete(one: Announcement, details: Details, connection: Connection) -> bool:
    """Whether this reminder asks the team to complete the order after its appointment."""
    begins = begins_at(details.get("appointment"), connection)
    return one.kind is Kind.REMINDER and begins is not None and one.occurred_at >= begins


def reminder_times(order: Order, connection: Connection) -> Sequence[datetime]:
    """The times of all reminders of the current appointment, the earliest first.

    An appointment without a time only has reminders a day or more ahead. Where the team completes
    orders itself, it is reminded when the appointment begins, unless completion is already planned.
    """
    begins = begins_at(order.appointment, connection)
    if order.status is not Status.SCHEDULED or begins is None:
        return ()
    least = _A_DAY if stored_day(order.appointment) else 0.0
    hours = [one for one in connection.reminder_hours if one >= least]
    before = sorted(begins - timedelta(hours=one) for one in hours)
    return (*before, begins) if _team_is_to_complete(order) else tuple(before)


def due_reminder(
    tracked: TrackedOrder, connection: Connection, *, now: datetime
) -> datetime | None:
    """The due time of the reminder to announce now; None if there is none.

    There is none if the appointment became known only after the due time, or if it was already
    announced. If several are due, only the last counts. That the team has to complete the order is
    also said of an appointment that had begun when it became known.
    """
    order = tracked.order
    begins = begins_at(order.appointment, connection)
    if begins is None or tracked.erased_at is not None:
        return None
    learned_at = _learned_at(order)
    times = [
        one
        for one in reminder_times(order, connection)
        if one <= now and (learned_at <= one or one >= begins)
    ]
    if not times:
        return None
    last = times[-1]
    is_too_late = now - last > CATCH_UP or last < begins <= now
    return None if is_too_late or _was_announced(tracked, last) else last


def reminder_withdrawn(
    one: Announcement, tracked: TrackedOrder, connection: Connection, *, now: datetime
) -> str | None:
    """The reason why a reminder that waits to be sent must not be sent; None if it may be sent."""
    order = tracked.order
    begins = begins_at(order.appointment, connection)
    if order.status is not Status.SCHEDULED or begins is None:
        return f"the order is {str(order.status).replace('_', ' ')} now"
    later = (other for other in tracked.announced if other.sequence > one.sequence)
    if any(other.kind in _OF_APPOINTMENTS for other in later):
        return "its appointment was changed since"
    if one.occurred_at not in reminder_times(order, connection):
        return "the appointment, or what is planned, was changed since"
    if one.occurred_at < begins <= now:
        return f"its appointment ({order.appointment}) has begun"
    return None


def action_to_complete(order: Order, connection: Connection, *, now: datetime) -> str | None:
    """The action by which the team should complete the order after its appointment has begun."""
    begins = begins_at(order.appointment, connection)
    if order.status is not Status.SCHEDULED or begins is None or now < begins:
        return None
    return order.details.get("completed_by") if _team_is_to_complete(order) else None


def awaits_planned_completion(order: Order, connection: Connection, *, now: datetime) -> bool:
    """Whether the appointment has begun, and the order is to be completed as planned."""
    begins = begins_at(order.appointment, connection)
    is_there = order.status is Status.SCHEDULED and begins is not None and begins <= now
    return is_there and completion_planned_for(order) is not None


def _was_announced(tracked: TrackedOrder, at: datetime) -> bool:
    """Whether this reminder, or a later one of the same appointment, was announced."""
    changed = [one.sequence for one in tracked.announced if one.kind in _OF_APPOINTMENTS]
    since = max(changed, default=0)
    return any(
        one.kind is Kind.REMINDER
        and (one.occurred_at == at or (one.sequence > since and one.occurred_at >= at))
        for one in tracked.announced
    )


def _learned_at(order: Order) -> datetime:
    """When the current appointment became known, after the previous appointment."""
    learned = order.since
    for entry in reversed(order.timeline):
        said = entry.report.details.get("appointment")
        if said is None:
            continue
        if said != order.details.get("appointment"):
            break
        learned = entry.report.seen_at
    return learned


def _team_is_to_complete(order: Order) -> bool:
    """Whether the team completes the order by an action that nobody has planned yet."""
    return "completed_by" in order.details and completion_planned_for(order) is None
