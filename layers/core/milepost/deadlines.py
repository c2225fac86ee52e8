"""Tracks and stages: how long things take, and by when an order's next step is due."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from milepost.business_days import business_days_of, end_of_business_time
from milepost.connection import Connection
from milepost.lifecycle import TERMINAL
from milepost.order import Order
from milepost.report import Details, Status, format_instant
from milepost.timestamps import LATEST, if_in_range, later, stored_day, stored_moment
from milepost.waits import wait_ends, wait_in_words

_DAY: Final = timedelta(days=1)

TRACKS: Final[Mapping[str, timedelta]] = {
    "fast": 7 * _DAY,
    "standard": 14 * _DAY,
    "extended": 30 * _DAY,
}
"""How long an order takes at most from its start, by track.

Source: Offergrid's reseller documentation (3 to 7, 7 to 14, 14 to 30 days), used for every
provider that names no times of its own; ``stage_days`` of a connection says otherwise.
"""

USUAL_TRACKS: Final[Mapping[str, str]] = {
    "insurance": "fast",
    "mobile": "fast",
    "internet": "standard",
    "tv": "standard",
    "security": "standard",
    "business": "extended",
    "grid_connection": "extended",
    "new_connection": "extended",
}
"""The track of a service type. Source as above, for those that Offergrid names."""

ON_SITE: Final = timedelta(hours=4)
BUSINESS: Final = "business"

_STAGES: Final[Mapping[Status, timedelta]] = {
    Status.UNKNOWN: 2 * _DAY,
    Status.PENDING: 2 * _DAY,
    Status.SUBMITTED: 2 * _DAY,
    Status.ACCEPTED: 3 * _DAY,
    Status.IN_PROGRESS: ON_SITE,
}
"""How long a stage may take: review within 48 hours, an appointment within 3 days of acceptance,
1 to 4 hours on site. Source as above."""


def track_of(details: Details, connection: Connection) -> str:
    """The order's track: by its offer, else by its service type, else the connection's."""
    offer, service = details.get("offer", {}).get("id", ""), details.get("service_type", "")
    own = connection.tracks.get(offer) or connection.tracks.get(service)
    return own or USUAL_TRACKS.get(service) or connection.track


def stage_deadline(order: Order, connection: Connection) -> datetime:
    """When the present stage has lasted as long as it may.

    Time in which it waited for the customer is not counted. While it waits, this is where the
    clock would end if it went on from the moment the wait began.
    """
    begins = later(order.since, order.waited)
    return _ends(begins, allowed_time(order, connection), connection)


def allowed_time(order: Order, connection: Connection) -> timedelta:
    """How long the present stage may last, in days as the connection counts them."""
    days = connection.stage_days.get(order.status)
    if days is not None:
        return timedelta(days=float(days))
    return _STAGES.get(order.status, TRACKS[track_of(order.details, connection)])


def allowed_in_words(order: Order, connection: Connection) -> str:
    """What the present stage, or the wait in it, was allowed, for people."""
    if words := wait_in_words(order, connection):
        return words
    if order.status is Status.SCHEDULED and order.appointment:
        return f"its appointment ({order.appointment})"
    allowed = allowed_time(order, connection)
    if allowed < _DAY:
        words = _count(allowed / timedelta(hours=1), "hour")
    else:
        counts_business = connection.stage_days_count == BUSINESS
        words = _count(allowed / _DAY, "business day" if counts_business else "day")
    waited = _count(round(order.waited / timedelta(hours=1), 1), "hour") if order.waited else None
    return f"{words}, and {waited} of waiting for the customer" if waited else words


def _count(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"


def overdue_at(order: Order, connection: Connection) -> datetime | None:
    """When the present stage is overdue; None while that isn't to be expected of anybody.

    A closed order never is. One with an appointment is when the time on site is over, or the day.
    One that waits for its customer is when the wait has lasted as long as it may, and never before
    its appointment is over.
    """
    if order.status in TERMINAL:
        return None
    has_appointment = order.status is Status.SCHEDULED and order.appointment
    agreed = appointment_ends(order.appointment or "", connection) if has_appointment else None
    if limit := wait_ends(order, connection, ends=_ends):
        return max(limit, agreed) if agreed else limit
    return agreed or stage_deadline(order, connection)


def usual_end(order: Order, connection: Connection) -> datetime | str:
    """Until when the present stage usually lasts: the appointment as it was agreed (an instant, or
    a day in ISO 8601), else the limit of the wait for the customer, else the stage's deadline."""
    agreed = if_in_range(order.appointment) if order.status is Status.SCHEDULED else None
    limit = wait_ends(order, connection, ends=_ends)
    return agreed or limit or stage_deadline(order, connection)


def next_step_by(order: Order, connection: Connection) -> datetime | str | None:
    """By when the next step is due; None once the order is closed."""
    return None if order.status in TERMINAL else usual_end(order, connection)


def appointment_ends(appointment: str, connection: Connection) -> datetime:
    """When an appointment is over: 4 hours on site from an instant, or the local day.

    One that can't be right is never over.
    """
    moment = stored_moment(appointment)
    if moment is None:
        return LATEST
    if stored_day(appointment):
        midnight = moment + _DAY
        return midnight.replace(tzinfo=ZoneInfo(connection.time_zone)).astimezone(UTC)
    return moment + ON_SITE


def escalates_at(deadline: datetime, connection: Connection) -> datetime:
    """When an order that has been overdue since ``deadline`` is given to the contact."""
    return _ends(deadline, timedelta(days=float(connection.escalate_after_days)), connection)


def _ends(begins: datetime, allowed: timedelta, connection: Connection) -> datetime:
    if connection.stage_days_count != BUSINESS:
        return later(begins, allowed)
    return end_of_business_time(
        begins,
        allowed,
        counts=business_days_of(connection.country, connection.region),
        time_zone=connection.time_zone,
    )


def next_date(order: Order, connection: Connection) -> datetime:
    """What lists are sorted by: the appointment, else the stage's deadline; closed: when closed."""
    due = next_step_by(order, connection)
    if due is None:
        return order.since
    agreed = stored_moment(due) if isinstance(due, str) else due
    return agreed or stage_deadline(order, connection)


def expected_by(order: Order, connection: Connection) -> datetime | None:
    """By when the order should be complete; None once it is closed.

    An appointment says it best. Before there is one, it is the track's time from the order's
    start, but never before the present stage may end.
    """
    if order.status in TERMINAL:
        return None
    if agreed := stored_moment(order.appointment):
        return agreed
    by_track = later(_start(order), TRACKS[track_of(order.details, connection)])
    return max(by_track, stage_deadline(order, connection))


def _start(order: Order) -> datetime:
    reported_at = order.summary.since if order.summary else order.timeline[0].report.occurred_at
    placed_at = stored_moment(order.details.get("ordered_at") or order.details.get("signed_at"))
    # Nothing is reported of an order before it is placed: a date after that is a slip.
    return min(placed_at, reported_at) if placed_at else reported_at


def sortable(moment: datetime) -> str:
    """A moment as the text that the index sorts by, to the second."""
    return format_instant(moment.replace(microsecond=0))
