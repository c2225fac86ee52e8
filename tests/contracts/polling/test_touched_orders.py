"""Marks of orders that others than polls recorded: one suite for every engine, and for the fake."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest

from milepost.aws.dynamodb_items import from_item
from milepost.orders.order import OrderKey
from milepost.polling.aws.touched_orders import KEPT_FOR, BatchMarks, TouchedTable
from milepost.polling.page_cache import key_of
from milepost.polling.touched_orders import TRUSTED_FOR
from tests.builders import OFFERGRID, minute
from tests.fakes.polling import MemoryTouched

TABLE = "TouchedTable"
NAME = OFFERGRID.id


@pytest.fixture
def touched(place: Any) -> Any:
    if place.is_memory:
        return MemoryTouched()
    return TouchedTable(place.client, table_name=place.table)


def test_marks_are_read_from_a_time_on_and_of_one_connection(touched: Any) -> None:
    touched.mark(NAME, ["before"], at=minute(0))
    touched.mark(NAME, ["a", "b", "a"], at=minute(2))
    touched.mark(NAME, ["c"], at=minute(3))
    touched.mark(f"{NAME}2", ["other"], at=minute(3))
    assert touched.since(NAME, minute(1)) == {key_of(one) for one in "abc"}
    assert touched.since(NAME, minute(4)) == set()


def test_reading_a_mark_does_not_remove_it(touched: Any) -> None:
    touched.mark(NAME, ["a"], at=minute(2))
    assert touched.since(NAME, minute(1)) == touched.since(NAME, minute(1)) == {key_of("a")}


def test_two_marks_of_one_instant_are_both_kept(touched: Any) -> None:
    touched.mark(NAME, ["a"], at=minute(2))
    touched.mark(NAME, ["b"], at=minute(2))
    assert touched.since(NAME, minute(1)) == {key_of("a"), key_of("b")}


def test_a_mark_of_all_orders_says_so(touched: Any) -> None:
    touched.mark(NAME, ["a"], at=minute(2))
    touched.mark_all(NAME, at=minute(2))
    assert touched.since(NAME, minute(1)) is None
    assert touched.since(NAME, minute(3)) == set()


def test_many_orders_are_marked_at_once(touched: Any) -> None:
    names = [f"order {number}" for number in range(2_500)]
    touched.mark(NAME, names, at=minute(2))
    assert touched.since(NAME, minute(1)) == {key_of(one) for one in names}


def test_ids_in_any_script_and_halves_of_characters_can_be_marked(touched: Any) -> None:
    touched.mark(NAME, ["заказ", "\ud800", ""], at=minute(2))
    assert len(touched.since(NAME, minute(1))) == 3


def test_marks_outlive_the_memory_that_is_compared_with_them(dynamodb: Any, table: str) -> None:
    TouchedTable(dynamodb, table_name=table).mark(NAME, ["a"], at=minute(0))
    (item,) = dynamodb.scan(TableName=table)["Items"]
    assert int(from_item(item)["expires_at"]) == (minute(0) + KEPT_FOR).timestamp()
    assert KEPT_FOR > TRUSTED_FOR


def test_a_batch_marks_its_orders_with_one_write_and_only_when_one_is_written() -> None:
    touched = MemoryTouched()
    marks = BatchMarks(touched, clock=lambda: minute(0))
    polled = replace(OFFERGRID, poll_minutes=15)
    marks.expect([OrderKey(NAME, one, "i") for one in ("a", "b", "a")])
    assert touched.marks == []
    for _ in range(3):
        marks.mark(polled, is_replay=False)
    assert sorted(key for _, key, _ in touched.marks if key) == sorted(map(key_of, "ab"))


class SlowMarks(MemoryTouched):
    """Others may go on while it writes."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.may_end = Event(), Event()

    def mark(self, connection_id: str, order_ids: Iterable[str], *, at: datetime) -> None:
        self.has_begun.set()
        self.may_end.wait(30)
        super().mark(connection_id, order_ids, at=at)


def test_of_two_threads_neither_writes_an_order_before_the_mark_is_written() -> None:
    touched, found = SlowMarks(), []
    marks = BatchMarks(touched, clock=lambda: minute(0))
    marks.expect([OrderKey(NAME, one, "i") for one in "ab"])

    def mark_and_write() -> None:
        marks.mark(replace(OFFERGRID, poll_minutes=15), is_replay=False)
        found.append(len(touched.marks))

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(mark_and_write)
        touched.has_begun.wait(30)
        second = threads.submit(mark_and_write)
        assert not wait([first, second], timeout=0.05).done
        touched.may_end.set()
    assert found == [2, 2], "both keys, written once"


def test_a_connection_that_is_not_polled_is_marked_whole_at_most_once_a_minute() -> None:
    touched, now = MemoryTouched(), [minute(0)]
    marks = BatchMarks(touched, clock=lambda: now[0])
    for seconds in range(0, 150, 10):
        now[0] = minute(0) + timedelta(seconds=seconds)
        marks.expect([OrderKey(NAME, "a", "i")])
        marks.mark(OFFERGRID, is_replay=False)
    assert [at for _, key, at in touched.marks if key is None] == [minute(0), minute(1), minute(2)]
    marks.expect([OrderKey(NAME, "a", "i")])
    marks.mark(OFFERGRID, is_replay=True)
    assert touched.marks[-1][1] == key_of("a")
