"""How long 100,000 orders take as a CSV file, read in pages of a thousand rows."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.children import WORK
from bench.engine import running_engine
from bench.figures import Figure
from bench.many_orders import append_rows, put_first
from milepost.api.list_export import ROWS_OF_A_PAGE
from milepost.api.listed_order_schema import listed_view
from milepost.exports.files import Format, header_of, lines_of
from milepost.exports.list_columns import ORDERS
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.order_list import Listed, Wanted
from tests.stack import create_table

ORDERS_IN_ALL: Final = 100_000
FIRST: Final = 1_000
TABLE: Final = "orders"
GOAL: Final = 120.0
"""Seconds."""


def measure(*, quick: bool) -> list[Figure]:
    """Seconds from the first page to the last row, on DynamoDB Local."""
    size = FIRST * 2 if quick else ORDERS_IN_ALL
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as place:
        folder = Path(place)
        with running_engine(folder=folder) as client:
            create_table(client, "OrdersTable", name=TABLE)
            put_first(client, table=TABLE, count=FIRST)
        append_rows(folder, table=TABLE, first=FIRST, last=size)
        with running_engine(folder=folder) as client:
            started = time.monotonic()
            rows, characters = _written(client)
            seconds = time.monotonic() - started
    if rows != size:
        raise SystemExit(f"the file has {rows:,} rows of {size:,}")
    return [
        Figure(
            what=f"{size:,} orders as CSV",
            measured=seconds,
            unit="s",
            goal=GOAL,
            note=f"{characters / 1_000_000:.1f} MB, {rows / seconds:,.0f} rows a second",
        )
    ]


def _written(client: Any) -> tuple[int, int]:
    """The number of rows and characters of the file."""
    rows, characters = 0, len(header_of(ORDERS, file_format=Format.CSV))
    for page in _pages(client):
        shown: list[Mapping[str, Any]] = [listed_view(one).model_dump(mode="json") for one in page]
        rows += len(shown)
        characters += len(lines_of(shown, ORDERS, file_format=Format.CSV))
    return rows, characters


def _pages(client: Any) -> Iterator[list[Listed]]:
    lists, after = OrderLists(client, table_name=TABLE), None
    wanted = Wanted(asked_at=datetime.now(UTC))
    while True:
        page = lists.page(wanted, zones={}, after=after, limit=ROWS_OF_A_PAGE)
        yield lists.read_facts(page.orders)
        after = page.last
        if after is None:
            return
