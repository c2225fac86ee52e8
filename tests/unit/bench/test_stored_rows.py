"""Items of a team's orders, and their rows in the file of DynamoDB Local."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.stored_rows import append_rows, check_rows, row_of
from bench.team_orders import CHANGED, NOT_NOTIFIED, TABLES, items_of, name_of, order, phone_of
from milepost.aws.dynamodb_items import from_item

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
ORDERS = range(40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file with empty tables that have the columns of the engine's."""
    with closing(sqlite3.connect(tmp_path / "shared.db", isolation_level=None)) as file:
        columns: dict[str, list[str]] = {}
        for table, item in items_of(ORDERS, now=NOW):
            columns.setdefault(table, list(row_of(table, item)))
        for table, names in columns.items():
            keys = "PRIMARY KEY(hashKey, rangeKey)"
            file.execute(f'CREATE TABLE "{table}" ({", ".join(names)}, {keys})')
    return tmp_path


def test_an_order_is_in_every_table_that_the_questions_read() -> None:
    kept = Counter(table for table, _ in items_of(ORDERS, now=NOW))
    assert set(kept) == set(TABLES)
    assert kept["OrdersTable"] == kept["NoticesTable"] == len(ORDERS)
    assert kept["ActivityTable"] == len(ORDERS) / CHANGED
    skipped = [
        item
        for table, item in items_of(ORDERS, now=NOW)
        if table == "NoticesTable" and item["state"]["S"] == "skipped"
    ]
    assert len(skipped) == len(ORDERS) / NOT_NOTIFIED


def test_an_order_is_indexed_by_what_people_know_of_it() -> None:
    entries = {
        from_item(item)["sk"].partition("#")[0]
        for table, item in items_of(range(7, 8), now=NOW)
        if table == "SearchTable" and item["pk"]["S"].startswith("word#")
    }
    assert (name_of(7), phone_of(7)) == ("Hannes Müller", "+49 30 5000007")
    wanted = {"hannes mueller", "49305000007", "1emh0000000007", "51000000091", "zap000007x"}
    assert {one for one in wanted if not any(each.startswith(one) for each in entries)} == set()


def test_rows_that_were_written_are_those_that_are_expected(folder: Path) -> None:
    written = append_rows(folder, items_of(ORDERS, now=NOW))
    assert written == len(list(items_of(ORDERS, now=NOW)))
    check_rows(folder, items_of(ORDERS, now=NOW))


@pytest.mark.parametrize(
    ("column", "value"), [("itemSize", 1), ("indexKey_0", b"x"), ("ObjectJSON", b'{"pk": {}}')]
)
def test_an_engine_that_keeps_an_item_otherwise_is_not_written_to(
    folder: Path, column: str, value: Any
) -> None:
    append_rows(folder, items_of(ORDERS, now=NOW))
    with closing(sqlite3.connect(folder / "shared.db", isolation_level=None)) as file:
        file.execute(f'UPDATE "OrdersTable" SET {column} = ?', (value,))  # noqa: S608
    with pytest.raises(SystemExit, match="an item of OrdersTable in another way"):
        check_rows(folder, items_of(ORDERS, now=NOW))


def test_an_engine_without_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="left 0 files"):
        append_rows(tmp_path, items_of(range(1), now=NOW))


def test_a_row_has_the_keys_of_its_table_and_of_its_indexes() -> None:
    ((_, item),) = (one for one in items_of(range(1), now=NOW) if one[0] == "OrdersTable")
    row = row_of("OrdersTable", item)
    assert row["hashKey"].decode() == item["pk"]["S"]
    assert row["indexKey_0"].decode() == item["status_shard"]["S"]
    assert row["indexKey_1"].decode() == item["next_date"]["S"]
    assert json.loads(row["ObjectJSON"]) == item


def test_no_two_orders_have_one_number() -> None:
    found = [order(number, now=NOW).order for number in range(200)]
    assert len({one.details["malo"] for one in found}) == len(found)
    assert len({one.details["customer"]["phone"] for one in found}) == len(found)
