"""The demo's history: nine weeks of one connection's orders, with slow stages in the last weeks.

Orders that have ended are as `milepost orders import` leaves them; they are written at once, since
the rows of an import would keep a small machine busy for minutes. Open ones are at the connection's
sandbox, so that people can act on them. Forecasts, scorecards and the slowdown follow from all.
"""

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any, Final

from local.emulator_access import Access
from local.sandboxes.account import Account
from local.sandboxes.invented_customers import AUSTRALIAN_PLACES, AUSTRALIANS, make_email
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import Connection
from milepost.operations.order_import import read_row
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import record
from milepost.providers.base import rules_of
from milepost.providers.registry import REGISTRY, adapter

CONNECTION: Final = "offergrid-business"
"""Whose orders the history has."""
_WEEKS: Final = 9
_A_WEEK: Final = 12
_STAGES: Final = (("accepted", 3.0), ("scheduled", 3.0), ("in_progress", 5.0))
"""Open stages, and the days after which half of the orders have left them."""
_SLOW_STAGE: Final = "in_progress"
"""Few orders of the demo's day, which takes minutes, are in this one."""
_SPREAD: Final = 0.3
_CANCELLED: Final = 0.05
_SLOW_DAYS: Final = 20.0
"""Since so many days, time in the slow stage passes more slowly."""
_SLOWER_BY: Final = 2.5
_OFFER: Final = "off-business-pro"
_AGAIN_SECONDS: Final = 60.0
"""Until the first polls have read the sandbox's open orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOrder:
    """An order: its statuses, each with the time at which it was entered. The last one is the
    current one.
    """

    number: int
    steps: Sequence[tuple[str, datetime]]

    @property
    def has_ended(self) -> bool:
        return self.steps[-1][0] in ("completed", "cancelled")


def past_orders(now: datetime, *, seed: int = 11) -> list[PastOrder]:
    """The orders of the last months, the earliest first."""
    chance = random.Random(seed)
    ages = sorted((chance.uniform(0.2, _WEEKS * 7) for _ in range(_WEEKS * _A_WEEK)), reverse=True)
    return [PastOrder(number=n, steps=_steps(now, age, chance)) for n, age in enumerate(ages, 1)]


def _steps(now: datetime, age: float, chance: random.Random) -> list[tuple[str, datetime]]:
    at = -age
    steps = []
    for status, median in _STAGES:
        steps.append((status, now + timedelta(days=at)))
        lasts = median * chance.lognormvariate(0, _SPREAD)
        left = at + lasts
        if status == _SLOW_STAGE and left > -_SLOW_DAYS:
            begun = max(at, -_SLOW_DAYS)
            left = begun + (left - begun) * _SLOWER_BY
        at = left
        if at >= 0:
            return steps
        if chance.random() < _CANCELLED:
            return [*steps, ("cancelled", now + timedelta(days=at))]
    return [*steps, ("completed", now + timedelta(days=at))]


def rows_of(orders: Sequence[PastOrder]) -> list[dict[str, str]]:
    """The orders that have ended, as rows of an import: one for each status."""
    return [
        {**_facts(one), "status": status, "since": at.isoformat(timespec="seconds")}
        for one in orders
        if one.has_ended
        for status, at in one.steps
    ]


def _facts(one: PastOrder) -> dict[str, str]:
    first, last = AUSTRALIANS[one.number % len(AUSTRALIANS)]
    street, suburb, _, region, postcode = AUSTRALIAN_PLACES[one.number % len(AUSTRALIAN_PLACES)]
    return {
        "order_id": f"ord-past-{one.number:04d}",
        "item_id": f"item-past-{one.number:04d}-1",
        "reference": f"BB-{one.number:04d}",
        "service_type": "internet",
        "product": "Business Pro",
        "customer_name": f"{first} {last}",
        "customer_email": make_email(first, last, domain="example.com", number=one.number),
        "street": f"{one.number % 90 + 1} {street}",
        "postcode": postcode,
        "city": suburb,
        "region": region,
        "country": "AU",
    }


def place_open_ones(account: Account, orders: Sequence[PastOrder]) -> None:
    """Put the orders that have not ended into the sandbox, without webhooks."""
    with account.lock:
        for one in orders:
            if one.has_ended:
                continue
            fields = {"at": _text(one.steps[0][1]), "items": [{"offerId": _OFFER}]}
            order = account.id_of(account.create_order(fields))
            for status, at in one.steps:
                change: dict[str, Any] = {"status": status, "at": _text(at), "webhook": False}
                if status == "scheduled":
                    change["scheduledFor"] = _text(at + timedelta(days=7))
                account.move_order(order, change)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


@dataclass(slots=True)
class _InMemory:
    """Implements ``OrderStore`` for one order."""

    kept: TrackedOrder | None = None

    def read(self, key: OrderKey) -> TrackedOrder | None:  # noqa: ARG002 - there is only one
        return self.kept

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:  # noqa: ARG002
        self.kept = tracked


def ended_orders(
    orders: Sequence[PastOrder], connection: Connection, *, now: datetime
) -> Iterator[TrackedOrder]:
    """The orders that have ended, as an import of ``rows_of`` leaves them, each in one version."""
    provider = adapter(connection.provider)
    for one in orders:
        kept = _InMemory()
        for row in rows_of([one]):
            report = read_row(row, connection=connection, provider=provider, now=now)
            rules = rules_of(provider, connection)
            record(report, orders=kept, rules=rules, now=now, announce=False)
        if kept.kept is not None:
            yield replace(kept.kept, version=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackNames:
    """The parts of the local stack to which the history is written."""

    orders_table: str
    connections_path: str
    measure_stages: str


@contextmanager
def history_in_background(account: Account, *, access: Access, names: StackNames) -> Iterator[None]:
    """Create the open orders; write the other orders and make forecasts while the block runs."""
    now, stopped = datetime.now(UTC), Event()
    orders = past_orders(now)
    place_open_ones(account, orders)
    arguments = {"access": access, "names": names, "stopped": stopped}
    thread = Thread(target=_write, args=(orders, now), kwargs=arguments, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(timeout=10)


def _write(
    orders: Sequence[PastOrder],
    now: datetime,
    *,
    access: Access,
    names: StackNames,
    stopped: Event,
) -> None:
    settings = ConnectionSettings(
        access.client("ssm"),
        path=names.connections_path,
        clock=time.monotonic,
        providers=REGISTRY,
    )
    connection = settings.get(CONNECTION)
    table = OrdersTable(
        access.client("dynamodb"), table_name=names.orders_table, connection=connection
    )
    for one in ended_orders(orders, connection, now=now):
        if stopped.is_set():
            return
        table.write(one, new=())
    functions = access.client("lambda")
    for wait in (0.0, _AGAIN_SECONDS):
        if stopped.wait(wait):
            return
        functions.invoke(FunctionName=names.measure_stages, Payload=json.dumps({"forecasts": {}}))
