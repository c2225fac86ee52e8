"""When an order will probably be completed, in a sentence for the team."""

from datetime import datetime
from typing import Protocol

from milepost.connections.connection import Connection
from milepost.forecasts.durations_by_age import What
from milepost.forecasts.expected_dates import Expected, expected
from milepost.forecasts.stages import stage_name
from milepost.forecasts.table import ForecastTable
from milepost.notifications.mail.rendering.context import MailContext
from milepost.notifications.mail.rendering.formatting import Moments
from milepost.notifications.mail.rendering.languages import Words
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Order


class Forecasts(Protocol):
    def read(self, connection_id: str) -> ForecastTable | None:
        """The connection's table; None while there is none."""


def expected_end(
    order: Order, connection: Connection, forecasts: Forecasts | None, *, now: datetime
) -> Expected | None:
    """When an open order will be completed; None if too few similar orders are known."""
    if forecasts is None or order.status in TERMINAL:
        return None
    table = forecasts.read(connection.id)
    if table is None:
        return None
    return expected(
        What.END,
        stage=stage_name(order.status, order.raw_status),
        since=order.stage_since,
        service_type=order.details.get("service_type", ""),
        connection=connection,
        table=table,
        now=now,
    )


def forecast_line(end: Expected | None, context: MailContext) -> str | None:
    """A text such as "usually complete between Thu, 3 Dec and Wed, 9 Dec, most likely Sat, 5 Dec;
    from 412 orders"; None in mails to customers, since Milepost promises them nothing."""
    if context.for_customer:
        return None
    return forecast_words(end, context.moments, context.words)


def forecast_words(end: Expected | None, moments: Moments, words: Words) -> str | None:
    """The same for any mail to the team; None if too few similar orders are known."""
    if end is None or end.earliest is None:
        return None
    days = {
        name: moments.short_day(getattr(end, name)) or ""
        for name in ("earliest", "likely", "latest")
    }
    said = words["forecast"]
    likely = said["likely"].format(**days) if end.likely else ""
    when = said["between" if end.latest else "after"].format(**{**days, "likely": likely})
    return f"{when}{said['basis'].format(orders=end.orders)}"
