"""Deadlines: how long stages and orders may take, and when the next step is due."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from milepost.common.business_days import business_days_of, end_of_business_time
from milepost.common.status import Status, is_same_word, normal_form
from milepost.common.timestamps import (
    LATEST,
    format_instant,
    if_in_range,
    later,
    stored_day,
    stored_moment,
)
from milepost.connections.connection import Connection
from milepost.connections.tracks import BUSINESS, TRACKS
from milepost.orders.action_results import completion_planned_for
from milepost.orders.customer_waits import wait_ends, wait_in_words
from milepost.orders.details import Details
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Attention, Effect, Order
from milepost.orders.provider_stages import Allowed, stage_of
from milepost.orders.stages import MOVING
from milepost.orders.summary import Stage

_DAY: Final = timedelta(days=1)


USUAL_TRACKS: Final[Mapping[str, str]] = {
    "insurance": "fast",
    "mobile": "fast",
    "internet": "standard",
    "tv": "standard",
    "security": "standard",
    "business": "extended",
    "multi_unit": "extended",
    "custom": "extended",
    "grid_connection": "extended",
    "new_connection": "extended",
}
"""The track of a service type. Source as above, for those that Offergrid names."""
_EXTENDED: Final = re.compile(r"\b(multi[-_ ]?(unit|dwelling)s?|custom|bespoke)\b", re.IGNORECASE)
"""Words of an offer that put it on the extended track: multi-unit and custom installations.
Source as above."""
FAR: Final = 2
"""An order is late after this many times its track's time, however long its stages may last."""

ON_SITE: Final = timedelta(hours=4)
"""How long work on site may last after the start of the appointment. Source: see above."""

_STAGES: Final[Mapping[Status, timedelta]] = {
    Status.UNKNOWN: 2 * _DAY,
    Status.PENDING: 2 * _DAY,
    Status.SUBMITTED: 2 * _DAY,
    Status.ACCEPTED: 3 * _DAY,
    Status.IN_PROGRESS: ON_SITE,
}
"""How long each stage may last: review within 48 hours, an appointment within 3 days of acceptance,
1 to 4 hours on site. Source as above."""


def track_of(details: Details, connection: Connection) -> str:
    """The order's track: that of its offer, else of its service type, else of the connection."""
    offer, service = details.get("offer", {}).get("id", ""), details.get("service_type", "")
    own = connection.tracks.get(offer) or connection.tracks.get(service)
    return own or _usual_track(service, details) or connection.track


def _usual_track(service: str, details: Details) -> str | None:
    name = details.get("offer", {}).get("name", "")
    if _EXTENDED.search(name) or _EXTENDED.search(service.replace("_", " ")):
        return "extended"
    return USUAL_TRACKS.get(service)


def stage_deadline(order: Order, connection: Connection) -> datetime:
    """The deadline of the current stage. A stage that is entered repeatedly gets no additional time
    once the order is far beyond its track.

    Time in which the order waited for the customer is not counted. While it waits, this is the
    deadline as if the wait had ended when it began.
    """
    own = _deadline_from(order.stage_since, order, connection)
    first = _deadline_from(_first_entered(order), order, connection)
    return min(own, max(first, far_limit(order, connection)))


def _deadline_from(entered: datetime, order: Order, connection: Connection) -> datetime:
    return _ends(later(entered, order.waited), allowed_time(order, connection), connection)


def _first_entered(order: Order) -> datetime:
    """When the order entered its current stage for the first time."""
    entered = [one.entered for one in _summed_up(order) if one.status is order.status]
    for entry in order.timeline:
        report = entry.report
        is_there = report.status is order.status and entry.effect in (*MOVING, Effect.CONFIRMED)
        if is_there and is_same_word(report.raw_status, order.raw_status):
            entered.append(report.status_since or report.occurred_at)
    return min(entered, default=order.stage_since)


def _summed_up(order: Order) -> tuple[Stage, ...]:
    return order.summary.stages if order.summary else ()


def allowed_time(order: Order, connection: Connection) -> timedelta:
    """How long the current stage may last, in days as the connection counts them.

    The connection's settings take precedence over what is known of the provider, and a raw status
    over the canonical one.
    """
    days = _own_days(order, connection)
    if days is not None:
        return timedelta(days=float(days))
    track = TRACKS[track_of(order.details, connection)]
    known = stage_of(connection.provider, order.raw_status).allowed
    if known is Allowed.TRACK:
        return track
    return known or _STAGES.get(order.status, track)


def _own_days(order: Order, connection: Connection) -> float | None:
    raw = normal_form(order.raw_status or "")
    for said in (connection.stage_days, connection.provider_stage_days):
        by_raw = (days for word, days in said.items() if normal_form(word) == raw)
        if (days := next(by_raw, said.get(order.status))) is not None:
            return days
    return None


def far_limit(order: Order, connection: Connection) -> datetime:
    """When the order is far beyond its track: after twice the track's time from its start, not
    counting the time that it waited for its customer."""
    track = TRACKS[track_of(order.details, connection)]
    return later(_start(order), FAR * track + order.waited_before + order.waited)


def track_deadline(order: Order, connection: Connection) -> datetime:
    """When the track's time from the order's start is over, in days as the connection counts them.
    The time that the order waited for its customer isn't counted."""
    track = TRACKS[track_of(order.details, connection)]
    begins = later(_start(order), order.waited_before + order.waited)
    return _ends(begins, track, connection)


def sliding_limit(order: Order, connection: Connection) -> datetime | None:
    """When an order becomes overdue although its appointment is in the future; None if the
    appointment was not moved.

    The first agreed appointment ends its stage, whatever the track says. An appointment that was
    moved later does so only until the order is far beyond its track.
    """
    first, agreed = _first_agreed(order), order.appointment
    if order.status is not Status.SCHEDULED or agreed is None or first in (None, agreed):
        return None
    limit = max(far_limit(order, connection), appointment_ends(first, connection))
    return limit if limit < appointment_ends(agreed, connection) else None


def _first_agreed(order: Order) -> str | None:
    """The appointment that was agreed first in the current stage."""
    said: list[str | None] = [order.summary.details.get("appointment")] if order.summary else []
    for entry in order.timeline:
        if entry.effect in MOVING:
            said = []
        said.append(entry.report.details.get("appointment"))
    return next((one for one in map(if_in_range, said) if one), None)


def look_at_dates(order: Order, connection: Connection) -> Iterable[Attention]:
    """The reason for attention if the appointment is far beyond the order's track."""
    moment = stored_moment(order.appointment) if order.status is Status.SCHEDULED else None
    if moment is None or moment <= far_limit(order, connection):
        return
    track = track_of(order.details, connection)
    yield Attention(
        "far_appointment",
        f"The appointment ({order.appointment}) is far beyond what the {track} track takes, "
        f"{TRACKS[track].days} days. Ask the provider for an earlier date, or make sure that the "
        "customer agrees.",
    )


def allowed_in_words(order: Order, connection: Connection) -> str:
    """The allowed time of the current stage, or of the wait in it, as text."""
    if words := wait_in_words(order, connection):
        return words
    if _is_far(order, connection):
        track = track_of(order.details, connection)
        return f"{FAR} times its {track} track ({TRACKS[track].days} days) in all"
    if order.status is Status.SCHEDULED and order.appointment:
        return _agreed_in_words(order, connection)
    allowed = allowed_time(order, connection)
    if allowed < _DAY:
        words = _count(allowed / timedelta(hours=1), "hour")
    else:
        counts_business = connection.stage_days_count == BUSINESS
        words = _count(allowed / _DAY, "business day" if counts_business else "day")
    waited = _count(round(order.waited / timedelta(hours=1), 1), "hour") if order.waited else None
    return f"{words}, and {waited} of waiting for the customer" if waited else words


def _agreed_in_words(order: Order, connection: Connection) -> str:
    planned = completion_planned_for(order)
    is_later = planned is not None and planned > appointment_ends(
        order.appointment or "", connection
    )
    if planned is None or not is_later:
        return f"its appointment ({order.appointment})"
    return f"its planned completion ({format_instant(planned)})"


def _is_far(order: Order, connection: Connection) -> bool:
    """Whether the deadline follows from the order's track instead of the stage's own time."""
    if order.status is Status.SCHEDULED and order.appointment:
        return sliding_limit(order, connection) is not None
    own = _deadline_from(order.stage_since, order, connection)
    return stage_deadline(order, connection) < own


def _count(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"


def overdue_at(order: Order, connection: Connection) -> datetime | None:
    """When the current stage becomes overdue; None if it can't.

    A closed order is never overdue. An order with an appointment is overdue after the time on site,
    or after the day; if its completion is planned for later, after that. If the appointment was
    moved, it is overdue once it is far beyond its track.
    An order that waits for its customer is overdue when the allowed time of the wait has passed,
    but never before its appointment is over.
    """
    if order.status in TERMINAL:
        return None
    has_appointment = order.status is Status.SCHEDULED and order.appointment
    agreed = _agreed_end(order, connection) if has_appointment else None
    if limit := wait_ends(order, connection, ends=_ends):
        return max(limit, agreed) if agreed else limit
    return agreed or stage_deadline(order, connection)


def _agreed_end(order: Order, connection: Connection) -> datetime:
    """When the appointment is over, or when the order should be completed as planned if that is
    later. A plan is taken into account until the order is far beyond its track."""
    agreed = sliding_limit(order, connection)
    agreed = agreed or appointment_ends(order.appointment or "", connection)
    planned = completion_planned_for(order)
    if planned is None:
        return agreed
    return max(agreed, min(later(planned, ON_SITE), far_limit(order, connection)))


def usual_end(order: Order, connection: Connection) -> datetime | str:
    """When the current stage should end: at the agreed appointment (an instant, or a day in ISO
    8601), else at the limit of the wait for the customer, else at the stage's deadline."""
    agreed = if_in_range(order.appointment) if order.status is Status.SCHEDULED else None
    limit = wait_ends(order, connection, ends=_ends)
    return agreed or limit or stage_deadline(order, connection)


def next_step_by(order: Order, connection: Connection) -> datetime | str | None:
    """When the next step is due; None once the order is closed."""
    return None if order.status in TERMINAL else usual_end(order, connection)


def appointment_ends(appointment: str, connection: Connection) -> datetime:
    """When an appointment is over: 4 hours after its instant, or at the end of the local day.

    A date that can't be right is never over.
    """
    moment = stored_moment(appointment)
    if moment is None:
        return LATEST
    if stored_day(appointment):
        midnight = moment + _DAY
        return midnight.replace(tzinfo=ZoneInfo(connection.time_zone)).astimezone(UTC)
    return moment + ON_SITE


def escalates_at(deadline: datetime, connection: Connection) -> datetime:
    """When an order that has been overdue since ``deadline`` is escalated to the connection's
    contact.
    """
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
    """The date by which lists are sorted: the appointment, else the stage's deadline; for a closed
    order, when it was closed.

    If the appointment was moved far beyond the track, it is the day on which the order becomes
    overdue.
    """
    due = next_step_by(order, connection)
    if due is None:
        return order.since
    agreed = stored_moment(due) if isinstance(due, str) else due
    moment = agreed or stage_deadline(order, connection)
    limit = sliding_limit(order, connection)
    return min(limit, moment) if limit else moment


def expected_by(order: Order, connection: Connection) -> datetime | None:
    """When the order should be complete; None once it is closed.

    This is the appointment, if there is one. Else it is the track's time after the order's start,
    not counting the time in which it waited for its customer, so it doesn't move by itself.
    """
    if order.status in TERMINAL:
        return None
    if agreed := stored_moment(order.appointment):
        return agreed
    track = TRACKS[track_of(order.details, connection)]
    return later(_start(order), track + order.waited_before + order.waited)


def _start(order: Order) -> datetime:
    reported_at = order.summary.since if order.summary else order.timeline[0].report.occurred_at
    placed_at = stored_moment(order.details.get("ordered_at") or order.details.get("signed_at"))
    # A report can't be older than its order, so a later order date is a mistake.
    return min(placed_at, reported_at) if placed_at else reported_at
