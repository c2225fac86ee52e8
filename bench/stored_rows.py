"""Items as rows of the file in which DynamoDB Local stores its tables.

Its API takes 500 items a second on disk; its file is SQLite, and a row of it is an item's JSON with
its keys beside it. Whoever writes rows compares them first with some that came through the API
(``check_rows``). Whoever reads reads through the API.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Final

from bench.sizes import item_bytes
from tests.stack import template

Item = Mapping[str, Any]

_KEYS: Final = ("hashKey", "rangeKey")
_READ_BACKWARDS: Final = frozenset({"NoticesTable", "ActivityTable"})
"""Tables of whose indexes the latest item is read first."""


def append_rows(folder: Path, items: Iterable[tuple[str, Item]]) -> int:
    """Add items, each with the name of its table, to the file of an engine that isn't running.

    :return: how many rows were added
    :raises SystemExit: when the engine's file is not where it is expected
    """
    number = 0
    with open_file(folder) as file:
        # A file that is thrown away needs no journal.
        for setting in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -400000"):
            file.execute(f"PRAGMA {setting}")
        inserts: dict[str, str] = {}
        with file:
            for table, item in items:
                row = row_of(table, item)
                if table not in inserts:
                    places = ", ".join("?" * len(row))
                    inserts[table] = f'INSERT INTO "{table}" ({", ".join(row)}) VALUES ({places})'
                file.execute(inserts[table], tuple(row.values()))
                number += 1
    return number


def check_rows(folder: Path, items: Iterable[tuple[str, Item]]) -> None:
    """Compare the rows of items that the API wrote with those that ``append_rows`` would write.

    :raises SystemExit: when the engine keeps one of these items in another way
    """
    with open_file(folder) as file:
        for table, item in items:
            ours = _comparable(row_of(table, item))
            names = ", ".join(ours)
            keys = (ours["hashKey"], ours["rangeKey"])
            found = file.execute(
                f'SELECT {names} FROM "{table}" WHERE hashKey = ? AND rangeKey = ?', keys
            ).fetchone()
            theirs = found and _comparable(dict(zip(ours, found, strict=True)))
            if theirs != ours:
                raise SystemExit(
                    f"DynamoDB Local keeps an item of {table} in another way than "
                    f"bench/stored_rows.py writes it: {theirs} instead of {ours}"
                )


def open_file(folder: Path) -> closing[sqlite3.Connection]:
    """The engine's file.

    :raises SystemExit: when there is not exactly one
    """
    found = list(folder.glob("*.db"))
    if len(found) != 1:
        raise SystemExit(f"DynamoDB Local left {len(found)} files of tables in {folder}, not one")
    return closing(sqlite3.connect(found[0]))


def row_of(table: str, item: Item) -> dict[str, Any]:
    """An item's columns and their values.

    :param table: the logical id of the table, which is its name
    """
    own, others = _key_names(table)
    row: dict[str, Any] = {
        column: _bytes(item[name]) for column, name in zip(_KEYS, own, strict=True)
    }
    hashed = _hash(table, row)
    row |= {"hashValue": hashed, "rangeValue": hashed, "itemSize": item_bytes(item)}
    row["ObjectJSON"] = json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()
    if others:
        row["hashRangeValue"] = hashed
        row |= {f"indexKey_{at}": _bytes(item.get(name)) for at, name in enumerate(others)}
    return row


def _comparable(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if not name.endswith("Value")}
    return {**shown, "ObjectJSON": json.loads(row["ObjectJSON"])}


@cache
def _key_names(table: str) -> tuple[list[str], list[str]]:
    """The attributes of a table's key, and those of its indexes' keys that the table's key doesn't
    have.
    """
    declared = template()[table]["Properties"]
    own = [one["AttributeName"] for one in declared["KeySchema"]]
    return own, list(dict.fromkeys(_index_keys(declared, own)))


def _index_keys(declared: Mapping[str, Any], own: list[str]) -> Iterator[str]:
    for index in declared.get("GlobalSecondaryIndexes", []):
        for one in index["KeySchema"]:
            if one["AttributeName"] not in own:
                yield one["AttributeName"]


def _hash(table: str, keys: Mapping[str, bytes | None]) -> bytes:
    """A suffix that distinguishes equal keys in an index. The engine continues there after its own
    hash of the last item, so the hash of an item itself must not come after it in the order of
    reading."""
    first = b"\xff" if table in _READ_BACKWARDS else b"\0"
    text = b"\0".join(one for one in keys.values() if one)
    return first * 8 + hashlib.blake2b(text, digest_size=12).digest()


def _bytes(value: Mapping[str, str] | None) -> bytes | None:
    return None if value is None else value["S"].encode()
