"""A million stored orders: the first ones through the API, the others as rows of the engine's file.

Its API takes 500 items a second on disk and 3,000 in memory, which goes with the process: a million
would take half an hour, or six minutes each time.
Its file is SQLite, and a row of it is an item's JSON with its keys beside it. Rows are written here
only if they are what the engine writes itself: ``check_rows`` compares them with those of the
orders that came through the API. Whoever reads reads through the API.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from bench.events import at_step, listed
from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.common.timestamps import parse_instant, sortable
from milepost.orders.aws.index_keys import partition_of
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import order_item
from milepost.orders.order import OrderKey
from milepost.providers.offergrid import Offergrid
from tests.builders import OFFERGRID, tracked

RARE: Final = Status.IN_PROGRESS
"""One order in ten has it; the others are at an earlier step, all of them open."""
_STEPS: Final = (0, 0, 1, 1, 2, 2, 3, 3, 3, 4)
_ITEM: Final = "item-1"
_SECONDS: Final = 30 * 24 * 60 * 60
_STRIDE: Final = 7_919
"""Seconds from one order to the next: a prime, so that no two orders of the month share theirs."""
_AT_ONCE: Final = 25
_COMPARED: Final = ("hashKey", "rangeKey", "indexKey_0", "indexKey_1", "itemSize", "ObjectJSON")
_HASHES: Final = ("hashValue", "rangeValue", "hashRangeValue")
"""They order a scan, and orders of the same second, of which there are none: any number will do."""


def item_of(number: int) -> dict[str, Any]:
    """The item that ``order_item`` writes for an order at a step, with this order's ids, shard and
    date.
    """
    typical, key = _typical(_step(number)), _key(number)
    own = {
        **item_key(key),
        "order_id": key.order_id,
        "item_id": key.item_id,
        "status_shard": partition_of(Status(typical["status"]["S"]), key),
        "next_date": sortable(_first_due(_step(number)) + _later(number)),
    }
    return {**typical, **to_item(own)}


def put_first(client: Any, *, table: str, count: int) -> None:
    """Write the orders from number 0 on through the API."""
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        puts = [{"PutRequest": {"Item": item_of(number)}} for number in numbers]
        client.batch_write_item(RequestItems={table: puts})


def check_rows(folder: Path, *, table: str, count: int) -> None:
    """Compare the rows that the API wrote with those that ``append_rows`` would write.

    :raises SystemExit: when they differ: the engine's file is not as this module knows it
    """
    with _open(folder) as file:
        sizes = _sizes(file, table)
        found = file.execute(f'SELECT {", ".join(_COMPARED)} FROM "{table}"')
        written = {_comparable(row) for row in found}
    ours = {_comparable(_row(number, sizes)[: len(_COMPARED)]) for number in range(count)}
    if written != ours:
        raise SystemExit(
            f"DynamoDB Local keeps {len(written - ours):,} of {count:,} orders in its file in "
            "another way than bench/many_orders.py writes them: look at _row there"
        )


def append_rows(folder: Path, *, table: str, first: int, last: int) -> None:
    """Add the orders between two numbers to the file of an engine that isn't running."""
    names = (*_COMPARED, *_HASHES)
    places = ", ".join("?" * len(names))
    insert = f'INSERT INTO "{table}" ({", ".join(names)}) VALUES ({places})'
    with _open(folder) as file:
        # A file that is thrown away needs no journal.
        for setting in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -200000"):
            file.execute(f"PRAGMA {setting}")
        sizes = _sizes(file, table)
        with file:
            file.executemany(insert, (_row(number, sizes) for number in range(first, last)))


def _open(folder: Path) -> closing[sqlite3.Connection]:
    """:raises SystemExit: if the engine's file is not at the expected path"""
    found = list(folder.glob("*.db"))
    if len(found) != 1:
        raise SystemExit(f"DynamoDB Local left {len(found)} files of tables in {folder}, not one")
    return closing(sqlite3.connect(found[0]))


def _sizes(file: sqlite3.Connection, table: str) -> dict[str, int]:
    """The size of an item of each status in the engine: all items of a status have the same
    size.
    """
    rows = file.execute(f'SELECT ObjectJSON, itemSize FROM "{table}" LIMIT 1000')
    return {json.loads(content)["status"]["S"]: size for content, size in rows}


def _row(number: int, sizes: Mapping[str, int]) -> tuple[Any, ...]:
    step, key = _step(number), _key(number)
    status, others = _others(step)
    pk, sk = f"order#{key.connection}#{key.order_id}", f"item#{key.item_id}"
    shard = partition_of(Status(status), key)
    due = f"{(_first_due(step) + _later(number)).isoformat()[:19]}Z"
    # None of these needs escaping, and a million times json.dumps is half a minute.
    content = (
        f'{{"pk":{{"S":"{pk}"}},"sk":{{"S":"{sk}"}},"order_id":{{"S":"{key.order_id}"}},'
        f'"item_id":{{"S":"{key.item_id}"}},"status_shard":{{"S":"{shard}"}},'
        f'"next_date":{{"S":"{due}"}},{others}'
    )
    keys = (pk.encode(), sk.encode(), shard.encode(), due.encode())
    hashed = number.to_bytes(20, "big")
    return (*keys, sizes[status], content.encode(), hashed, hashed, hashed)


def _comparable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    *columns, content = row
    return (*columns, json.dumps(json.loads(content), sort_keys=True))


def _key(number: int) -> OrderKey:
    return OrderKey(OFFERGRID.id, f"ord-{number:07d}", _ITEM)


def _step(number: int) -> int:
    return _STEPS[number % len(_STEPS)]


def _later(number: int) -> timedelta:
    return timedelta(seconds=number * _STRIDE % _SECONDS)


@cache
def _typical(step: int) -> dict[str, Any]:
    """The item of an order that polls found at every step up to this one."""
    reports = [
        found
        for each in range(step + 1)
        for found in Offergrid().read_order(
            listed(1, each), connection=OFFERGRID, requested_at=parse_instant(at_step(each))
        )
    ]
    return to_item(order_item(tracked(*reports), connection=OFFERGRID, new=()))


@cache
def _first_due(step: int) -> datetime:
    return parse_instant(_typical(step)["next_date"]["S"])


@cache
def _others(step: int) -> tuple[str, str]:
    """An item's status, and the end of its JSON: the common parts of all orders at this step."""
    own = ("pk", "sk", "order_id", "item_id", "status_shard", "next_date")
    typical = _typical(step)
    common = {name: value for name, value in typical.items() if name not in own}
    return typical["status"]["S"], json.dumps(common)[1:]
