"""Batches: one action on many orders, or many mails sent again, with an outcome for each.

A batch is planned first. This is the dry run, which fixes the targets. Nothing is done until a
person starts the batch with the plan's token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

RESEND: Final = "resend"
"""The action of a batch whose targets are notices: send each mail again."""
MOST_TARGETS: Final = 1_000
"""Maximum number of orders or notices of one batch."""
START_WITHIN: Final = timedelta(hours=1)
"""How long a plan may be started: later, the orders may have changed."""
MOST_ATTEMPTS: Final = 5
"""Maximum number of attempts for a target whose provider is unavailable."""


class TooManyTargets(ValueError):
    """A batch would have more than ``MOST_TARGETS`` orders or notices."""

    def __init__(self) -> None:
        super().__init__(
            f"a batch has at most {MOST_TARGETS:,} orders or mails: "
            "use a narrower filter, or several batches"
        )


def require_few_targets(number: int) -> None:
    """:raises TooManyTargets: if too many targets were named or found"""
    if number > MOST_TARGETS:
        raise TooManyTargets


class BatchState(StrEnum):
    """The state of a batch."""

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
    """A batch: its action, and who planned and started it.

    ``token`` starts it; ``arguments`` are removed once it has ended.
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
    """A position in the list of batches: when the batch at that position was created, and its
    id.
    """

    created_at: str
    id: str


class NoSuchBatch(LookupError):
    """There is no batch with this id, or it is too old."""


class CannotStart(Exception):
    """The batch can't be started; the message says why: a wrong token, a plan that is too old, or
    one that was stopped.
    """


class Batches(Protocol):
    """Where batches are stored."""

    def put(self, batch: Batch, targets: Sequence[Target]) -> None:
        """Store a new batch."""
        ...

    def find(self, batch_id: str) -> Batch | None:
        """The batch, read consistently."""
        ...

    def page(
        self, *, after: "BatchPlace | None", limit: int
    ) -> "tuple[Sequence[Batch], BatchPlace | None]":
        """Some of the batches, the latest first, and the position of the next page; None after the
        last one."""
        ...

    def targets(self, batch_id: str) -> Sequence[Target]:
        """All targets by number, read consistently."""
        ...

    def move(
        self, batch_id: str, *, to: BatchState, starts: frozenset[BatchState], by: str | None = None
    ) -> bool:
        """Move a batch to a state; False if its state isn't one of ``starts``. When it ends, its
        arguments are removed.

        :param by: who starts it
        """
        ...

    def claim(self, batch_id: str, number: int, *, at: datetime, until: datetime) -> str | None:
        """Claim a waiting target and count an attempt; None if it isn't waiting, or another worker
        holds the claim."""
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
        """Write the outcome of a target and release the claim; False if the claim was lost.
        ``waiting`` leaves the target for a retry."""
        ...


class BatchQueue(Protocol):
    """The queue from which workers take batches."""

    def put(self, batch_id: str, *, delay: timedelta = timedelta(0)) -> None: ...


def key_of(batch_id: str, number: int) -> str:
    """The idempotency key of one target, the same for all attempts, so that it runs once."""
    return f"batch-{batch_id}-{number}"
