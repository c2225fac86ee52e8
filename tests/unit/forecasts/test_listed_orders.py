"""Orders of a list: when they end, and which are slow."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.forecasts.durations_by_age import AGES, Group, What
from milepost.forecasts.listed_orders import outlooks
from milepost.forecasts.survival import Points
from milepost.forecasts.table import ForecastTable
from milepost.orders.order import OrderKey
from milepost.queries.order_list import Listed
from tests.builders import KEY, NOON

HOUR, DAY = 3600.0, 86_400.0
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
    assert slow([listed], USUAL) == {KEY: seconds}


def slow(orders: list[Listed], known: Tables) -> dict[OrderKey, float | None]:
    found = outlooks(orders, tables=known, connections={}, now=NOON)
    return {key: one.slow for key, one in found.items()}


def test_no_order_is_slow_of_which_too_little_is_known() -> None:
    assert slow([order(999)], Tables()) == {}
    assert slow([order(999)], tables({Group(STAGE, "", CONNECTION): None})) == {KEY: None}
    assert slow([order(999)], tables({Group("accepted", "", CONNECTION): HOUR})) == {KEY: None}


def test_an_order_ends_when_orders_of_its_age_did_and_on_its_connections_clock() -> None:
    known = {
        (What.END, Group(STAGE, "", CONNECTION), place): Points(41, DAY, 2 * DAY, 5 * DAY, 0.9)
        for place in range(len(AGES))
    }
    read = Tables({CONNECTION: ForecastTable(made_at="", points_by_key=known)})
    calendar = Connection(id=CONNECTION, provider="subs", base_url="https://subs.example.com")
    business = replace(calendar, stage_days_count="business")
    ends = []
    for settings in (calendar, business):
        known_connections = {CONNECTION: settings}
        found = outlooks([order(5)], tables=read, connections=known_connections, now=NOON)
        end = found[KEY].end
        assert end is not None
        assert end.orders == 41
        ends.append(tuple((one - NOON).days for one in (end.earliest, end.likely, end.latest)))
    # NOON is a Monday: five business days later it is the next one.
    assert ends == [(1, 2, 5), (1, 2, 7)]


def test_closed_orders_read_no_table() -> None:
    closed = Listed(
        key=OrderKey("gone", "o", "i"),
        provider="subs",
        status=Status.COMPLETED,
        raw_status=None,
        since=format_instant(NOON - timedelta(days=90)),
        next_date="",
    )
    assert outlooks([closed], tables=None, connections={}, now=NOON) == {}  # type: ignore[arg-type]
