"""Lists that go round with ever new cursors and contents end by their orders' ids."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from milepost.polling.result import PollOutcome
from milepost.polling.state import FEWEST_REPEATED_PAGES
from milepost.providers.base import Response
from tests.unit.polling.polls import World, an_order, answer, offergrid


def list_of(pages: Sequence[Sequence[int]], *, goes_round: bool) -> World:
    """A list of these orders, each time with another content, and a new cursor on each page.

    :param goes_round: after its last page it begins again, and so on for ever
    """
    world, requests = offergrid([]), itertools.count()

    def rule(query: dict[str, str]) -> Response:
        place, now = int(query.get("cursor", 0)), next(requests)
        orders: list[dict[str, Any]] = [
            {**an_order(number), "seenBySystem": now} for number in pages[place % len(pages)]
        ]
        is_last = not goes_round and place + 1 == len(pages)
        return answer({"orders": orders, "nextCursor": None if is_last else str(place + 1)})

    world.wire.rule = rule
    return world


@pytest.mark.parametrize("pages_a_poll", [3, 1_000_000])
@pytest.mark.parametrize("pages", [[[1]], [[1, 2], [3, 4], [5]], [[n] for n in range(15)]])
def test_a_list_that_repeats_its_orders_for_ever_is_a_failed_poll_that_says_so(
    pages: list[list[int]], pages_a_poll: int
) -> None:
    world = list_of(pages, goes_round=True)
    world.time_for_pages = pages_a_poll
    results = [world.poll()]
    while results[-1].outcome is PollOutcome.PAUSED:
        results.append(world.poll())
    assert results[-1].outcome is PollOutcome.FAILED
    repeated = max(FEWEST_REPEATED_PAGES, 2 * len(pages))
    assert results[-1].error == (
        f"{repeated} of {repeated + len(pages)} pages had only orders that earlier pages of this "
        "poll had as well, with other contents, and each says that there are more"
    )
    assert not world.is_paused, "the next poll begins at the first page"
    # Every order is recorded all the same.
    assert len(world.orders.kept) == len({one for page in pages for one in page})


def test_a_few_new_orders_in_every_round_do_not_hide_that_the_list_goes_round() -> None:
    world = list_of([[1], [2], [3]], goes_round=True)
    rule, asked = world.wire.rule, itertools.count()

    def with_new_orders(query: dict[str, str]) -> Response:
        number = next(asked)
        if number % 7 == 6:
            return answer(
                {"orders": [an_order(100 + number)], "nextCursor": query.get("cursor", "0") + "0"}
            )
        return rule(query)

    world.wire.rule = with_new_orders
    result = world.poll()
    assert result.outcome is PollOutcome.FAILED
    assert "had only orders that earlier pages of this poll had as well" in (result.error or "")
    assert result.pages < 60


def test_pages_that_overlap_by_all_but_one_order_are_no_endless_list() -> None:
    pages = [range(first, first + 5) for first in range(60)]
    world = list_of(pages, goes_round=False)
    assert (world.poll().outcome, len(world.orders.kept)) == (PollOutcome.COMPLETE, 64)


def test_orders_that_all_changed_while_they_were_read_may_come_again() -> None:
    pages = [[n] for n in range(30)]
    world = list_of([*pages, *pages], goes_round=False)
    assert (world.poll().outcome, len(world.orders.kept)) == (PollOutcome.COMPLETE, 30)


def test_a_short_list_may_have_some_pages_of_orders_that_changed_again() -> None:
    world = list_of([[1, 2]] * FEWEST_REPEATED_PAGES, goes_round=False)
    assert world.poll().outcome is PollOutcome.COMPLETE


def test_pages_of_orders_that_cannot_be_read_are_not_taken_for_repeated_ones() -> None:
    world = offergrid([])

    def rule(query: dict[str, str]) -> Response:
        place = int(query.get("cursor", 0))
        following = str(place + 1) if place < 2 * FEWEST_REPEATED_PAGES else None
        return answer({"orders": [{"orderId": None, "n": place}], "nextCursor": following})

    world.wire.rule = rule
    assert world.poll().outcome is PollOutcome.COMPLETE
