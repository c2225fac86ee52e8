"""When an order's stage, and the order itself, are expected to end, as dates and times."""

from dataclasses import dataclass
from datetime import UTC, datetime

from milepost.connections.connection import Connection
from milepost.forecasts.clock import Clock, clock_of
from milepost.forecasts.durations_by_age import Group, What
from milepost.forecasts.forecast import AS_IT_IS, forecast
from milepost.forecasts.table import ForecastTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The interval in which eight of ten such orders get there, among the orders that get there.

    Each is None where the curve of past orders doesn't reach it. ``orders`` is the number of orders
    that this is known from, ``share`` (0 to 1) how many of them get there.
    """

    earliest: datetime | None
    likely: datetime | None
    latest: datetime | None
    orders: int
    share: float
    group: Group
    """Which past orders it is from."""


def expected(
    what: What,
    *,
    stage: str,
    since: datetime,
    service_type: str,
    connection: Connection,
    table: ForecastTable,
    now: datetime,
) -> Expected | None:
    """When an open order is expected to get there; None if too few similar orders are known.

    :param stage: of ``stages.stage_name``
    :param since: when it entered this stage
    """
    clock = clock_of(connection)
    present = clock.counted(now.timestamp())
    found = forecast(
        table,
        what,
        stage=stage,
        age=present - clock.counted(since.timestamp()),
        service_type=service_type,
        connection=connection.id,
        widening=table.widening if what is What.END else AS_IT_IS,
    )
    if found is None:
        return None
    points = found.points
    return Expected(
        earliest=_moment(points.low, present, clock),
        likely=_moment(points.middle, present, clock),
        latest=_moment(points.high, present, clock),
        orders=points.at_risk,
        share=points.share,
        group=found.group,
    )


def _moment(seconds: float | None, present: float, clock: Clock) -> datetime | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(clock.moment(present + seconds), UTC)
