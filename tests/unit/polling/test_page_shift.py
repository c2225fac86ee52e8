"""Orders that move onto a page of a numbered list after it was read."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from milepost.polling.result import PollOutcome
from milepost.polling.state import LookAgain
from milepost.providers.base import Response
from tests.unit.polling.polls import HOUR, World
from tests.unit.providers.four_providers import MODELS, Listed, world_of

MODEL = MODELS["subs"]


class NumberedList:
    """A list of SUBS in pages of three, the oldest change first, that changes while it is read."""

    def __init__(self, names: str) -> None:
        self.world: World = world_of("subs", self.listed, limit=3)
        self.changed = {
            one: self.world.now - timedelta(hours=2, seconds=-place)
            for place, one in enumerate(names)
        }
        self.before_request: dict[int, Callable[[], None]] = {}
        rule = self.world.wire.rule

        def answer(query: dict[str, str]) -> Any:
            self.before_request.pop(len(self.world.wire.asked), lambda: None)()
            return rule(query)

        self.world.wire.rule = answer

    def listed(self) -> list[Listed]:
        orders = [MODEL.order(one, "x", at) for one, at in self.changed.items()]
        return [
            Listed(f"{one['updated_at']} {one['id']}", one["updated_at"], json.dumps(one).encode())
            for one in orders
        ]

    def change(self, names: str) -> None:
        for one in names:
            self.world.now += timedelta(seconds=1)
            self.changed[one] = self.world.now

    def withdraw(self, names: str) -> None:
        for one in names:
            del self.changed[one]

    def recorded(self) -> str:
        return "".join(sorted(key.order_id for key in self.world.orders.kept))

    def pages_asked(self) -> list[int]:
        return [int(query["page"][0]) for query in self.world.wire.queries()]


def test_a_list_that_does_not_change_is_read_with_one_second_look_a_page() -> None:
    numbered = NumberedList("abcdefgh")
    assert numbered.world.poll().outcome is PollOutcome.COMPLETE
    assert numbered.pages_asked() == [1, 2, 1, 3, 2]
    assert numbered.recorded() == "abcdefgh"


def test_a_list_of_one_page_costs_one_request() -> None:
    numbered = NumberedList("abc")
    numbered.world.poll()
    assert numbered.pages_asked() == [1]


@pytest.mark.parametrize("request_number", [2, 3, 4, 5])
@pytest.mark.parametrize("moved", ["a", "ab", "d", "abd"])
@pytest.mark.parametrize("how", ["change", "withdraw"])
def test_what_leaves_its_place_while_the_list_is_read_hides_no_other_order(
    how: str, moved: str, request_number: int
) -> None:
    numbered = NumberedList("abcdefghijk")
    numbered.before_request[request_number] = lambda: getattr(numbered, how)(moved)
    assert numbered.world.poll().outcome is PollOutcome.COMPLETE
    assert set("abcdefghijk") - set(moved) <= set(numbered.recorded())


@pytest.mark.parametrize("how", ["change", "withdraw"])
def test_more_moves_than_a_page_has_orders_leave_nothing_behind(how: str) -> None:
    numbered = NumberedList("abcdefghijkl")
    numbered.before_request[4] = lambda: getattr(numbered, how)("abcde")
    assert numbered.world.poll().outcome is PollOutcome.COMPLETE
    assert numbered.world.poll().outcome is PollOutcome.COMPLETE
    assert set("fghijkl") <= set(numbered.recorded())


def test_moves_while_a_poll_is_paused_hide_no_other_order() -> None:
    numbered = NumberedList("abcdefghijk")
    numbered.world.time_for_pages = 1
    assert numbered.world.poll().outcome is PollOutcome.PAUSED
    numbered.change("ab")
    numbered.world.time_for_pages = 1_000_000
    assert numbered.world.poll().outcome is PollOutcome.COMPLETE
    assert numbered.recorded() == "abcdefghijk"


def test_a_second_look_that_missed_something_is_made_up_for_by_the_next_poll() -> None:
    numbered = NumberedList("abcdefghijkl")
    numbered.world.poll()
    kept = dict(numbered.world.orders.kept)
    numbered.world.orders.kept.clear()
    asked = len(numbered.world.wire.asked)
    numbered.before_request[asked + 4] = lambda: numbered.change("abcde")
    numbered.world.poll(LookAgain(since=numbered.world.now - 9 * HOUR))
    numbered.world.poll()
    assert set(numbered.world.orders.kept) == set(kept)


def test_a_rate_limit_pauses_before_the_second_look() -> None:
    numbered = NumberedList("abcdefgh")
    rule = numbered.world.wire.rule

    def spent(query: dict[str, str]) -> Any:
        answer = rule(query)
        assert isinstance(answer, Response)
        if query["page"] == "2" and len(numbered.world.wire.asked) == 2:
            return replace(answer, headers={"x-ratelimit-remaining": "0"})
        return answer

    numbered.world.wire.rule = spent
    assert numbered.world.poll().outcome is PollOutcome.PAUSED
    assert numbered.recorded() == "abc"
    assert numbered.world.poll().outcome is PollOutcome.COMPLETE
    assert numbered.recorded() == "abcdefgh"
