"""Claims: at most one worker sends a notice, or a batch of them, at a time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.notifications.notice import Notice, State

CLAIM: Final = timedelta(seconds=125)
"""How long a claim lasts: longer than the timeout of functions that claim, so that it can't expire
while its holder runs; shorter than a queue's visibility timeout. A test checks the template against
it."""


class AlreadyClaimed(Exception):
    """Another worker holds the claim; try again later."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim on a batch, and the batch's last mail, whose notices may not all be logged yet.

    ``notified`` has the ``fingerprint`` of each notice in that mail; None, for a mail of an earlier
    version, means all held notices.
    """

    message_id: str | None = None
    notified: frozenset[str] | None = None
    token: str = ""
    """The token that every later write to the batch has to match."""

    def has_notified(self, notice: Notice) -> bool:
        """Whether that mail contained this notice."""
        if self.message_id is None:
            return False
        return self.notified is None or fingerprint(notice) in self.notified


def fingerprint(notice: Notice) -> str:
    """A short form of a notice's id, since thousands of them are stored with a batch."""
    return hashlib.sha256(notice.id.encode()).hexdigest()[:16]


class Claims(Protocol):
    """The delivery log, for senders.

    A write with a ``claim`` succeeds only while the notice has that claim; a write without one only
    while the notice has no claim. Each method returns whether it wrote: losing a claim is a normal
    outcome.
    """

    def claim(self, notice: Notice, *, at: datetime, until: datetime) -> str | None:
        """Claim a queued notice; returns the claim's token, or None if it need not be sent any
        more.

        :raises AlreadyClaimed: when another sender's claim holds
        """
        ...

    def release(self, notice: Notice, *, claim: str) -> bool: ...

    def keep_claim(self, notice: Notice, *, claim: str, until: datetime) -> bool:
        """Extend the claim."""
        ...

    def waiting(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """The notices that still have to be sent."""
        ...

    def mark_sent(
        self, notice: Notice, *, message_id: str, at: datetime, claim: str | None = None
    ) -> bool: ...

    def mark_all_sent(
        self, notices: Sequence[Notice], *, message_id: str, at: datetime, digest: str
    ) -> None:
        """Mark notices as sent in one mail; ``digest`` is the mail's id in the log."""
        ...

    def close(
        self,
        notice: Notice,
        *,
        state: State,
        reason: str,
        at: datetime,
        claim: str | None = None,
    ) -> bool:
        """Close a notice that has not been sent, with the reason."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """The notices that are held for one recipient until the same time, to be sent as one mail."""

    recipient_hash: str
    due_at: datetime

    @classmethod
    def of(cls, notice: Notice, *, due_at: datetime) -> "Batch":
        """The batch of a held notice. Notices for the team and for customers are separate, also at
        the same address, since each can be unsubscribed separately."""
        return cls(f"{notice.recipient_hash}-{notice.audience}", due_at)


def batch_id(batch: Batch) -> str:
    """The id of the batch's mail in the log."""
    return f"{batch.recipient_hash}/{batch.due_at:%Y-%m-%dT%H:%MZ}"
