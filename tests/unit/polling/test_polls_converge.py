"""Whatever records orders between polls: after a complete poll each is as the provider has it."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.orders.recording import record
from milepost.orders.report import Report
from milepost.polling.result import PollOutcome
from milepost.polling.state import LookAgain
from milepost.polling.touched_orders import MarkedOrders
from milepost.providers.http import FetchFailed
from tests.unit.polling.polls import HOUR, World, answer
from tests.unit.providers.four_providers import MODELS, Listed, world_of

ORDERS = ("a", "b", "c", "d", "e")
ONE = st.sampled_from(ORDERS)
STEPS = st.one_of(
    st.tuples(st.just("change"), ONE, st.sampled_from(["x", "y"])),
    st.tuples(st.just("change_and_poll_halfway"), ONE, st.sampled_from(["x", "y"])),
    st.tuples(st.just("webhook"), ONE),
    st.tuples(st.just("late_webhook"), ONE),
    st.tuples(st.just("refresh"), ONE),
    st.tuples(st.just("replay"), ONE),
    st.tuples(st.just("poll")),
    st.tuples(st.just("poll_with_refresh_meanwhile"), ONE),
    st.tuples(
        st.just("poll_while_it_changes"), ONE, st.sampled_from(["x", "y"]), st.integers(1, 4)
    ),
    st.tuples(st.just("poll_again")),
    st.tuples(st.just("fail"), st.integers(0, 2)),
    st.tuples(st.just("pause"), st.integers(1, 2)),
    st.tuples(st.just("pause_within_page"), st.integers(1, 2)),
    st.tuples(st.just("gone")),
    st.tuples(st.just("kill"), st.integers(0, 2)),
    st.tuples(st.just("outage"), st.integers(0, 2)),
)


class Killed(BaseException):
    """The process is gone, without any code of ours being run."""


@dataclass
class Life:
    """A provider whose orders change, and everything that records them."""

    name: str
    by_change: bool = False
    """Whether numbered pages are sorted by time of change, and not by creation as documented."""
    words: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    """Of each order, its words and when they changed."""
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.model = MODELS[self.name]
        self.world = world_of(self.name, self.listed, limit=2 if self.name != "rabot" else 3)
        # Longer ago than polls look back before their cursor.
        self.words = {one: [("x", self.world.now - HOUR)] for one in ORDERS}

    def listed(self) -> list[Listed]:
        """Sorted as docs/providers says: by time of change where cursors name a place, else by
        creation."""
        is_by_change = self.by_change or self.name in ("offergrid", "spirii")
        listed = []
        for one, said in self.words.items():
            order = self.model.order(one, *said[-1])
            changed = self.model.changed(order)
            place = f"{changed} {one}" if is_by_change else one
            listed.append(Listed(place, changed, json.dumps(order).encode()))
        return listed

    def wait(self, seconds: float = 7) -> None:
        self.world.now += timedelta(seconds=seconds)

    def change(self, one: str, word: str) -> None:
        self.wait()
        self.words[one].append((word, self.world.now))

    def change_and_poll_halfway(self, one: str, word: str) -> None:
        """What the incomplete poll saw is undone before the next one."""
        before = self.words[one][-1][0]
        self.change(one, word)
        self.fail(1)
        self.change(one, before)

    def webhook(self, one: str) -> None:
        self._tell(one, -1)

    def late_webhook(self, one: str) -> None:
        self._tell(one, -2 if len(self.words[one]) > 1 else -1)

    def _tell(self, one: str, which: int) -> None:
        self.wait()
        if self.model.event:
            event = self.model.event(one, *self.words[one][which])
            self._record(
                self.world.provider.read_event(
                    event, connection=self.world.connection, seen_at=self.world.now
                )
            )

    def refresh(self, one: str) -> None:
        self.wait()
        self._fetched(one, -1, at=self.world.now)

    def replay(self, one: str) -> None:
        """What could not be read when it was fetched is recorded as of that time."""
        self.wait()
        self._fetched(one, -1, at=self.words[one][-1][1])

    def _fetched(self, one: str, which: int, *, at: Any) -> None:
        order = self.model.order(one, *self.words[one][which])
        self._record(
            self.world.provider.read_order(order, connection=self.world.connection, requested_at=at)
        )

    def _record(self, reports: list[Report]) -> None:
        world = self.world
        marked = MarkedOrders(
            world.orders,
            mark=lambda key: world.touched.mark(key.connection, [key.order_id], at=world.now),
        )
        for report in reports:
            record(report, orders=marked, rules=world.provider.rules, now=world.now)

    def poll(self, again: LookAgain | None = None) -> PollOutcome:
        return self.world.poll(again).outcome

    def poll_again(self) -> None:
        self.poll(LookAgain(since=self.world.now - HOUR))

    def poll_with_refresh_meanwhile(self, one: str) -> None:
        def meanwhile() -> None:
            self.world.before_record = lambda: None
            self.refresh(one)

        self.world.before_record = meanwhile
        self.poll()
        self.world.before_record = lambda: None

    def poll_while_it_changes(self, one: str, word: str, request: int) -> None:
        """It changes after so many pages were read."""
        asked = len(self.world.wire.asked)
        rule = self.world.wire.rule

        def changing(query: dict[str, str]) -> Any:
            if len(self.world.wire.asked) - asked == request + 1:
                self.change(one, word)
            return rule(query)

        self.world.wire.rule = changing
        self.poll()
        self.world.wire.rule = rule

    def fail(self, pages: int) -> None:
        asked = iter(range(pages))
        rule = self.world.wire.rule

        def halfway(query: dict[str, str]) -> Any:
            return rule(query) if next(asked, None) is not None else FetchFailed("no answer")

        self.world.wire.rule = halfway
        self.poll()
        self.world.wire.rule = rule

    def gone(self) -> None:
        """The provider doesn't know the page where the last poll stopped."""
        self.world.wire.queued = [answer({}, 410)]
        self.poll()
        self.world.wire.queued = []

    def pause(self, pages: int) -> None:
        self.world.time_for_pages = pages
        self.poll()
        self.world.time_for_pages = 1_000_000

    def pause_within_page(self, orders: int) -> None:
        self.world.time_for_orders = orders
        self.poll()
        self.world.time_for_orders = 1_000_000

    def kill(self, orders: int) -> None:
        self._stop_after(orders, Killed())
        self.world.now += 2 * HOUR

    def outage(self, orders: int) -> None:
        self._stop_after(orders, OSError("the database is down"), after_write=True)

    def _stop_after(self, orders: int, error: BaseException, *, after_write: bool = False) -> None:
        left = iter(range(orders))

        def stop() -> None:
            if next(left, None) is None:
                raise error

        if after_write:
            self.world.stop = stop
        else:
            self.world.before_record = stop
        try:
            self.poll()
        except Killed:
            pass
        finally:
            self.world.before_record = self.world.stop = lambda: None

    def recorded(self) -> dict[str, str | None]:
        return {
            key.order_id: self.model.word(kept.order.details)
            for key, kept in self.world.orders.kept.items()
        }

    def expected(self) -> dict[str, str]:
        return {one: said[-1][0] for one, said in self.words.items()}


LISTS = [*((name, False) for name in MODELS), ("subs", True)]
LIST_NAMES = [f"{name} by change" if by_change else name for name, by_change in LISTS]


def check(name: str, by_change: bool, steps: list[tuple[Any, ...]]) -> None:
    life = Life(name, by_change)
    for step in steps:
        getattr(life, step[0])(*step[1:])
    # What was paused ends first; orders behind where it stopped may have changed since.
    while life.world.is_paused:
        assert life.poll() in (PollOutcome.PAUSED, PollOutcome.COMPLETE)
    assert life.poll() in (PollOutcome.COMPLETE, PollOutcome.UNCHANGED)
    assert life.recorded() == life.expected()
    writes = len(life.world.orders.written)
    life.poll()
    assert len(life.world.orders.written) == writes


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "by_change"), LISTS, ids=LIST_NAMES)
@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEPS, max_size=12))
def test_after_a_complete_poll_every_order_is_as_the_provider_has_it(
    name: str, by_change: bool, steps: list[tuple[Any, ...]]
) -> None:
    check(name, by_change, steps)


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "by_change"), LISTS, ids=LIST_NAMES)
@settings(max_examples=1_500, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_after_a_complete_poll_every_order_is_as_the_provider_has_it_in_long_lives(
    name: str, by_change: bool, steps: list[tuple[Any, ...]]
) -> None:
    check(name, by_change, steps)


BACK_AGAIN = {
    "a poll that fails": [("poll",), ("change_and_poll_halfway", "a", "y")],
    "a refresh": [("poll",), ("change", "a", "y"), ("refresh", "a"), ("change", "a", "x")],
    "a replay": [("poll",), ("change", "a", "y"), ("replay", "a"), ("change", "a", "x")],
    "a paused poll": [("poll",), ("change", "a", "y"), ("pause", 1), ("change", "a", "x")],
    "a killed poll": [
        ("poll",),
        ("change", "a", "y"),
        ("change", "b", "y"),
        ("kill", 1),
        ("change", "a", "x"),
        ("change", "b", "x"),
    ],
    "a refresh while a poll runs": [
        ("poll",),
        ("change", "a", "y"),
        ("change", "e", "y"),
        ("poll_with_refresh_meanwhile", "e"),
        ("change", "e", "x"),
    ],
    "a second look that fails": [("poll",), ("change", "a", "y"), ("poll_again",), ("fail", 1)],
    "a list that changes while it is read": [("poll_while_it_changes", "a", "y", 1)],
    "a page that is gone": [("poll",), ("change", "a", "y"), ("pause", 1), ("gone",)],
}


@pytest.mark.parametrize("steps", BACK_AGAIN.values(), ids=BACK_AGAIN)
@pytest.mark.parametrize(("name", "by_change"), LISTS, ids=LIST_NAMES)
def test_what_only_another_way_saw_does_not_stay_when_it_changes_back(
    name: str, by_change: bool, steps: list[tuple[Any, ...]]
) -> None:
    check(name, by_change, steps)
