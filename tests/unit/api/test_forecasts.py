"""An open order's forecast says from how many orders it is, or that there are not enough yet."""

from datetime import timedelta

from milepost.api.forecast_schema import forecast_view
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.forecasts.durations_by_age import Group, What
from milepost.forecasts.forecast import Widening
from milepost.forecasts.survival import Points
from milepost.forecasts.table import ForecastTable
from tests.builders import KEY, OFFERGRID, minute, report, tracked

OPEN = tracked(report(Status.PENDING, 0))
HOUR = 3600.0


def table(points: Points) -> ForecastTable:
    key = (What.END, Group("pending", "", KEY.connection), 0)
    return ForecastTable(
        made_at="2026-03-01T00:00:00.000Z", points_by_key={key: points}, widening=Widening(1.0, 2.0)
    )


def test_an_interval_is_in_times_from_now_and_widened() -> None:
    known = table(Points(412, HOUR, 2 * HOUR, 3 * HOUR, 0.82))
    found = forecast_view(OPEN, OFFERGRID, table=known, now=minute(0))
    assert found is not None
    assert found.end is not None
    assert (found.state, found.stage) == ("known", None)
    assert (found.end.orders, found.end.share) == (412, 0.82)
    assert found.end.likely == format_instant(minute(0) + timedelta(hours=2))
    assert found.end.latest == format_instant(minute(0) + timedelta(hours=6))


def test_no_upper_date_is_named_where_none_is_known() -> None:
    known = table(Points(30, HOUR, None, None, 1.0))
    found = forecast_view(OPEN, OFFERGRID, table=known, now=minute(0))
    assert found is not None
    assert found.end is not None
    assert found.end.earliest == format_instant(minute(60))
    assert (found.end.likely, found.end.latest) == (None, None)


def test_without_enough_orders_it_says_so_and_names_the_tracks_time() -> None:
    for known in (None, ForecastTable(made_at="2026-03-01T00:00:00.000Z")):
        found = forecast_view(OPEN, OFFERGRID, table=known, now=minute(0))
        assert found is not None
        assert (found.state, found.end) == ("not_enough_yet", None)
        assert found.track_days in (7, 14, 30)


def test_a_closed_order_has_none() -> None:
    closed = tracked(report(Status.PENDING, 0), report(Status.COMPLETED, 5))
    assert forecast_view(closed, OFFERGRID, table=None, now=minute(9)) is None
    assert forecast_view(OPEN, None, table=None, now=minute(9)) is None
