"""Claims: at most one worker sends a notice, or a batch of them, at a time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.notifications.notice import Notice, State

CLAIM: Final = timedelta(seconds=125)
"""How long a claim holds: longer than a function that claims may run, so that it can't end while
its holder is alive; shorter than a queue's visibility timeout. A test holds the template to it."""


class AlreadyClaimed(Exception):
    """Another worker holds the claim; look again later."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim on a batch, and the last mail of it whose notices may not all be logged yet.

    ``told`` has the ``fingerprint`` of each notice that was in that mail; None, of a mail that an
    earlier version sent, means all that were held.
    """

    message_id: str | None = None
    told: frozenset[str] | None = None
    token: str = ""
    """What every later write to the batch is checked against."""

    def has_told(self, notice: Notice) -> bool:
        """Whether that mail was about this notice, too."""
        if self.message_id is None:
            return False
        return self.told is None or fingerprint(notice) in self.told


def fingerprint(notice: Notice) -> str:
    """A notice's id, short: thousands of them are stored with a batch."""
    return hashlib.sha256(notice.id.encode()).hexdigest()[:16]


class Claims(Protocol):
    """The delivery log, as a sender needs it.

    What is written with a ``claim`` is written only while that claim is the notice's, and without
    one only while nobody's claim holds. Each says whether it was written: losing a claim is a
    normal outcome.
    """

    def claim(self, notice: Notice, *, at: datetime, until: datetime) -> str | None:
        """Claim a queued notice; the claim's token, None when it needs no sending any more.

        :raises AlreadyClaimed: when another sender's claim holds
        """
        ...

    def release(self, notice: Notice, *, claim: str) -> bool: ...

    def keep_claim(self, notice: Notice, *, claim: str, until: datetime) -> bool:
        """Make the claim hold for longer."""
        ...

    def waiting(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """Those of them that are still to be sent."""
        ...

    def mark_sent(
        self, notice: Notice, *, message_id: str, at: datetime, claim: str | None = None
    ) -> bool: ...

    def mark_all_sent(
        self, notices: Sequence[Notice], *, message_id: str, at: datetime, digest: str
    ) -> None:
        """Mark what went out as one mail, ``digest`` being its name in the log."""
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
        """Close a notice that still waits to be sent, with why it isn't."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """What is held for one recipient until one moment, to go out as one mail."""

    recipient_hash: str
    due_at: datetime

    @classmethod
    def of(cls, notice: Notice, *, due_at: datetime) -> "Batch":
        """Where a notice is held. Team and customer are told apart, also at one address: they may
        end one and keep the other."""
        return cls(f"{notice.recipient_hash}-{notice.audience}", due_at)


def batch_id(batch: Batch) -> str:
    """The digest's name in the log."""
    return f"{batch.recipient_hash}/{batch.due_at:%Y-%m-%dT%H:%MZ}"
