"""Runs a batch: its targets one by one, each once, until it is stopped or time is up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.actions.action import (
    REFRESH,
    ActionRequest,
    CredentialsRefused,
    KeyReused,
    NoSuchOrder,
    NotAllowed,
    ProviderDown,
    RefusedByProvider,
    UnknownAction,
    UnreadableAnswer,
)
from milepost.actions.batch import (
    MOST_ATTEMPTS,
    RESEND,
    Batch,
    Batches,
    BatchQueue,
    BatchState,
    Target,
    TargetState,
    key_of,
)
from milepost.actions.perform import perform
from milepost.actions.refresh import ActionContext
from milepost.common import idempotency
from milepost.connections.connection import UnknownConnection, UnusableConnection
from milepost.notifications.notice import NoticeId
from milepost.notifications.resend import CannotResend, Resender, ResendRequest
from milepost.orders.order import OrderKey
from milepost.orders.recording import LostRace
from milepost.providers.base import BadArgument

CLAIMED_FOR: Final = timedelta(minutes=3)
"""How long a worker's claim on a target lasts: longer than the function's timeout."""
LATER: Final = timedelta(seconds=60)
"""The delay before a batch is retried if another worker has claimed one of its targets."""
LONGEST_WAIT: Final = timedelta(minutes=15)
"""The longest delay of an SQS message."""
REQUESTS_OF_AN_ACTION: Final = 2
"""Requests to the provider for one action: the action, and a fetch of the order afterwards."""
_NOTHING_DONE: Final = (
    NoSuchOrder,
    UnknownAction,
    BadArgument,
    KeyReused,
    idempotency.KeyReused,
    NotAllowed,
)


class Acting(Protocol):
    """The dependencies to run actions on orders."""

    def for_order(self, key: OrderKey) -> ActionContext: ...
    def forget_credentials(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchWorker:
    """Runs batches, while ``has_time`` allows it."""

    batches: Batches
    queue: BatchQueue
    acting: Acting
    open_resender: Callable[[], Resender]
    clock: Callable[[], datetime]
    pause: Callable[[float], None]
    """Waits this number of seconds."""

    def work(self, batch_id: str, *, has_time: Callable[[], bool]) -> BatchState | None:
        """Run a batch; returns its state afterwards, or None if there is no such batch.

        If targets are left, the batch is put into the queue again. A repeated message does nothing
        twice: each target is claimed, and has its own idempotency key.
        """
        batch = self.batches.find(batch_id)
        if batch is None or batch.state is not BatchState.RUNNING:
            return batch.state if batch else None
        is_others = False
        for target in self.batches.targets(batch_id):
            if target.state is not TargetState.WAITING:
                continue
            if not has_time():
                self.queue.put(batch_id)
                return BatchState.RUNNING
            if not self._is_running(batch_id):
                return BatchState.STOPPED
            now = self.clock()
            claim = self.batches.claim(batch_id, target.number, at=now, until=now + CLAIMED_FOR)
            if claim is None:
                is_others = True
                continue
            wait = self._take(batch, target, claim)
            if wait is not None:
                self.queue.put(batch_id, delay=min(wait, LONGEST_WAIT))
                return BatchState.RUNNING
        if is_others and self._is_any_waiting(batch_id):
            self.queue.put(batch_id, delay=LATER)
            return BatchState.RUNNING
        self.batches.move(batch_id, to=BatchState.FINISHED, starts=frozenset({BatchState.RUNNING}))
        return BatchState.FINISHED

    def _is_running(self, batch_id: str) -> bool:
        batch = self.batches.find(batch_id)
        return batch is not None and batch.state is BatchState.RUNNING

    def _is_any_waiting(self, batch_id: str) -> bool:
        states = (one.state for one in self.batches.targets(batch_id))
        return TargetState.WAITING in states

    def _take(self, batch: Batch, target: Target, claim: str) -> timedelta | None:
        """Run the action on one target; returns how long to wait before the next one, if the
        provider asks for that."""
        wait: timedelta | None = None
        try:
            state, why = self._act(batch, target)
        except (ProviderDown, LostRace) as down:
            is_last = target.attempts + 1 >= MOST_ATTEMPTS
            state, why = (TargetState.FAILED if is_last else TargetState.WAITING), _why(down)
            wait = None if is_last else (getattr(down, "retry_after", None) or LATER)
            if isinstance(down, CredentialsRefused):
                self.acting.forget_credentials()
        self.batches.settle(
            batch.id, target.number, state=state, why=why, at=self.clock(), claim=claim
        )
        return wait

    def _act(self, batch: Batch, target: Target) -> tuple[TargetState, str | None]:
        key = key_of(batch.id, target.number)
        if batch.action == RESEND:
            return self._resend(batch, target, key)
        order = OrderKey.parse(target.id)
        request = ActionRequest(
            order=order,
            action=batch.action,
            key=key,
            person=batch.person,
            arguments=batch.arguments,
        )
        try:
            tools = self.acting.for_order(order)
            done = perform(request, tools=tools)
        except _NOTHING_DONE as no:
            return TargetState.REFUSED, str(no)
        except (UnknownConnection, UnusableConnection):
            return TargetState.REFUSED, "its connection is not applied, or can't be used"
        except RefusedByProvider as no:
            # Its words are on the timeline, where an erasure finds them.
            return TargetState.REFUSED, f"the provider answered {no.done.answered}: see the order"
        except UnreadableAnswer:
            return TargetState.FAILED, "the provider's answer can't be read"
        if not done.repeated and (
            batch.action == REFRESH or batch.action in tools.conversation.provider.actions
        ):
            per_minute = tools.conversation.connection.requests_per_minute
            self.pause(REQUESTS_OF_AN_ACTION * 60 / per_minute)
        return TargetState.DONE, None

    def _resend(self, batch: Batch, target: Target, key: str) -> tuple[TargetState, str | None]:
        force = batch.arguments.get("force") is True
        asked = ResendRequest(by=batch.person, key=key, force=force)
        try:
            self.open_resender().resend(NoticeId.parse(target.id), asked, now=self.clock())
        except CannotResend:
            # The reason may quote an address.
            return TargetState.REFUSED, "the notice can't be sent again now: see `notices resend`"
        return TargetState.DONE, None


def _why(down: ProviderDown | LostRace) -> str:
    if isinstance(down, CredentialsRefused):
        return "the provider refused the connection's credentials"
    return "the order is too busy" if isinstance(down, LostRace) else "the provider is down"
