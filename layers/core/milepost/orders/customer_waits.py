"""Waits for the customer: how long an order may wait before a person should act."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from milepost.common.timestamps import stored_day, stored_moment
from milepost.connections.connection import Connection
from milepost.orders.order import Order

Ends = Callable[[datetime, timedelta, Connection], datetime]
"""Gives the end of a duration that starts at an instant, in days as the connection counts them."""

PAYMENT: Final = "payment"
DEFAULT_WAIT_DAYS: Final[Mapping[str, float]] = {"contact": 3, PAYMENT: 14, "signature": 7}
"""Days that an order may wait for its customer. A payment with a due date may wait until then."""
OTHER_WAIT_DAYS: Final = 7.0
"""Days for any other kind of wait."""


def wait_ends(order: Order, connection: Connection, *, ends: Ends) -> datetime | None:
    """When the time that the order may wait for its customer ends.

    None while it doesn't wait.
    """
    wait = order.waiting
    if wait is None:
        return None
    if wait.what == PAYMENT and (due := _payment_due(order, connection)):
        return max(due, wait.since)
    return ends(wait.since, timedelta(days=allowed_days(wait.what, connection)), connection)


def allowed_days(what: str, connection: Connection) -> float:
    """The number of days that an order may wait for this."""
    usual = DEFAULT_WAIT_DAYS.get(what, OTHER_WAIT_DAYS)
    return float(connection.wait_days.get(what, usual))


def wait_in_words(order: Order, connection: Connection) -> str | None:
    """The time that the order may wait, as text; None if the order doesn't wait."""
    wait = order.waiting
    if wait is None:
        return None
    if wait.what == PAYMENT and _payment_due(order, connection):
        return "until the payment was due"
    days = allowed_days(wait.what, connection)
    kind = "business day" if connection.stage_days_count == "business" else "day"
    return f"{days:g} {kind}" if days == 1 else f"{days:g} {kind}s"


def first_due_on(order: Order) -> str | None:
    """The earliest due date of the unpaid invoices, in its stored form."""
    unpaid: list[Any] = [one for one in order.details.get("invoices", []) if not one.get("paid")]
    dates = (one.get("due_on") for one in unpaid)
    return min((one for one in dates if isinstance(one, str) and stored_moment(one)), default=None)


def _payment_due(order: Order, connection: Connection) -> datetime | None:
    """The end of the due date, in the connection's time zone."""
    said = first_due_on(order)
    moment = stored_moment(said)
    if moment is None or not stored_day(said):
        return moment
    midnight = moment.replace(tzinfo=ZoneInfo(connection.time_zone)) + timedelta(days=1)
    return midnight.astimezone(UTC)
