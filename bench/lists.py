"""What a page of the order list consumes, however many orders there are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.engine import Meter, running_engine
from bench.figures import Figure
from milepost.aws.items import to_item
from milepost.aws.order_lists import OrderLists
from milepost.aws.orders_table import order_item
from milepost.listing import Wanted
from milepost.order import OrderKey
from milepost.report import Status
from tests.builders import NOON, OFFERGRID, report, tracked
from tests.stack import create_table

PAGE: Final = 50
OPEN: Final = (Status.PENDING, Status.SUBMITTED, Status.ACCEPTED, Status.IN_PROGRESS)
_AT_ONCE: Final = 25


def measure(*, quick: bool) -> list[Figure]:
    """Read units of a page at each size, and the largest by the smallest."""
    sizes = (1_000, 5_000) if quick else (1_000, 100_000)
    with running_engine() as client:
        meter = Meter(client)
        units = {size: _read_page(client, meter, size) for size in sizes}
    first, last = sizes[0], sizes[-1]
    rows = [
        Figure(what=f"read units of a page of {PAGE} among {size:,} orders", measured=value)
        for size, value in units.items()
    ]
    grown = Figure(
        what=f"… among {last:,} by among {first:,}", measured=units[last] / units[first], goal=1.1
    )
    return [*rows, grown]


def _read_page(client: Any, meter: Meter, size: int) -> float:
    table = create_table(client, "OrdersTable", name=f"orders-{size}")
    _fill(client, table, size)
    meter.clear()
    wanted = Wanted(asked_at=datetime.now(UTC), statuses=OPEN)
    page = OrderLists(client, table_name=table).page(wanted, zones={}, after=None, limit=PAGE)
    assert len(page.orders) == PAGE
    return meter.total("Query", "BatchGetItem", "GetItem")


def _fill(client: Any, table: str, size: int) -> None:
    waiting: list[dict[str, Any]] = []
    for item in _items(size):
        waiting.append({"PutRequest": {"Item": item}})
        if len(waiting) == _AT_ONCE:
            client.batch_write_item(RequestItems={table: waiting})
            waiting = []
    if waiting:
        client.batch_write_item(RequestItems={table: waiting})


def _items(size: int) -> Iterator[dict[str, Any]]:
    """Orders spread over the open statuses, entered in the course of a month."""
    for number in range(size):
        key = OrderKey(OFFERGRID.id, f"ord-{number:07d}", "item-1")
        minutes = (number * 7_919) % (30 * 24 * 60)
        order = tracked(report(OPEN[number % len(OPEN)], minutes, key=key, reference="PP-20417"))
        assert order.order.since == NOON + timedelta(minutes=minutes)
        yield to_item(order_item(order, connection=OFFERGRID, new=()))
