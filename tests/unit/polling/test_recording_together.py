"""Orders of a page that are recorded together: the end is as if each had been recorded alone."""

import json
from collections.abc import Sequence
from threading import Barrier, Lock
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.common.side_by_side import Threads
from milepost.orders.order import OrderKey
from milepost.orders.recording import UnstorableOrder
from milepost.polling.result import PollOutcome
from milepost.polling.sinks import StoreUnavailable
from milepost.polling.waiting_orders import MOST_BYTES, MOST_REPORTS
from milepost.providers.base import Response
from tests.builders import minute, offergrid_item
from tests.unit.polling.polls import World, an_order, answer, offergrid

THREADS = Threads(4)
PATIENCE = 30


def threaded(orders: Sequence[Any], **settings: Any) -> World:
    world = offergrid(list(orders), **settings)
    world.side_by_side = THREADS
    return world


class Reads:
    """What was read ahead, call by call."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[list[OrderKey]] = []
        self._error = error

    def __call__(self, keys: Sequence[OrderKey]) -> None:
        self.calls.append(list(keys))
        if self._error:
            raise self._error


def test_several_orders_of_a_page_are_recorded_at_the_same_time() -> None:
    world = threaded(an_order(number) for number in range(4))
    # None of them is recorded before all four are about to be.
    together = Barrier(4, timeout=PATIENCE)

    def wait() -> None:
        together.wait()

    world.before_record = wait
    result = world.poll()
    assert (result.outcome, result.recorded) == (PollOutcome.COMPLETE, 4)


def test_orders_are_read_ahead_some_at_a_time_before_they_are_recorded() -> None:
    world = offergrid([an_order(number) for number in range(60)])
    reads = Reads()
    recorded_before: list[int] = []

    def expect(keys: Sequence[OrderKey]) -> None:
        recorded_before.append(len(world.orders.kept))
        reads(keys)

    world.expect = expect
    assert world.poll().recorded == 60
    assert [len(keys) for keys in reads.calls] == [25, 25, 10]
    assert recorded_before == [0, 25, 50]
    assert [one for keys in reads.calls for one in keys] == list(world.orders.kept)


def test_what_is_unchanged_is_not_read() -> None:
    orders = [an_order(number) for number in range(3)]
    world = offergrid(orders)
    world.poll()
    reads = world.expect = Reads()
    orders[1] = an_order(1, "scheduled", changed=7)
    assert world.poll().recorded == 1
    assert [[one.order_id for one in keys] for keys in reads.calls] == [["ord-1"]]


def test_an_order_of_more_items_than_are_read_together_waits_for_no_other() -> None:
    at = "2026-03-01T09:00:00Z"
    items = [offergrid_item(itemId=f"i-{n}", updatedAt=at) for n in range(MOST_REPORTS + 1)]
    world = offergrid([an_order(0), {**an_order(1), "items": items}, an_order(2)])
    reads = world.expect = Reads()
    assert world.poll().recorded == MOST_REPORTS + 3
    assert [len(keys) for keys in reads.calls] == [1, MOST_REPORTS + 1, 1]


def test_few_large_orders_are_recorded_together_since_they_take_memory() -> None:
    large = {"notes": "x" * (MOST_BYTES * 2 // 5)}
    world = offergrid([{**an_order(number), **large} for number in range(5)])
    reads = world.expect = Reads()
    assert world.poll().recorded == 5
    assert [len(keys) for keys in reads.calls] == [2, 2, 1]


@pytest.mark.parametrize("error", [ValueError("a key that is not allowed"), KeyError("Responses")])
def test_orders_that_cannot_be_read_ahead_are_recorded_anyway(error: Exception) -> None:
    world = threaded(an_order(number) for number in range(3))
    world.expect = Reads(error)
    result = world.poll()
    assert (result.outcome, result.recorded) == (PollOutcome.COMPLETE, 3)
    assert not world.quarantined


def test_a_store_that_cannot_be_read_fails_the_poll_and_keeps_every_order_for_the_next() -> None:
    world = threaded(an_order(number) for number in range(3))
    world.expect = Reads(StoreUnavailable("DynamoDB: ThrottlingException"))
    result = world.poll()
    assert (result.outcome, result.error) == (PollOutcome.FAILED, "DynamoDB: ThrottlingException")
    assert not world.orders.kept
    world.expect = Reads()
    assert world.poll().recorded == 3


def test_an_order_that_cannot_be_stored_stops_none_of_those_beside_it() -> None:
    world = threaded(an_order(number) for number in range(20))
    write = world.orders.write

    def refuse_some(tracked: Any, **more: Any) -> None:
        if tracked.order.key.order_id in ("ord-3", "ord-11"):
            raise UnstorableOrder("it is too large")
        write(tracked, **more)

    world.orders.write = refuse_some  # type: ignore[method-assign]
    result = world.poll()
    assert (result.outcome, result.recorded, result.quarantined) == (PollOutcome.COMPLETE, 18, 2)
    assert sorted(why for _, why in world.quarantined) == ["it is too large"] * 2
    assert {json.loads(raw)["orderId"] for raw, _ in world.quarantined} == {"ord-3", "ord-11"}


def test_an_outage_in_the_middle_loses_nothing_and_announces_nothing_twice() -> None:
    world = threaded(an_order(number) for number in range(40))
    lock, left = Lock(), [17]

    def stop() -> None:
        with lock:
            left[0] -= 1
            if left[0] < 0:
                raise OSError

    world.stop = stop
    failed = world.poll()
    assert (failed.outcome, failed.error) == (PollOutcome.FAILED, "the database is down")
    assert world.cursor is None
    # Those that were being written when it went down were written; no others were started.
    assert 17 <= len(world.orders.kept) <= 17 + 4
    world.stop = lambda: None
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert len(world.orders.kept) == 40
    assert {one.version for one in world.orders.kept.values()} == {1}
    assert len(world.orders.announced) == 40


def test_no_order_is_started_after_the_time_is_up_and_the_next_poll_records_the_rest() -> None:
    world = threaded(an_order(number) for number in range(40))
    world.time_for_orders = 7
    polls = [world.poll()]
    while polls[-1].outcome is PollOutcome.PAUSED:
        polls.append(world.poll())
    assert [one.changed for one in polls] == [7, 7, 7, 7, 7, 5]
    assert [one.recorded for one in polls] == [7, 7, 7, 7, 7, 5]
    assert {one.version for one in world.orders.kept.values()} == {1}


STATUSES = st.sampled_from(["pending", "accepted", "scheduled", "completed", "", "on_hold"])
LISTS = st.lists(st.tuples(st.integers(0, 4), STATUSES, st.integers(0, 30)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(lists=st.lists(LISTS, min_size=1, max_size=3), limit=st.integers(1, 1_000))
def test_any_page_ends_as_if_its_orders_were_recorded_one_by_one(
    lists: list[list[tuple[int, str, int]]], limit: int
) -> None:
    """Also with several versions of an order on one page, and unreadable ones among them."""
    alone, together = offergrid([]), threaded([])
    for orders in lists:
        page = [an_order(number, status, changed) for number, status, changed in orders]
        body = json.dumps({"orders": page, "nextCursor": None}).encode()
        for world in (alone, together):
            world.wire.rule = lambda _query, body=body: Response(200, {}, body)  # type: ignore[misc]
            world.time_for_orders = limit
        expected = alone.poll()
        assert together.poll() == expected
        assert together.orders.kept == alone.orders.kept
        assert together.cursor == alone.cursor
        assert sorted(together.quarantined) == sorted(alone.quarantined)


def test_versions_of_one_order_on_a_page_are_recorded_in_the_order_of_the_page() -> None:
    page = [an_order(1, status, n) for n, status in enumerate(("pending", "accepted", "scheduled"))]
    world = threaded([])
    world.wire.rule = lambda _query: answer({"orders": page, "nextCursor": None})
    assert world.poll().recorded == 3
    (kept,) = world.orders.kept.values()
    assert kept.version == 3
    assert [entry.report.occurred_at for entry in kept.order.timeline] == [
        minute(0),
        minute(1),
        minute(2),
    ]
