"""Forecasts for the orders of a list: when they will end, and which of them are slow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from milepost.common.status import Status
from milepost.common.timestamps import parse_instant
from milepost.connections.connection import Connection
from milepost.forecasts.clock import Clock, clock_of
from milepost.forecasts.durations_by_age import What, groups_of
from milepost.forecasts.expected_dates import Expected, expected
from milepost.forecasts.stages import stage_name
from milepost.forecasts.table import ForecastTable
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import OrderKey


class ListedOrder(Protocol):
    """The fields of a listed order that show how long it has been in its stage."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The forecast of one open order."""

    end: Expected | None = None
    """When it will be completed; None while too few orders like it are known."""
    slow: float | None = None
    """The 90th percentile of past stays in its stage in seconds, if it has been there longer; of
    business time where its connection's deadlines are."""


UNKNOWN: Final = Outlook()


def outlooks(
    orders: Iterable[ListedOrder],
    *,
    tables: Tables,
    connections: Mapping[str, Connection],
    now: datetime,
) -> dict[OrderKey, Outlook]:
    """The outlook of each open order; closed orders have none. All tables are read in one call."""
    open_ones = [one for one in orders if one.status not in TERMINAL]
    if not open_ones:
        return {}
    read = tables.read_all({one.key.connection for one in open_ones})
    found = {}
    for one in open_ones:
        table, connection = read.get(one.key.connection), connections.get(one.key.connection)
        if table is not None:
            found[one.key] = Outlook(
                end=_end(one, table, connection, now) if connection else None,
                slow=_slow(one, table, clock_of(connection), now),
            )
    return found


def _end(
    one: ListedOrder, table: ForecastTable, connection: Connection, now: datetime
) -> Expected | None:
    return expected(
        What.END,
        stage=stage_name(one.status, one.raw_status),
        since=parse_instant(one.stage_since),
        service_type=one.service_type or "",
        connection=connection,
        table=table,
        now=now,
    )


def _slow(one: ListedOrder, table: ForecastTable, clock: Clock, now: datetime) -> float | None:
    """None also if too few orders were in the stage, or if its upper time isn't known."""
    usual = _usual(one, table)
    since = parse_instant(one.stage_since).timestamp()
    age = clock.counted(now.timestamp()) - clock.counted(since)
    return usual if usual is not None and age > usual else None


def _usual(one: ListedOrder, table: ForecastTable) -> float | None:
    """The 90% point of all orders that entered the stage, from the most similar orders."""
    groups = groups_of(
        stage_name(one.status, one.raw_status),
        service_type=one.service_type or "",
        connection=one.key.connection,
    )
    points = (table.points(What.STEP, group, 0) for group in groups)
    found = next((one for one in points if one is not None), None)
    return found.high if found else None
