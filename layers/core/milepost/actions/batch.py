"""Batches: one action on many orders, or many mails sent again, with an outcome of each.

A batch is planned first: that is the dry run, which freezes what it is about. Nothing is done until
somebody starts it with the token of the plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

RESEND: Final = "resend"
"""The action of a batch whose targets are notices: send each mail again."""
MOST_TARGETS: Final = 1_000
"""How many orders or notices one batch may be about."""
START_WITHIN: Final = timedelta(hours=1)
"""For how long a plan may be started: afterwards the orders have moved on."""
MOST_ATTEMPTS: Final = 5
"""How often a target is tried whose provider is down, before it is given up."""


class BatchState(StrEnum):
    """Where a batch is."""

    PLANNED = "planned"
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


class TargetState(StrEnum):
    """The outcome of one order or notice of a batch."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be done, and by whom.

    ``token`` starts it; ``arguments`` are gone once it has ended.
    """

    id: str
    action: str
    person: str
    token: str
    created_at: datetime
    total: int
    charges: int = 0
    """Orders whose customer's card would be charged."""
    state: BatchState = BatchState.PLANNED
    arguments: Mapping[str, Any] = field(default_factory=dict)
    started_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An order or a notice of a batch, by its id in the API, and its outcome."""

    number: int
    id: str
    state: TargetState = TargetState.WAITING
    why: str | None = None
    """Why it was refused or failed, without anything personal."""
    at: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """A place in the list of batches: when the batch there was made, and which it is."""

    created_at: str
    id: str


class NoSuchBatch(LookupError):
    """There is no batch of this id, or it is too old."""


class CannotStart(Exception):
    """The message says why: a wrong token, a plan that is too old, or one that was stopped."""


class Batches(Protocol):
    """Where batches are kept."""

    def put(self, batch: Batch, targets: Sequence[Target]) -> None:
        """Keep a new batch."""
        ...

    def find(self, batch_id: str) -> Batch | None:
        """The batch, read consistently."""
        ...

    def page(
        self, *, after: "BatchPlace | None", limit: int
    ) -> "tuple[Sequence[Batch], BatchPlace | None]":
        """Some of the batches, the latest first, and where the next page goes on; None after the
        last."""
        ...

    def targets(self, batch_id: str) -> Sequence[Target]:
        """All of them by number, read consistently."""
        ...

    def move(
        self, batch_id: str, *, to: BatchState, starts: frozenset[BatchState], by: str | None = None
    ) -> bool:
        """Bring a batch into a state; False when it is in none of ``starts``. One that ended keeps
        no arguments.

        :param by: who starts it
        """
        ...

    def claim(self, batch_id: str, number: int, *, at: datetime, until: datetime) -> str | None:
        """The right to work on a target that waits, and one attempt more; None when it doesn't
        wait, or another worker has it."""
        ...

    def settle(
        self,
        batch_id: str,
        number: int,
        *,
        state: TargetState,
        why: str | None,
        at: datetime,
        claim: str,
    ) -> bool:
        """Write the outcome of a target, and give back the claim; False when that was lost.
        ``waiting`` leaves it to be tried again."""
        ...


class BatchQueue(Protocol):
    """Wakes whoever works on batches."""

    def put(self, batch_id: str, *, delay: timedelta = timedelta(0)) -> None: ...


def key_of(batch_id: str, number: int) -> str:
    """The idempotency key of one target: every try has the same, so that it is done once."""
    return f"batch-{batch_id}-{number}"
