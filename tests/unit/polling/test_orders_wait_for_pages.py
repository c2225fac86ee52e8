"""Orders of several pages that are recorded together: none is lost, no page is counted twice."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.common.side_by_side import Threads
from milepost.polling import poll
from milepost.polling.result import PollOutcome
from milepost.polling.sinks import StoreUnavailable
from milepost.polling.waiting_orders import MOST_REPORTS
from milepost.providers.http import FetchFailed
from tests.unit.polling.polls import Answer, World, an_order, answer, offergrid

THREADS = Threads(4)


def recorded_by_request(world: World) -> list[int]:
    """Gets, at each request of a page, how many orders were recorded before it."""
    found: list[int] = []
    pages = world.wire.rule

    def count(query: dict[str, str]) -> Answer:
        found.append(len(world.orders.written))
        return pages(query)

    world.wire.rule = count
    return found


def changed_one_on_each_page(pages: int, **more: Any) -> World:
    """An offergrid with pages of three orders, that was polled before one on each page changed.

    They are sorted by their ids, so that each stays on its page.
    """
    orders = [an_order(number) for number in range(100, 100 + 3 * pages)]
    world = offergrid([], **more)

    def page(query: dict[str, str]) -> Answer:
        start = int(query.get("cursor", 0))
        following = str(start + 3) if start + 3 < len(orders) else None
        return answer({"orders": orders[start : start + 3], "nextCursor": following})

    world.wire.rule = page
    assert world.poll().recorded == len(orders)
    for place in range(1, len(orders), 3):
        orders[place] = an_order(100 + place, "scheduled", changed=1)
    return world


def test_few_changes_of_many_pages_are_read_and_recorded_together() -> None:
    world = changed_one_on_each_page(40)
    sizes: list[int] = []
    world.expect = lambda keys: sizes.append(len(keys))
    result = world.poll()
    assert (result.recorded, result.pages, result.orders) == (40, 40, 120)
    assert sizes == [MOST_REPORTS, 40 - MOST_REPORTS]
    assert world.poll().changed == 0


def test_after_a_second_no_order_waits_for_another_page() -> None:
    world = changed_one_on_each_page(8)
    found = recorded_by_request(world)
    pages = world.wire.rule

    def slowly(query: dict[str, str]) -> Answer:
        world.now += timedelta(seconds=0.4)
        return pages(query)

    world.wire.rule = slowly
    before = len(world.orders.written)
    assert world.poll().recorded == 8
    assert [count - before for count in found] == [0, 0, 0, 3, 3, 3, 6, 6]


def test_a_page_that_cannot_be_fetched_holds_back_no_order_of_those_before_it() -> None:
    world = changed_one_on_each_page(5)
    pages = world.wire.rule
    world.wire.rule = lambda query: (
        FetchFailed("no answer") if query.get("cursor") == "9" else pages(query)
    )
    before = len(world.orders.written)
    assert world.poll().outcome is PollOutcome.FAILED
    assert len(world.orders.written) - before == 3
    world.wire.rule = pages
    assert world.poll().recorded == 2


def test_a_failure_is_told_as_it_was_although_orders_that_wait_cannot_be_recorded_either() -> None:
    world = changed_one_on_each_page(5)
    pages = world.wire.rule
    world.wire.rule = lambda query: (
        answer({}, 503, retry_after="600") if query.get("cursor") == "9" else pages(query)
    )

    def refuse() -> None:
        raise StoreUnavailable("DynamoDB: ThrottlingException")

    world.before_record = refuse
    assert world.poll().error == "the provider answered 503 and asks us to wait"
    assert world.poll().outcome is PollOutcome.WAITING


def test_a_list_is_continued_at_the_first_page_with_an_order_for_which_there_was_no_time() -> None:
    world = changed_one_on_each_page(10)
    world.time_for_orders = 4
    first = world.poll()
    assert (first.outcome, first.changed, first.pages, first.orders) == (
        PollOutcome.PAUSED,
        4,
        4,
        12,
    )
    world.wire.asked.clear()
    second = world.poll()
    assert (second.outcome, second.changed, second.pages) == (PollOutcome.PAUSED, 4, 4)
    assert world.wire.queries()[0]["cursor"] == ["12"]
    world.time_for_orders = 1_000_000
    last = world.poll()
    assert (last.outcome, last.changed, last.pages) == (PollOutcome.COMPLETE, 2, 2)
    assert {kept.version for kept in world.orders.kept.values()} == {1, 2}
    assert world.poll().changed == 0


def test_an_order_that_was_changed_and_is_changed_back_is_recorded_though_a_page_had_both() -> None:
    world = offergrid([])
    listed = [an_order(1), an_order(2)]
    world.wire.rule = lambda _query: answer({"orders": listed, "nextCursor": None})
    world.poll()
    listed[:] = [an_order(1), an_order(2), an_order(1, "scheduled", changed=5)]
    world.poll()
    # Without a new time of change, as some providers do it.
    listed[:] = [an_order(1), an_order(2, "scheduled", changed=6)]
    assert world.poll().changed == 2


def test_an_earlier_version_on_a_page_that_is_unchanged_is_read_after_one_that_waits() -> None:
    """The order may have been changed back before the later page was read."""
    world = offergrid([])
    pages = [[an_order(2)], [an_order(1), an_order(3)]]
    world.wire.rule = lambda query: answer(
        {
            "orders": pages[int(query.get("cursor", 0))],
            "nextCursor": None if query.get("cursor") else "1",
        }
    )
    world.poll()
    pages[0].append(an_order(1, "scheduled", changed=5))
    assert world.poll().changed == 2
    assert world.poll().recorded == 0


STATUSES = ("pending", "accepted", "scheduled", "completed", "", "on_hold")
ORDER = st.tuples(st.integers(0, 6), st.integers(-90, -30))
PAGE = st.lists(ORDER, max_size=5)
PAGE_OF_DIFFERENT = st.lists(ORDER, max_size=5, unique_by=lambda one: one[0])


Lists = list[list[list[tuple[int, int]]]]


def lists_of(page: Any) -> Any:
    return st.lists(st.lists(page, min_size=1, max_size=6), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(lists=lists_of(PAGE))
def test_any_pages_end_as_if_no_order_waited_for_another_page(lists: Lists) -> None:
    """Also with several versions of an order, on one page or on several."""
    check(lists, limit=1_000_000)


@pytest.mark.thorough
@settings(max_examples=300, deadline=None)
@given(lists=lists_of(PAGE_OF_DIFFERENT), limit=st.integers(1, 12))
def test_any_pages_end_alike_however_little_time_each_poll_has(lists: Lists, limit: int) -> None:
    check(lists, limit=limit)


def check(lists: Lists, *, limit: int) -> None:
    alone, together = offergrid([]), offergrid([])
    together.side_by_side = THREADS
    together.time_for_orders = limit
    for number, pages in enumerate(lists):
        bodies = [
            json.dumps(
                {
                    "orders": [at_a_time(*one) for one in orders],
                    # A list that repeats a page never ends.
                    "list": f"{number} {place}",
                    "nextCursor": str(place + 1) if place + 1 < len(pages) else None,
                }
            ).encode()
            for place, orders in enumerate(_without_repeated(pages))
        ]
        for world in (alone, together):
            world.wire.rule = lambda query, of=bodies: answer(of[int(query.get("cursor", 0))])  # type: ignore[misc]
        alone.now = together.now
        with patch.object(poll, "_WAIT_FOR_MORE", timedelta(0)):
            assert alone.poll().outcome is PollOutcome.COMPLETE
        for _ in range(100):
            if together.poll().outcome is PollOutcome.COMPLETE:
                break
        assert not together.is_paused
        assert statuses(together) == statuses(alone)
        assert together.cursor == alone.cursor
        assert sorted(together.quarantined) == sorted(alone.quarantined)


def at_a_time(number: int, changed: int) -> Any:
    """An order as it was at a time: two that are the same then have the same status."""
    return an_order(number, STATUSES[(number + changed) % len(STATUSES)], changed)


def statuses(world: World) -> dict[str, Any]:
    """Of each order what was reported of it, whenever that was."""
    return {
        key.order_id: [
            (entry.report.status, entry.report.occurred_at) for entry in kept.order.timeline
        ]
        for key, kept in world.orders.kept.items()
    }


def _without_repeated(pages: list[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """The pages, without those that have the same orders as an earlier one."""
    found: list[list[tuple[int, int]]] = []
    for page in pages:
        found.append([] if page in found else page)
    return found
