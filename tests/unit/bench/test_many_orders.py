"""Orders that are written into the file of DynamoDB Local as the engine writes them."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.lists import describe
from bench.many_orders import RARE, append_rows, check_rows, item_of
from milepost.aws.dynamodb_items import from_item
from milepost.orders.aws.table import tracked_order
from milepost.orders.lifecycle import OPEN

COLUMNS = (
    "hashKey TEXT, rangeKey TEXT, hashValue BLOB NOT NULL, rangeValue BLOB NOT NULL, "
    "itemSize INTEGER, ObjectJSON BLOB NOT NULL, hashRangeValue BLOB NOT NULL, "
    "indexKey_0 TEXT, indexKey_1 TEXT, PRIMARY KEY(hashKey, rangeKey)"
)
COUNT = 20


def fields(number: int, **changed: Any) -> tuple[Any, ...]:
    """A row as DynamoDB Local keeps it of an item."""
    item = {**item_of(number), **changed}
    pk, sk, shard, due = (item[n]["S"] for n in ("pk", "sk", "status_shard", "next_date"))
    content = json.dumps(dict(reversed(item.items())))
    size = 900 + 100 * sorted(OPEN).index(item["status"]["S"])
    hashes = (b"of pk", b"of sk", b"of both")
    return (*(one.encode() for one in (pk, sk)), *hashes[:2], size, content.encode(), hashes[2],
            shard.encode(), due.encode())  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "shared.db", isolation_level=None)) as connection:
        connection.execute(f'CREATE TABLE "orders" ({COLUMNS})')
        yield connection


def put(file: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    file.execute('INSERT INTO "orders" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', row)


def test_rows_go_on_where_the_engine_ended_and_hold_the_items_of_their_orders(
    file: sqlite3.Connection, tmp_path: Path
) -> None:
    for number in range(COUNT):
        put(file, fields(number))
    check_rows(tmp_path, table="orders", count=COUNT)
    append_rows(tmp_path, table="orders", first=COUNT, last=2 * COUNT)
    rows = file.execute('SELECT ObjectJSON, hashKey, itemSize FROM "orders" ORDER BY hashKey')
    kept = [(json.loads(content), pk.decode(), size) for content, pk, size in rows]
    assert [item for item, *_ in kept] == [item_of(number) for number in range(2 * COUNT)]
    assert [pk for _, pk, _ in kept] == [item_of(n)["pk"]["S"] for n in range(2 * COUNT)]
    assert [size for *_, size in kept[COUNT:]] == [size for *_, size in kept[:COUNT]]


@pytest.mark.parametrize(
    ("name", "value"), [("reference", {"S": "another"}), ("next_date", {"S": "2026-01-01"})]
)
def test_an_engine_that_keeps_an_order_otherwise_is_not_written_to(
    file: sqlite3.Connection, tmp_path: Path, name: str, value: dict[str, str]
) -> None:
    for number in range(COUNT - 1):
        put(file, fields(number))
    put(file, fields(COUNT - 1, **{name: value}))
    with pytest.raises(SystemExit, match="keeps 1 of 20 orders"):
        check_rows(tmp_path, table="orders", count=COUNT)


def test_an_engine_that_left_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="left 0 files"):
        check_rows(tmp_path, table="orders", count=COUNT)


def test_every_order_of_the_many_is_open_and_one_in_ten_is_of_the_rare_status() -> None:
    orders = [tracked_order(from_item(item_of(number))).order for number in range(100)]
    statuses = Counter(one.status for one in orders)
    assert set(statuses) <= OPEN
    assert statuses[RARE] == min(statuses.values()) == 10
    assert len({one.key for one in orders}) == 100


def test_no_two_orders_of_a_status_are_due_in_the_same_second() -> None:
    due = Counter(
        (item["status"]["S"], item["next_date"]["S"]) for item in map(item_of, range(5_000))
    )
    assert set(due.values()) == {1}


def test_a_page_is_compared_with_one_of_the_smallest_table() -> None:
    largest, grown = describe("open orders", {1_000: 20.0, 10_000: 21.5, 1_000_000: 23.0})
    assert largest.measured == 23.0
    assert largest.note == "20 among 1,000, 21.5 among 10,000, 23 among 1,000,000"
    assert grown.what == "a page of open orders, among 1,000,000, compared with 1,000"
    assert grown.measured == pytest.approx(1.15)
    assert grown.verdict == "missed by 5%"
