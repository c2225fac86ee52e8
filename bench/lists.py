"""The cost of a page of the order list, independent of the number of orders."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.children import WORK
from bench.engine import Meter, running_engine
from bench.figures import Figure
from bench.many_orders import RARE, append_rows, check_rows, item_of, put_first
from milepost.aws.dynamodb_items import from_item
from milepost.common.status import Status
from milepost.orders.aws.table import OrdersReader, tracked_order
from milepost.orders.lifecycle import OPEN
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.order_list import Wanted
from tests.stack import create_table

PAGE: Final = 50
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
GOAL: Final = 1.1
TABLE: Final = "orders"
PAGES: Final[Mapping[str, tuple[Sequence[Status], int]]] = {
    "open orders": (sorted(OPEN), 10),
    "orders of a status that one in ten has": ([RARE], 2),
}
"""Lists, and how many pages of each are read: at the smallest size the second has no more."""


def measure(*, quick: bool) -> list[Figure]:
    """Read units of pages at each size of a growing table, and the ratio of the largest size to the
    smallest.
    """
    sizes = SIZES[:2] if quick else SIZES
    units: dict[str, dict[int, float]] = {}
    with _folder() as folder:
        have = 0
        for size in sizes:
            if have:
                append_rows(folder, table=TABLE, first=have, last=size)
            with running_engine(folder=folder) as client:
                if not have:
                    create_table(client, "OrdersTable", name=TABLE)
                    put_first(client, table=TABLE, count=size)
                _require_orders(client, size)
                for name, consumed in _read_pages(client):
                    units.setdefault(name, {})[size] = consumed
            if not have:
                check_rows(folder, table=TABLE, count=size)
            have = size
    return [figure for name, each in units.items() for figure in describe(name, each)]


def describe(name: str, units: Mapping[int, float]) -> list[Figure]:
    """The cost of a page at the largest size, and its ratio to the cost at the smallest size."""
    first, last = min(units), max(units)
    return [
        Figure(
            what=f"a page of {PAGE} {name}, among {last:,}",
            measured=units[last],
            unit="read units",
            note=", ".join(f"{value:g} among {size:,}" for size, value in units.items()),
        ),
        Figure(
            what=f"a page of {name}, among {last:,}, compared with {first:,}",
            measured=units[last] / units[first],
            goal=GOAL,
        ),
    ]


@contextmanager
def _folder() -> Iterator[Path]:
    """The directory for the engine's file: 2.6 GB at the end; it is removed with the block."""
    place = WORK / "lists"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def _require_orders(client: Any, size: int) -> None:
    """:raises SystemExit: if the engine's orders are not the expected ones"""
    known = client.describe_table(TableName=TABLE)["Table"]["ItemCount"]
    last = tracked_order(from_item(item_of(size - 1)))
    if known != size or OrdersReader(client, table_name=TABLE).read(last.order.key) != last:
        raise SystemExit(f"DynamoDB Local has {known:,} of {size:,} orders, or not the last of it")


def _read_pages(client: Any) -> Iterator[tuple[str, float]]:
    """The average cost of a page, since the next orders are spread randomly over the shards."""
    meter, lists = Meter(client), OrderLists(client, table_name=TABLE)
    for name, (statuses, count) in PAGES.items():
        wanted, after = Wanted(asked_at=datetime.now(UTC), statuses=statuses), None
        meter.clear()
        for _ in range(count):
            page = lists.page(wanted, zones={}, after=after, limit=PAGE)
            assert len(page.orders) == PAGE
            after = page.last
        yield name, meter.total("Query") / count
