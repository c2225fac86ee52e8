"""No list is endless: cursors that go round, pages that repeat, and pages that are too large."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.polling import page_json, state
from milepost.polling.result import PollOutcome
from milepost.providers.base import Response
from tests.builders import minute
from tests.unit.polling.polls import World, an_order, answer, offergrid, offergrid_list
from tests.unit.providers.four_providers import MODELS, Listed, world_of


def test_cursors_that_go_round_are_a_failed_poll() -> None:
    world = offergrid([])
    following = {None: "A", "A": "B", "B": "A"}
    world.wire.rule = lambda query: answer(
        {"orders": [], "nextCursor": following[query.get("cursor")]}
    )
    result = world.poll()
    assert (result.outcome, len(world.wire.asked)) == (PollOutcome.FAILED, 3)
    assert result.error == "the provider's next page is one that this poll has read before"


def test_cursors_that_go_round_are_found_across_pauses() -> None:
    world = offergrid([])
    following = {None: "A", "A": "B", "B": "C", "C": "A"}
    turn = iter(range(100))
    world.wire.rule = lambda query: answer(
        {"orders": [an_order(next(turn))], "nextCursor": following[query.get("cursor")]}
    )
    world.time_for_pages = 1
    outcomes = [world.poll().outcome for _ in range(8)]
    assert outcomes == ([PollOutcome.PAUSED] * 3 + [PollOutcome.FAILED]) * 2


def endless(world: World, *, per_page: int) -> None:
    """A list whose every page has orders and a cursor that were never there before."""
    numbers = itertools.count()

    def rule(_query: dict[str, str]) -> Response:
        orders = [an_order(next(numbers)) for _ in range(per_page)]
        return answer({"orders": orders, "nextCursor": orders[-1]["orderId"]})

    world.wire.rule = rule


@pytest.mark.parametrize("pages_a_poll", [1, 3, 1_000_000])
def test_a_list_of_ever_new_orders_is_a_failed_poll_that_says_so(
    pages_a_poll: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "MOST_ORDERS_OF_A_POLL", 30)
    world = offergrid([])
    endless(world, per_page=5)
    world.time_for_pages = pages_a_poll
    results = [world.poll() for _ in range(6)]
    failed = [one for one in results if one.outcome is PollOutcome.FAILED]
    assert failed
    assert failed[0].error == (
        "the list goes on after 30 orders, and one poll reads at most 30: "
        "it never ends, or it is too long for one connection"
    )
    assert world.cursor is None
    assert not any(one.outcome is PollOutcome.COMPLETE for one in results)


def test_after_a_list_without_end_the_next_poll_begins_at_the_first_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "MOST_ORDERS_OF_A_POLL", 30)
    world = offergrid([])
    endless(world, per_page=5)
    world.time_for_pages = 2
    while world.poll().outcome is not PollOutcome.FAILED:
        pass
    world.wire.rule = offergrid_list([an_order(7, "scheduled", changed=1)])
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert world.statuses()["ord-7"] is Status.SCHEDULED


def test_a_list_as_long_as_may_be_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_ORDERS_OF_A_POLL", 30)
    world = offergrid([an_order(number) for number in range(35)], limit=5)
    assert world.poll().outcome is PollOutcome.FAILED
    world = offergrid([an_order(number) for number in range(30)], limit=5)
    assert world.poll().outcome is PollOutcome.COMPLETE
    # Unchanged pages count as well: the ceiling is on what is remembered.
    assert world.poll().orders == 30


@pytest.mark.parametrize("name", ["rabot", "subs"])
def test_a_server_that_ignores_where_a_page_starts_is_a_failed_poll(name: str) -> None:
    model = MODELS[name]
    listed = [
        Listed(f"{n:02}", "9", json.dumps(model.order(f"o-{n:02}", "x", minute(0))).encode())
        for n in range(40)
    ]
    world = world_of(name, lambda: listed, limit=20)
    rule = world.wire.rule
    requests = iter(range(1000))

    def ignoring(query: dict[str, str]) -> Any:
        first = rule({**query, "page": "1"} if name == "subs" else {**query, "offset": "0"})
        # A body that differs each time, as by the id of a request.
        return Response(200, {}, first.body.replace(b"{", b'{"request": %d, ' % next(requests), 1))

    world.wire.rule = ignoring
    result = world.poll()
    # In numbered pages, the one before is looked at once more.
    requests_made = {"rabot": 2, "subs": 3}[name]
    assert (result.outcome, len(world.wire.asked)) == (PollOutcome.FAILED, requests_made)
    assert "earlier page" in (result.error or "") or "read before" in (result.error or "")


def test_overlapping_pages_and_empty_pages_still_work() -> None:
    model = MODELS["rabot"]
    listed = [
        Listed(f"{n:02}", "9", json.dumps(model.order(f"o-{n:02}", "x", minute(0))).encode())
        for n in range(40)
    ]
    world = world_of("rabot", lambda: listed, limit=20)
    assert [world.poll().outcome for _ in range(2)] == [PollOutcome.COMPLETE] * 2
    assert len(world.orders.kept) == 40
    empty = offergrid([])
    following = {None: "A", "A": "B", "B": None}
    empty.wire.rule = lambda query: answer(
        {"orders": [], "nextCursor": following[query.get("cursor")]}
    )
    assert [empty.poll().outcome for _ in range(2)] == [PollOutcome.COMPLETE] * 2


def test_a_poll_that_failed_for_its_second_page_may_read_the_first_again() -> None:
    world = offergrid([an_order(number, changed=number) for number in range(4)], limit=2)
    first = world.wire.rule({})
    world.wire.queued = [first, answer({}, 500)]
    assert [world.poll().outcome for _ in range(2)] == [PollOutcome.FAILED, PollOutcome.COMPLETE]


@pytest.mark.parametrize("broken", [b'{"orderId": "x"', b'{"x": [', b'{"orderId": "'])
def test_a_page_that_ends_within_an_order_is_named_with_its_place(broken: bytes) -> None:
    world = offergrid([an_order(n, changed=n) for n in range(5)], limit=2)
    rule = world.wire.rule

    begun = b'{"orders": [' + json.dumps(an_order(2)).encode() + b", "

    def broken_second_page(query: dict[str, str]) -> Any:
        if "cursor" not in query:
            return rule(query)
        return Response(
            200, {}, b'{"orders": [' + json.dumps(an_order(2)).encode() + b", " + broken
        )

    world.wire.rule = broken_second_page
    result = world.poll()
    assert result.outcome is PollOutcome.FAILED
    assert result.error == (
        "page 2 of this poll: not JSON: the page ends within order 2, "
        f"which starts at character {len(begun)}"
    )
    assert world.cursor is None
    world.wire.rule = rule
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert len(world.statuses()) == 5


def test_a_page_of_too_many_orders_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_json, "MOST_ORDERS_ON_A_PAGE", 20)
    world = offergrid([an_order(number) for number in range(21)])
    result = world.poll()
    assert result.error == "more than 20 orders on one page: set a smaller page_size"
    world.connection = replace(world.connection, page_size=20)
    world.wire.rule = lambda _query: answer(
        {"orders": [an_order(number) for number in range(20)], "nextCursor": None}
    )
    assert world.poll().outcome is PollOutcome.COMPLETE


def test_a_page_with_more_changes_than_there_is_time_for_goes_on_within_it() -> None:
    world = offergrid([an_order(number) for number in range(10)])
    world.time_for_orders = 4
    outcomes = [world.poll() for _ in range(3)]
    assert [one.outcome for one in outcomes] == [
        PollOutcome.PAUSED,
        PollOutcome.PAUSED,
        PollOutcome.COMPLETE,
    ]
    assert [one.recorded for one in outcomes] == [4, 4, 2]
    assert len(world.orders.written) == 10
    assert world.cursor == minute(0)
