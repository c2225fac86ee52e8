"""By when an order's next step is due."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final

from milepost.lifecycle import TERMINAL
from milepost.order import Order
from milepost.report import Status, format_instant

_DAY: Final = timedelta(days=1)
_REVIEW: Final = 2 * _DAY
_SCHEDULING: Final = 3 * _DAY
_ON_SITE: Final = timedelta(hours=4)

STAGE_TIMES: Final[Mapping[str, Mapping[Status, timedelta]]] = {
    track: {
        Status.UNKNOWN: _REVIEW,
        Status.PENDING: _REVIEW,
        Status.SUBMITTED: _REVIEW,
        Status.ACCEPTED: _SCHEDULING,
        Status.SCHEDULED: longest,
        Status.IN_PROGRESS: _ON_SITE,
    }
    for track, longest in {"fast": 7 * _DAY, "standard": 14 * _DAY, "extended": 30 * _DAY}.items()
}
"""How long a stage may take, by track.

Source: Offergrid's reseller documentation (review within 48 hours, scheduling 1 to 3 days after
acceptance, 1 to 4 hours on site, 3 to 7, 7 to 14 or 14 to 30 days in all), used for every provider
that names no times of its own.
"""


def stage_deadline(order: Order, track: str) -> datetime:
    """When the present stage has lasted as long as it may."""
    return order.since + STAGE_TIMES[track][order.status]


def next_date(order: Order, track: str) -> datetime:
    """What lists are sorted by: the appointment, else the stage's deadline; closed: when closed."""
    if order.status in TERMINAL:
        return order.since
    if order.status is Status.SCHEDULED and order.appointment:
        return parse_day_or_instant(order.appointment)
    return stage_deadline(order, order.details.get("track", track))


def parse_day_or_instant(text: str) -> datetime:
    """An instant as it is; a day as its midnight in UTC, so that it sorts before its hours."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return datetime.combine(moment.date(), time(), tzinfo=UTC)
    return moment.astimezone(UTC)


def format_next_date(order: Order, track: str) -> str:
    """``next_date`` as the text that the index sorts by."""
    return format_instant(next_date(order, track).replace(microsecond=0))
