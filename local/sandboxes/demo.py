"""The demo: orders that go through all of their steps within minutes."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Any, Final

from local.sandboxes.account import Account
from local.sandboxes.demo_scenarios import Move, Story
from local.sandboxes.json_format import Json, format_time
from local.sandboxes.working_hours import appointment, placed

_ENDING: Final = frozenset({"cancel", "fulfill"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of the order with this number, ``at`` seconds after the start."""

    at: float
    order: int
    move: Move


class Demo:
    """Creates ``orders`` orders in one account and moves them within ``seconds``.

    The same seed gives the same orders and moves. As many orders as there are stories show every
    status of the provider.
    """

    def __init__(self, *, account: Account, orders: int, seconds: float, seed: int) -> None:
        if orders < 1 or seconds <= 0:
            raise ValueError("a demo needs at least one order and more than 0 seconds")
        self._account = account
        self._seconds = seconds
        self._random = random.Random(seed)
        stories = account.stories
        self._stories = [stories[number % len(stories)] for number in range(orders)]
        self._steps = sorted(self._plan(), key=lambda step: (step.at, step.order))
        self._ids: list[str] = []
        self._done = 0
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="sandbox-demo", daemon=True)

    def start(self) -> None:
        """Creates the orders immediately and starts moving them."""
        with self._account.lock:
            self._account.random.seed(self._random.random())
            self._ids = [self._place(story) for story in self._stories]
        self._thread.start()

    def stop(self) -> None:
        """Stops moving orders; doesn't wait, since the caller may hold the account's lock."""
        self._stopped.set()

    def wait(self, seconds: float) -> bool:
        """Waits for everything to end; returns whether it did within ``seconds``."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def describe(self) -> Json:
        running = self._thread.is_alive() and not self._stopped.is_set()
        return {"running": running, "moves": len(self._steps), "done": self._done}

    def _plan(self) -> Iterator[Step]:
        for order, story in enumerate(self._stories):
            start = self._seconds * 0.4 * order / len(self._stories)
            pace = (self._seconds - start) / max(1, len(story.moves))
            for number, move in enumerate(story.moves):
                at = start + pace * (number + self._random.uniform(0.2, 0.9))
                yield Step(at=at, order=order, move=move)

    def _place(self, story: Story) -> str:
        account, now = self._account, self._account.clock.now()
        provider = account.connection.provider
        at = placed(provider, now, days_ago=story.days_ago, chance=self._random)
        order = account.create_order({**story.fields, "at": format_time(at)})
        return self._account.id_of(order)

    def _run(self) -> None:
        waited = 0.0
        for step in self._steps:
            if self._stopped.wait(max(0.0, step.at - waited)):
                return
            waited = step.at
            with self._account.lock:
                if self._stopped.is_set():
                    return
                if not self._was_ended_by_a_person(self._ids[step.order]):
                    self._move(self._ids[step.order], step.move)
                self._done += 1

    def _was_ended_by_a_person(self, id: str) -> bool:
        # An order that somebody cancelled doesn't go on to be scheduled.
        return any(one["order"] == id and one["action"] in _ENDING for one in self._account.actions)

    def _move(self, id: str, move: Mapping[str, Any]) -> None:
        change = {k: v for k, v in move.items() if k not in {"in_days", "in_hours", "item"}}
        if "in_days" in move:
            slot = appointment(
                self._account.connection.provider,
                self._account.clock.now(),
                in_days=move["in_days"],
                chance=self._random,
            )
            change["scheduledFor"] = format_time(slot)
        if "in_hours" in move:
            moment = self._account.clock.now() + timedelta(hours=move["in_hours"])
            change["scheduledFor"] = format_time(moment.replace(microsecond=0))
        if "item" in move:
            items = self._account.find_order(id)["items"]
            change["itemId"] = items[move["item"]]["itemId"]
        self._account.move_order(id, change)
