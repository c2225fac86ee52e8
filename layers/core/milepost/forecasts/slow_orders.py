"""Slow orders: those that have been in their stage for longer than nine in ten of the past ones."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from milepost.common.status import Status
from milepost.common.timestamps import parse_instant
from milepost.connections.connection import Connection
from milepost.forecasts.clock import Clock, clock_of
from milepost.forecasts.curves import What, groups_of
from milepost.forecasts.stages import stage_name
from milepost.forecasts.table import ForecastTable
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import OrderKey


class ListedOrder(Protocol):
    """What of an order in a list says how long it has been in its stage."""

    @property
    def key(self) -> OrderKey: ...
    @property
    def status(self) -> Status: ...
    @property
    def raw_status(self) -> str | None: ...
    @property
    def service_type(self) -> str | None: ...
    @property
    def stage_since(self) -> str: ...


class Tables(Protocol):
    def read_all(self, connection_ids: Iterable[str]) -> Mapping[str, ForecastTable]: ...


def slow_orders(
    orders: Iterable[ListedOrder],
    *,
    tables: Tables,
    connections: Mapping[str, Connection],
    now: datetime,
) -> dict[OrderKey, float]:
    """Those of the orders that are slow, each with the seconds within which nine in ten of the past
    orders had left its stage: of business time where its connection's deadlines are.

    None of a stage in which too few orders were, or whose upper time isn't known.
    """
    open_ones = [one for one in orders if one.status not in TERMINAL]
    if not open_ones:
        return {}
    read = tables.read_all({one.key.connection for one in open_ones})
    usual = ((one, _usual(one, read.get(one.key.connection))) for one in open_ones)
    return {
        one.key: seconds
        for one, seconds in usual
        if seconds is not None
        and _age(one, clock_of(connections.get(one.key.connection)), now) > seconds
    }


def _age(one: ListedOrder, clock: Clock, now: datetime) -> float:
    since = parse_instant(one.stage_since).timestamp()
    return clock.counted(now.timestamp()) - clock.counted(since)


def _usual(one: ListedOrder, table: ForecastTable | None) -> float | None:
    """The 90% point of all that entered the stage, from the orders that are most like this one."""
    if table is None:
        return None
    groups = groups_of(
        stage_name(one.status, one.raw_status),
        service_type=one.service_type or "",
        connection=one.key.connection,
    )
    points = (table.points(What.STEP, group, 0) for group in groups)
    found = next((one for one in points if one is not None), None)
    return found.high if found else None
