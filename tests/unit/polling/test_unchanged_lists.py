"""A poll's list that has not changed is answered by 304, and only where that is safe."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from milepost.polling.result import PollOutcome
from milepost.polling.state import LookAgain
from milepost.providers.base import Response
from tests.builders import OFFERGRID, minute
from tests.unit.polling.polls import World, an_order, answer, offergrid


def with_etag(world: World) -> Callable[[], list[str | None]]:
    """Let the provider answer 304 to its present ETag; what was sent as if-none-match."""
    request, sent = world.wire.request, []

    def conditional(method: str, url: str, *, headers: Mapping[str, str], body: Any = None) -> Any:
        response = request(method, url, headers=headers, body=body)
        etag = f'"{hash(response.body)}"'
        sent.append(headers.get("if-none-match"))
        if headers.get("if-none-match") == etag:
            return Response(304, {"etag": etag}, b"")
        return replace(response, headers={**response.headers, "etag": etag})

    world.wire.request = conditional  # type: ignore[method-assign]
    return lambda: sent


def test_a_list_that_has_not_changed_costs_one_304() -> None:
    orders = [an_order(1)]
    world = offergrid(orders)
    sent = with_etag(world)
    # The second poll is the first that asks from the cursor on.
    outcomes = [world.poll().outcome for _ in range(4)]
    assert outcomes == [
        PollOutcome.COMPLETE,
        PollOutcome.COMPLETE,
        PollOutcome.UNCHANGED,
        PollOutcome.UNCHANGED,
    ]
    assert sent()[:2] == [None, None]
    assert None not in sent()[2:]
    orders[0] = an_order(1, "completed", changed=30)
    assert world.poll().recorded == 1


def test_a_304_is_not_asked_for_while_an_order_has_to_be_looked_at_again() -> None:
    world = offergrid([an_order(1)])
    sent = with_etag(world)
    for _ in range(3):
        world.poll()
    world.touched.mark(OFFERGRID.id, ["ord-1"], at=world.now)
    result = world.poll()
    assert (result.outcome, result.changed) == (PollOutcome.COMPLETE, 1)
    assert sent()[-1] is None


def test_the_etag_of_a_first_page_says_nothing_of_the_second() -> None:
    orders = [an_order(number) for number in range(4)]
    world = offergrid(orders, limit=2)
    sent = with_etag(world)
    for _ in range(3):
        assert world.poll().outcome is PollOutcome.COMPLETE
    assert set(sent()) == {None}


def test_a_resumed_poll_leaves_no_etag_of_a_later_page() -> None:
    world = offergrid([an_order(number) for number in range(4)], limit=2)
    with_etag(world)
    world.time_for_pages = 1
    world.poll()
    world.poll()
    assert world.polls.states[OFFERGRID.id].validator is None


@pytest.mark.parametrize("since", [-600, 600])
def test_a_second_look_asks_for_no_304(since: float) -> None:
    """Also when it begins where the next poll would begin anyway."""
    world = offergrid([an_order(1)])
    sent = with_etag(world)
    for _ in range(3):
        world.poll()
    assert world.poll(LookAgain(since=minute(since))).outcome is PollOutcome.COMPLETE
    assert sent()[-1] is None


def test_a_request_for_news_is_done_by_a_304() -> None:
    world = offergrid([an_order(1)])
    with_etag(world)
    for _ in range(3):
        world.poll()
    world.request()
    assert world.poll().outcome is PollOutcome.UNCHANGED
    assert world.requests == []


def test_an_etag_of_another_address_is_not_sent() -> None:
    world = offergrid([an_order(1)])
    sent = with_etag(world)
    for _ in range(3):
        world.poll()
    world.connection = replace(world.connection, base_url="https://moved.offergrid.example")
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert sent()[-1] is None


def test_a_304_that_was_not_asked_for_is_a_failed_poll() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer(b"", 304)]
    assert world.poll().outcome is PollOutcome.FAILED


def test_an_etag_that_is_no_header_is_not_sent_back() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [replace(world.wire.rule({}), headers={"etag": '"a\x7fb\xff"'})]  # type: ignore[type-var]
    world.poll()
    assert world.polls.states[OFFERGRID.id].validator is None
