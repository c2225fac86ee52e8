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
"""How long after an erasure every place is searched again: when all functions that ran during the
erasure have ended, when the stream no longer retries records, and when messages in the queues have
expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A remembered erasure, by a hash of the customer's id."""

    id: str
    subject: Subject
    erased_at: datetime
    sweeps: int = 0
    """The number of ``SWEEPS`` that have been made."""

    def is_due(self, now: datetime) -> bool:
        """Whether every place has to be searched again."""
        return self.sweeps < len(SWEEPS) and now >= self.erased_at + SWEEPS[self.sweeps]

    def sweeps_after(self, now: datetime) -> int:
        """The number of sweeps that are done once a sweep that began at this time has ended."""
        return sum(self.erased_at + after <= now for after in SWEEPS)


class Memory(Protocol):
    """Erasures of the last days (``REMEMBERED_FOR``)."""

    def salt(self, *, make: bool) -> bytes:
        """The salt of the customers' hashes; it never changes once it is created."""
        ...

    def recall(self, customer_id: str) -> Remembered | None: ...

    def remember(self, subject: Subject, *, customer_id: str, at: datetime) -> None:
        """Remember an erasure with everything that is known of its subject. From now on, recording
        and searches take it into account."""
        ...

    def active(self, *, now: datetime) -> Sequence[Remembered]: ...

    def late_orders(self, remembered: Remembered) -> Sequence[OrderKey]:
        """Orders of the customer that were indexed since the erasure."""
        ...

    def finish_late(
        self,
        remembered: Remembered,
        keys: Sequence[OrderKey],
        *,
        groups: Collection[Group],
        erased: int,
    ) -> None:
        """Store that these orders were checked, which provider orders belong to the customer, and
        how many orders were replaced with tombstones."""
        ...

    def take_late(self, customer_id: str) -> int:
        """The number of orders that were replaced with tombstones since the last call."""
        ...

    def note_sweeps(self, remembered: Remembered, *, sweeps: int) -> None: ...
