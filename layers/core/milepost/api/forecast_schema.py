"""The API's schema of an order's forecast."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from milepost.api.json_model import Shape
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.connections.tracks import TRACKS
from milepost.forecasts.durations_by_age import Group, What
from milepost.forecasts.expected_dates import Expected, expected
from milepost.forecasts.stages import stage_name
from milepost.forecasts.table import ForecastTable
from milepost.orders.deadlines import track_of
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Order, TrackedOrder


class Known(StrEnum):
    """Whether past orders allow a forecast."""

    KNOWN = "known"
    NOT_ENOUGH_YET = "not_enough_yet"


class Basis(StrEnum):
    """Which past orders a forecast is from."""

    SERVICE_TYPE = "service_type"
    CONNECTION = "connection"
    PROVIDER = "provider"


class IntervalView(Shape):
    """The times between which 80% of such orders reach this point, of those that reach it."""

    earliest: str | None = Field(description="10% of these orders reach it before this time.")
    likely: str | None = Field(description="50% of these orders reach it before this time.")
    latest: str | None = Field(
        description="90% of these orders reach it before this time; null if "
        "fewer have reached it yet."
    )
    orders: int = Field(description="The number of orders on which this is based.")
    basis: Basis = Field(
        description="Whose orders: of this service type, of the connection, or of all connections "
        "of the provider."
    )
    share: float = Field(description="The share of all orders that reach this point, from 0 to 1.")


class ForecastView(Shape):
    """When the stage and the order will end, by past orders of the same age in the same stage."""

    state: Known
    stage: IntervalView | None = Field(description="The end of the present stage.")
    end: IntervalView | None = Field(description="The completion of the order.")
    track: str = Field(examples=["standard"])
    track_days: int = Field(description="The maximum time of this order's track.")
    made_at: str | None = Field(description="When the forecasts were computed.")


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
    found = {what: _interval(what, order, connection, table, now) for what in What}
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
    what: What,
    order: Order,
    connection: Connection,
    table: ForecastTable | None,
    now: datetime,
) -> IntervalView | None:
    if table is None:
        return None
    found = expected(
        what,
        stage=stage_name(order.status, order.raw_status),
        since=order.stage_since,
        service_type=order.details.get("service_type", ""),
        connection=connection,
        table=table,
        now=now,
    )
    return interval_view(found) if found else None


def interval_view(found: Expected) -> IntervalView:
    """What is expected, as the API says it."""
    return IntervalView(
        earliest=_text(found.earliest),
        likely=_text(found.likely),
        latest=_text(found.latest),
        orders=found.orders,
        basis=_basis(found.group),
        share=found.share,
    )


def _basis(group: Group) -> Basis:
    if group.service_type:
        return Basis.SERVICE_TYPE
    return Basis.CONNECTION if group.connection else Basis.PROVIDER


def _text(moment: datetime | None) -> str | None:
    return format_instant(moment) if moment else None
