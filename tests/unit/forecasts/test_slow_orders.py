"""Orders that are slow: beyond the time in which nine in ten left their stage."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.forecasts.curves import Group, What
from milepost.forecasts.slow_orders import slow_orders
from milepost.forecasts.survival import Points
from milepost.forecasts.table import ForecastTable
from milepost.orders.order import OrderKey
from milepost.queries.order_list import Listed
from tests.builders import KEY, NOON

HOUR = 3600.0
STAGE = "accepted: contract generated"
CONNECTION = KEY.connection


class Tables(dict[str, ForecastTable]):
    def read_all(self, connection_ids: Iterable[str]) -> dict[str, ForecastTable]:
        return {one: self[one] for one in connection_ids if one in self}


def tables(points: dict[Group, float | None]) -> Tables:
    known = {
        (What.STEP, group, 0): Points(40, HOUR, HOUR, high, 1.0) for group, high in points.items()
    }
    return Tables({CONNECTION: ForecastTable(made_at="", points_by_key=known)})


def order(hours: float, *, service: str | None = None, entered: float | None = None) -> Listed:
    moment = format_instant(NOON - timedelta(hours=hours))
    return Listed(
        key=KEY,
        provider="subs",
        status=Status.ACCEPTED,
        raw_status="Contract Generated",
        since=moment,
        next_date=moment,
        service_type=service,
        raw_since=entered and format_instant(NOON - timedelta(hours=entered)),
    )


USUAL = tables({Group(STAGE, "", CONNECTION): 5 * HOUR, Group(STAGE, "tv", CONNECTION): 9 * HOUR})


@pytest.mark.parametrize(
    ("listed", "seconds"),
    [
        (order(5.1), 5 * HOUR),
        (order(5.0), None),
        (order(30, entered=4), None),
        (order(30, entered=6), 5 * HOUR),
        (order(8, service="tv"), None),
        (order(10, service="tv"), 9 * HOUR),
        (order(8, service="internet"), 5 * HOUR),
    ],
)
def test_an_order_is_slow_beyond_nine_in_ten_of_its_stage(
    listed: Listed, seconds: float | None
) -> None:
    found = slow_orders([listed], tables=USUAL, connections={}, now=NOON)
    assert found.get(KEY) == seconds


def test_no_order_is_slow_of_which_too_little_is_known() -> None:
    assert slow_orders([order(999)], tables=Tables(), connections={}, now=NOON) == {}
    unknown = tables({Group(STAGE, "", CONNECTION): None})
    assert slow_orders([order(999)], tables=unknown, connections={}, now=NOON) == {}
    other = tables({Group("accepted", "", CONNECTION): HOUR})
    assert slow_orders([order(999)], tables=other, connections={}, now=NOON) == {}


def test_closed_orders_read_no_table() -> None:
    closed = Listed(
        key=OrderKey("gone", "o", "i"),
        provider="subs",
        status=Status.COMPLETED,
        raw_status=None,
        since=format_instant(NOON - timedelta(days=90)),
        next_date="",
    )
    assert slow_orders([closed], tables=None, connections={}, now=NOON) == {}  # type: ignore[arg-type]
