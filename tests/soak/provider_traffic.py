"""The providers' side of a soak: histories reported by webhooks or found by polls, with faults."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event
from typing import Any, Final

from botocore.exceptions import ReadTimeoutError

from local.stack import Stack
from tests.soak.account import SandboxAccount
from tests.soak.order_histories import Move, make_life

OPEN_AT_ONCE: Final = 25
"""Orders of one account that live at the same time."""
DUPLICATES: Final = 0.10
LATE: Final = 0.20
MALFORMED: Final = 0.05
_TWO_EVENTS: Final = frozenset({"scheduled", "completed", "rejected"})
"""Statuses of which Offergrid sends two webhooks: the second would release the one held back."""


@dataclass(kw_only=True)
class Pace:
    """Spreads ``count`` things evenly over ``seconds``."""

    count: int
    seconds: float
    _begun: float = field(default_factory=time.monotonic)
    _done: int = 0

    def wait(self) -> None:
        self._done += 1
        due = self._begun + self._done * self.seconds / max(1, self.count)
        time.sleep(max(0.0, due - time.monotonic()))


@dataclass(kw_only=True)
class Sent:
    """What one account has sent."""

    figures: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    """Authentic bodies that can't be read: they belong in the quarantine."""
    lives: dict[str, list[str]] = field(default_factory=dict)
    """The raw statuses of each polled order."""


def send_webhooks(account: SandboxAccount, *, changes: int, seconds: float, rng: Random) -> Sent:
    """Move orders through their histories, and report each change by webhook, with or without
    faults.
    """
    sent, pace = Sent(), Pace(count=changes, seconds=seconds)
    living: list[tuple[str, list[Move]]] = []
    while sent.figures["changes"] < changes:
        if len(living) < OPEN_AT_ONCE:
            name = account.create_orders(1)[0]
            living.append((name, make_life(account.provider, rng)))
        place = rng.randrange(len(living))
        name, life = living[place]
        can_be_late = len(life) > 1 and life[0]["status"] not in _TWO_EVENTS
        if can_be_late and _is_due("late", LATE, sent, rng):
            account.add_fault("reorder")
            _move(account, name, life.pop(0), sent, pace)
            sent.figures["late"] += 1
        elif _is_due("duplicates", DUPLICATES, sent, rng):
            account.add_fault("duplicate")
            sent.figures["duplicates"] += 1
        _move(account, name, life.pop(0), sent, pace)
        if not life:
            living.pop(place)
        if _is_due("malformed", MALFORMED, sent, rng):
            _send_malformed(account, sent, rng)
        if sent.figures["changes"] % 500 == 0:
            account.forget_faults()
    return sent


def _is_due(what: str, share: float, sent: Sent, rng: Random) -> bool:
    """Whether one more change gets it, at random, so that this share of the changes has it."""
    return sent.figures[what] < share * sent.figures["changes"] and rng.random() < 0.5


def _move(account: SandboxAccount, name: str, move: Move, sent: Sent, pace: Pace) -> None:
    account.move(name, move)
    sent.figures["changes"] += 1
    pace.wait()


def _send_malformed(account: SandboxAccount, sent: Sent, rng: Random) -> None:
    number = sent.figures["malformed"]
    sent.figures["malformed"] += 1
    if number % 10 == 9:
        account.send_raw(json.dumps({"event": "x", "number": number}), bad_signature=True)
        sent.figures["forged"] += 1
        return
    ahead = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    body = rng.choice(
        (
            f'{{"event": "order.status_changed", "orderId": "{account.id}-{number}',
            f'{{"event": "order.updated", "number": {number}}}',
            f'{{"amount": NaN, "number": {number}}}',
            f'{{"number": {number}, "number": {number}}}',
            json.dumps({"event": "order.accepted", "timestamp": ahead, "number": number}),
        )
    )
    account.send_raw(body)
    sent.unreadable.append(body)


@dataclass(kw_only=True)
class Polls:
    """Polls of one connection, requested like its schedule does."""

    stack: Stack
    connection: str
    stopped: Event
    outcomes: Counter[str] = field(default_factory=Counter)
    _client: Any = None

    def until_complete(self) -> None:
        """Poll until one poll has read every page; a failed poll doesn't count."""
        while not self.stopped.is_set():
            outcome = self._poll()
            self.outcomes[outcome] += 1
            if outcome in {"complete", "unchanged"}:
                return
            # Another poll of the connection, its schedule's, may be at work.
            time.sleep(2.0 if outcome == "leased" else 0.5)

    def _poll(self) -> str:
        # boto3 makes clients safely in one thread only: each poller makes its own, once.
        self._client = self._client or self.stack.client("lambda")
        try:
            answer = self._client.invoke(
                FunctionName=self.stack.connections[self.connection]["poll_function"],
                Payload=json.dumps({"connection": self.connection}),
            )
        except ReadTimeoutError:
            # A busy machine: whatever became of it, the next one finds out.
            return "unanswered"
        said = json.loads(answer["Payload"].read())
        return "killed" if "FunctionError" in answer else str(said["outcome"])


BAD_DAYS: Final[Sequence[dict[str, Any]]] = (
    {"fault": "500"},
    {"fault": "429", "retry_after": 1},
    {"fault": "slow", "seconds": 2},
    {"fault": "broken_page"},
    {"fault": "duplicate", "on": {"page": 1}},
    {"fault": "reorder", "on": {"page": 1}},
    {"fault": "drop", "on": {"method": "GET"}},
    {"fault": "self_next"},
)
DRIFTS: Final[Mapping[str, Sequence[dict[str, Any]]]] = {
    "rabot": [{"fault": "drift", "by": by, "on": {"page": 2}} for by in (1, -1)]
}
"""SUBS promises a list whose order never changes, so its pages don't (docs/providers/subs.md)."""


def change_between_polls(
    account: SandboxAccount, polls: Polls, *, changes: int, seconds: float, rng: Random
) -> Sent:
    """Move every order one step, poll, and so on, since a polled provider reports no history."""
    sent, begun = Sent(), time.monotonic()
    lives: dict[str, list[Move]] = {}
    planned = 0
    while planned < changes:
        lives[account.create_orders(1)[0]] = life = make_life(account.provider, rng)
        del life[max(1, changes - planned) :]
        planned += len(life)
    _poll_on_a_bad_day(account, polls, sent, rng)
    sent.lives = {name: [] for name in lives}
    while any(lives.values()) and not polls.stopped.is_set():
        for name, life in lives.items():
            if life:
                move = life.pop(0)
                account.move(name, move, webhook=False)
                sent.lives[name].append(str(move["status"]))
                sent.figures["changes"] += 1
        _poll_on_a_bad_day(account, polls, sent, rng)
        share = sent.figures["changes"] / changes
        time.sleep(max(0.0, min(share, 0.9) * seconds - (time.monotonic() - begun)))
    return sent


def _poll_on_a_bad_day(account: SandboxAccount, polls: Polls, sent: Sent, rng: Random) -> None:
    account.forget_faults()
    for fault in rng.sample([*BAD_DAYS, *DRIFTS.get(account.provider, ())], 2):
        account.add_fault(**fault)
        sent.figures["bad pages"] += 1
    polls.until_complete()
    account.forget_faults()
