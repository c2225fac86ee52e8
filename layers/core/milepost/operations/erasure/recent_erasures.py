"""Recent erasures, remembered so that data that appears later is erased as well."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.operations.erasure.subject import Group, Subject
from milepost.orders.order import OrderKey

REMEMBERED_FOR: Final = timedelta(days=16)
"""How long an erasure is remembered: longer than a message stays in a queue (14 days), or a change
of the orders' stream is retried (24 hours)."""


SWEEPS: Final = (timedelta(minutes=15), timedelta(hours=25), timedelta(days=15))
"""How long after an erasure every place is looked through again: once whatever was at work by then
has ended, once the stream no longer retries what it had, and once the queues have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """An erasure that is remembered, by a digest of the customer's id."""

    id: str
    subject: Subject
    erased_at: datetime
    sweeps: int = 0
    """How many of ``SWEEPS`` were done."""

    def is_due(self, now: datetime) -> bool:
        """Whether every place is to be looked through again."""
        return self.sweeps < len(SWEEPS) and now >= self.erased_at + SWEEPS[self.sweeps]

    def sweeps_after(self, now: datetime) -> int:
        """How many are done once one was begun at this time."""
        return sum(self.erased_at + after <= now for after in SWEEPS)


class Memory(Protocol):
    """Erasures of the last days (``REMEMBERED_FOR``)."""

    def salt(self, *, make: bool) -> bytes:
        """With what the customers' digests are made; the same always, once it was made."""
        ...

    def recall(self, customer_id: str) -> Remembered | None: ...

    def remember(self, subject: Subject, *, customer_id: str, at: datetime) -> None:
        """Remember an erasure with all that is known of its subject. Whoever takes in or finds
        something of theirs from now on sees it."""
        ...

    def active(self, *, now: datetime) -> Sequence[Remembered]: ...

    def late_orders(self, remembered: Remembered) -> Sequence[OrderKey]:
        """Orders of theirs that were found since by whoever made them findable."""
        ...

    def finish_late(
        self,
        remembered: Remembered,
        keys: Sequence[OrderKey],
        *,
        groups: Collection[Group],
        erased: int,
    ) -> None:
        """Note that these were looked at, which provider orders are the customer's, and how many
        orders became tombstones by that."""
        ...

    def take_late(self, customer_id: str) -> int:
        """How many orders became tombstones since it was last asked, counted once."""
        ...

    def note_sweeps(self, remembered: Remembered, *, sweeps: int) -> None: ...
