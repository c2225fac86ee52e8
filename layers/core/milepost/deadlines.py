"""Tracks and stages: how long things take, and by when an order's next step is due."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final

from milepost.connection import Connection
from milepost.lifecycle import TERMINAL
from milepost.order import Order
from milepost.report import Details, Status, format_instant, parse_instant

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

_STAGES: Final[Mapping[Status, timedelta]] = {
    Status.UNKNOWN: 2 * _DAY,
    Status.PENDING: 2 * _DAY,
    Status.SUBMITTED: 2 * _DAY,
    Status.ACCEPTED: 3 * _DAY,
    Status.IN_PROGRESS: timedelta(hours=4),
}
"""How long a stage may take: review within 48 hours, an appointment within 3 days of acceptance,
1 to 4 hours on site. Source as above."""


def track_of(details: Details, connection: Connection) -> str:
    """The order's track: by its offer, else by its service type, else the connection's."""
    offer, service = details.get("offer", {}).get("id", ""), details.get("service_type", "")
    own = connection.tracks.get(offer) or connection.tracks.get(service)
    return own or USUAL_TRACKS.get(service) or connection.track


def stage_deadline(order: Order, connection: Connection) -> datetime:
    """When the present stage has lasted as long as it may."""
    days = connection.stage_days.get(order.status)
    if days is not None:
        return order.since + timedelta(days=float(days))
    usual = _STAGES.get(order.status, TRACKS[track_of(order.details, connection)])
    return order.since + usual


def next_date(order: Order, connection: Connection) -> datetime:
    """What lists are sorted by: the appointment, else the stage's deadline; closed: when closed."""
    if order.status in TERMINAL:
        return order.since
    if order.status is Status.SCHEDULED and order.appointment:
        return parse_day_or_instant(order.appointment)
    return stage_deadline(order, connection)


def expected_by(order: Order, connection: Connection) -> datetime | None:
    """By when the order should be complete; None once it is closed.

    An appointment says it best. Before there is one, it is the track's time from the order's
    start, but never before the present stage may end.
    """
    if order.status in TERMINAL:
        return None
    if order.appointment:
        return parse_day_or_instant(order.appointment)
    by_track = _start(order) + TRACKS[track_of(order.details, connection)]
    return max(by_track, stage_deadline(order, connection))


def _start(order: Order) -> datetime:
    reported_at = order.summary.since if order.summary else order.timeline[0].report.occurred_at
    ordered_at = order.details.get("ordered_at") or order.details.get("signed_at")
    # Nothing is reported of an order before it is placed: a date of 9999 is a slip.
    return min(parse_day_or_instant(ordered_at), reported_at) if ordered_at else reported_at


def parse_day_or_instant(text: str) -> datetime:
    """An instant as it is; a day as its midnight in UTC, so that it sorts before its hours."""
    if len(text) == len("2026-03-01"):
        return datetime.combine(datetime.fromisoformat(text).date(), time(), tzinfo=UTC)
    return parse_instant(text)


def sortable(moment: datetime) -> str:
    """A moment as the text that the index sorts by, to the second."""
    return format_instant(moment.replace(microsecond=0))
