"""One soak: four providers, with and without faults, killed processes, people; then the verdict."""

import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any, Final

from cli.connections.stored_state import StoredSettings
from local.stack import Stack
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from tests.soak.account import SandboxAccount
from tests.soak.people import People
from tests.soak.process_killer import Killer, cpu_seconds, find_emulator, wait_until
from tests.soak.provider_traffic import Polls, Sent, change_between_polls, send_webhooks
from tests.soak.received_notices import Listener
from tests.soak.verdict import (
    Judge,
    Verdict,
    announced_ids,
    read_orders,
    without_tombstones,
)

WEBHOOKS: Final = {"offergrid-home": 0.12, "offergrid-business": 0.08, "spirii-charge": 0.10}
POLLED: Final = {"rabot-energy": 0.40, "subs-grid": 0.30}
"""Each connection's share of the changes."""
WARM_UP: Final = {
    "offergrid-home": "accepted",
    "offergrid-business": "accepted",
    "spirii-charge": "Cancelled",
}
MAILED: Final = "spirii-charge"
"""The connection whose customers are mailed."""
MAILED_KINDS: Final = frozenset({"completed", "cancelled"})
QUEUES: Final = ("InboxQueue", "EmailQueue", "MailEventsQueue")
DEAD_LETTERS: Final = ("InboxDeadLetters", "EmailDeadLetters", "MailEventsDeadLetters")
_SETTLED_CHECKS: Final = 4
_POLL_SECONDS: Final = 150
"""The time limit of a poll, in place of 300: when one is killed, its lease lasts until then."""
_LEASE_SECONDS: Final = _POLL_SECONDS + 5
_RETRY_SECONDS: Final = 45
"""After how long a queue gives a message again. The local stack's 10 seconds are shorter than a
busy machine takes for a first start: a message would run out of its tries while it is at work."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The number of orders, the rate, and the share of faults."""

    changes: int
    seconds: float
    """Within which the changes are sent."""
    seed: int
    kill_every_seconds: float
    patience_seconds: float
    """How long everything may take to settle after the last change."""
    with_people: bool = False
    """Whether people declare connections and operate meanwhile."""


@dataclass(kw_only=True)
class Soak:
    """A soak on a stack of its own."""

    stack: Stack
    plan: Plan
    connections_file: Path
    """What the stack's start has applied."""
    figures: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    kills: Counter[str] = field(default_factory=Counter)
    polls: Counter[str] = field(default_factory=Counter)

    def run(self) -> Verdict:
        """Send, kill, wait until nothing is in progress, and judge."""
        self._prepare()
        emulator = find_emulator(self.stack)
        listener = Listener(stack=self.stack)
        nothing_more = Event()
        listening = Thread(target=listener.run, args=(nothing_more,), daemon=True)
        listening.start()
        try:
            self._warm_up(listener)
            cpu, begun = cpu_seconds(emulator), time.monotonic()
            people = self._invite_people()
            sent = self._send_and_kill(people)
            self._poll_once_more()
            self._settle(listener, people)
            self.seconds = time.monotonic() - begun
            self.cpu = cpu_seconds(emulator) - cpu
        finally:
            nothing_more.set()
            listening.join(timeout=30)
        self._judge(sent, listener, people)
        return self.verdict

    def _prepare(self) -> None:
        """Accounts without orders; only one connection's customers get mails."""
        client = self.stack.client("dynamodb")
        subscriptions = SubscriptionsTable(
            client, table_name=self.stack.resource_id("NoticesTable")
        )
        for one in subscriptions.all():
            subscriptions.delete(one.id)
        path = f"/{self.stack.stack_name}/connections"
        settings = StoredSettings(self.stack.client("ssm"), path=path)
        settings.put(replace(settings.all()[MAILED], customer_notices=MAILED_KINDS))
        sqs = self.stack.client("sqs")
        for name in QUEUES:
            sqs.set_queue_attributes(
                QueueUrl=self.stack.resource_id(name),
                Attributes={"VisibilityTimeout": str(_RETRY_SECONDS)},
            )
        self.stack.client("lambda").update_function_configuration(
            FunctionName=self.stack.resource_id("PollOrdersFunction"), Timeout=_POLL_SECONDS
        )
        for account in self._accounts():
            account.start_anew()

    def _warm_up(self, listener: Listener) -> None:
        """One change of each account that sends webhooks, since first starts are not a part of the
        soak.
        """
        for name, status in WARM_UP.items():
            account = SandboxAccount(self.stack, name)
            account.move(account.create_orders(1)[0], {"status": status})
        wait_until(
            lambda: listener.told.total() >= len(WARM_UP), seconds=self.plan.patience_seconds
        )

    def _accounts(self) -> list[SandboxAccount]:
        return [SandboxAccount(self.stack, name) for name in (*WEBHOOKS, *POLLED)]

    def _invite_people(self) -> People:
        return People(
            stack=self.stack,
            connections_file=self.connections_file,
            told_of={MAILED: MAILED_KINDS},
            turning=WARM_UP,
            polled=tuple(POLLED),
            rng=Random(f"{self.plan.seed} people"),
        )

    def _send_and_kill(self, people: People) -> dict[str, Sent]:
        stopped = Event()
        killer = Killer(
            stack=self.stack,
            every_seconds=self.plan.kill_every_seconds,
            rng=Random(self.plan.seed),
            polls_for_seconds=self.plan.seconds - _LEASE_SECONDS,
        )
        killing = Thread(target=killer.run, args=(stopped,), daemon=True)
        killing.start()
        pollers: list[Polls] = []
        try:
            at_work = people.at_work() if self.plan.with_people else nullcontext()
            with at_work, ThreadPoolExecutor(len(WEBHOOKS) + len(POLLED)) as pool:
                running = {
                    **{name: self._start_webhooks(pool, name) for name in WEBHOOKS},
                    **{name: self._start_polled(pool, name, stopped, pollers) for name in POLLED},
                }
                sent = {name: one.result() for name, one in running.items()}
        finally:
            stopped.set()
            killing.join(timeout=30)
        self.kills = killer.kills
        for one in sent.values():
            self.figures += one.figures
        for polls in pollers:
            self.polls += polls.outcomes
        return sent

    def _poll_once_more(self) -> None:
        """Find orders that no webhook reported, because their first change hasn't arrived yet."""
        for name in WEBHOOKS:
            polls = Polls(stack=self.stack, connection=name, stopped=Event())
            polls.until_complete()
            self.polls += polls.outcomes

    def _start_webhooks(self, pool: ThreadPoolExecutor, name: str) -> "Future[Sent]":
        return pool.submit(
            send_webhooks,
            SandboxAccount(self.stack, name),
            changes=round(self.plan.changes * WEBHOOKS[name]),
            seconds=self.plan.seconds,
            rng=Random(f"{self.plan.seed} {name}"),
        )

    def _start_polled(
        self, pool: ThreadPoolExecutor, name: str, stopped: Event, pollers: list[Polls]
    ) -> "Future[Sent]":
        polls = Polls(stack=self.stack, connection=name, stopped=stopped)
        pollers.append(polls)
        return pool.submit(
            change_between_polls,
            SandboxAccount(self.stack, name),
            polls,
            changes=round(self.plan.changes * POLLED[name]),
            seconds=self.plan.seconds,
            rng=Random(f"{self.plan.seed} {name}"),
        )

    def _settle(self, listener: Listener, people: People) -> None:
        """Wait until nothing is in progress: no webhook, no message, no announcement."""
        accounts, quiet, seen = self._accounts(), 0, -1

        def is_quiet() -> bool:
            nonlocal quiet, seen
            waiting = any(a.deliveries(status=s) for a in accounts for s in ("queued", "held"))
            told = listener.told.total()
            still = not waiting and not self._queued(QUEUES) and told == seen
            quiet, seen = (quiet + 1 if still else 0), told
            return quiet >= _SETTLED_CHECKS

        deadline = time.monotonic() + self.plan.patience_seconds
        if self.plan.with_people:
            wait_until(people.polls_are_done, seconds=self.plan.patience_seconds)
        wait_until(is_quiet, seconds=max(1.0, deadline - time.monotonic()))
        owed = announced_ids(without_tombstones(read_orders(self.stack)))
        left = max(1.0, deadline - time.monotonic())
        wait_until(lambda: owed <= listener.told.keys(), seconds=left)

    def _queued(self, names: tuple[str, ...]) -> int:
        sqs = self.stack.client("sqs")
        attributes = [f"ApproximateNumberOfMessages{one}" for one in ("", "NotVisible", "Delayed")]
        counts: list[dict[str, Any]] = [
            sqs.get_queue_attributes(
                QueueUrl=self.stack.resource_id(name), AttributeNames=attributes
            )["Attributes"]
            for name in names
        ]
        return sum(int(value) for one in counts for value in one.values())

    def _judge(self, sent: dict[str, Sent], listener: Listener, people: People) -> None:
        if self.plan.with_people:
            people.finish_erasures()
        judge = Judge(stack=self.stack, accounts=self._accounts(), verdict=self.verdict)
        kept = read_orders(self.stack)
        judge.judge_webhooks(kept, sent)
        judge.judge_polled(kept, sent)
        judge.judge_orders(kept)
        judge.judge_told(kept, listener.told)
        judge.judge_mails()
        if self.plan.with_people:
            people.judge(kept, self.verdict)
            self.people += people.figures
        for name in DEAD_LETTERS:
            self.figures["dead letters"] += (count := self._queued((name,)))
            self.verdict.lost += [f"{count} messages given up: {name}"] if count else []
