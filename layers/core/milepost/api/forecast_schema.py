"""The API's schema of an order's forecast."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from milepost.api.json_model import Shape
from milepost.common.timestamps import format_instant, later
from milepost.connections.connection import TRACKS, Connection
from milepost.forecasts.curves import What
from milepost.forecasts.forecast import AS_IT_IS, forecast
from milepost.forecasts.stages import stage_name
from milepost.forecasts.survival import Points
from milepost.forecasts.table import ForecastTable
from milepost.orders.deadlines import track_of
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import TrackedOrder


class Known(StrEnum):
    """Whether past orders allow a forecast."""

    KNOWN = "known"
    NOT_ENOUGH_YET = "not_enough_yet"


class IntervalView(Shape):
    """The times between which 80% of such orders reach this point, of those that reach it."""

    earliest: str | None = Field(description="One in ten gets there before.")
    likely: str | None = Field(description="Half of them get there before.")
    latest: str | None = Field(
        description="Nine in ten get there before; null where so many have not got there yet."
    )
    orders: int = Field(description="Of how many orders that is known.")
    share: float = Field(description="How many of all get there, from 0 to 1.")


class ForecastView(Shape):
    """When the stage and the order will end, by past orders of the same age in the same stage."""

    state: Known
    stage: IntervalView | None = Field(description="The end of the present stage.")
    end: IntervalView | None = Field(description="The completion of the order.")
    track: str = Field(examples=["standard"])
    track_days: int = Field(description="How long orders of this track take at most.")
    made_at: str | None = Field(description="When the past orders were looked at.")


def forecast_view(
    tracked: TrackedOrder,
    connection: Connection | None,
    *,
    table: ForecastTable | None,
    now: datetime,
) -> ForecastView | None:
    """The forecast of an open order; None if it is closed, erased or without a connection."""
    order = tracked.order
    if connection is None or tracked.erased_at or order.status in TERMINAL:
        return None
    found = {what: _interval(what, tracked, table, now) for what in What}
    track = track_of(order.details, connection)
    return ForecastView(
        state=Known.KNOWN if any(found.values()) else Known.NOT_ENOUGH_YET,
        stage=found[What.STEP],
        end=found[What.END],
        track=track,
        track_days=TRACKS[track].days,
        made_at=table.made_at if table else None,
    )


def _interval(
    what: What, tracked: TrackedOrder, table: ForecastTable | None, now: datetime
) -> IntervalView | None:
    if table is None:
        return None
    order = tracked.order
    found = forecast(
        table,
        what,
        stage=stage_name(order.status, order.raw_status),
        age=(now - order.stage_since).total_seconds(),
        service_type=order.details.get("service_type", ""),
        connection=order.key.connection,
        widening=table.widening if what is What.END else AS_IT_IS,
    )
    return _view(found.points, now) if found else None


def _view(points: Points, now: datetime) -> IntervalView:
    return IntervalView(
        earliest=_moment(points.low, now),
        likely=_moment(points.middle, now),
        latest=_moment(points.high, now),
        orders=points.at_risk,
        share=points.share,
    )


def _moment(seconds: float | None, now: datetime) -> str | None:
    return None if seconds is None else format_instant(later(now, timedelta(seconds=seconds)))
