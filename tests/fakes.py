"""What AWS keeps, kept in memory; each passes the suite of tests/contracts as the real one does."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from milepost.order import Announcement, OrderKey, TrackedOrder
from milepost.polling import LeaseHeld, PollState, Progress, Validator
from milepost.recording import LostRace
from milepost.report import format_instant, parse_instant


@dataclass
class MemoryOrders:
    """Implements ``recording.Orders``."""

    kept: dict[OrderKey, TrackedOrder] = field(default_factory=dict)
    written: list[tuple[TrackedOrder, tuple[Announcement, ...]]] = field(default_factory=list)
    before_write: Callable[[], None] = lambda: None
    """Called once before the next write: the place where another worker gets ahead."""

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self.kept.get(key)

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        meanwhile, self.before_write = self.before_write, lambda: None
        meanwhile()
        key = tracked.order.key
        known = self.kept.get(key)
        if (known.version if known else 0) != tracked.version - 1:
            if known is None:
                raise KeyError(key)
            if known == tracked:
                return
            raise LostRace(known)
        self.kept[key] = tracked
        self.written.append((tracked, new))

    @property
    def announced(self) -> list[Announcement]:
        return [one for _, new in self.written for one in new]


@dataclass
class MemoryPolls:
    """Does what PollsTable does."""

    states: dict[str, PollState] = field(default_factory=dict)
    holders: dict[str, tuple[object, datetime]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def lease(self, connection_id: str, *, now: datetime, duration: timedelta) -> "MemoryLease":
        _, until = self.holders.get(connection_id, (None, None))
        if until is not None and until >= now:
            raise LeaseHeld(f"connection {connection_id} is being polled")
        lease = MemoryLease(self, connection_id, self.states.get(connection_id, PollState()))
        self.holders[connection_id] = (lease, now + duration)
        return lease


class MemoryLease:
    """Implements ``polling.Lease``."""

    def __init__(self, polls: MemoryPolls, connection_id: str, state: PollState) -> None:
        self._polls = polls
        self._connection_id = connection_id
        self.state = state

    def pause(self, progress: Progress) -> None:
        self._finish(progress=progress)

    def succeed(
        self, *, cursor: datetime | None, validator: Validator | None, at: datetime
    ) -> None:
        kept = self._polls.states.get(self._connection_id, PollState())
        self._finish(
            cursor=_kept(cursor) or kept.cursor,
            validator=validator or kept.validator,
            progress=None,
            not_before=None,
        )

    def fail(self, *, error: str, at: datetime, not_before: datetime | None) -> None:
        self._finish(not_before=_kept(not_before or at))
        self._polls.errors[self._connection_id] = error

    def give_back(self) -> None:
        self._finish()

    def _finish(self, **changes: object) -> None:
        holder, _ = self._polls.holders.get(self._connection_id, (None, None))
        if holder is not self:
            raise LeaseHeld(f"the lease on {self._connection_id} had ended")
        del self._polls.holders[self._connection_id]
        known = self._polls.states.get(self._connection_id, PollState())
        self._polls.states[self._connection_id] = replace(known, **changes)  # type: ignore[arg-type]


def _kept(instant: datetime | None) -> datetime | None:
    return parse_instant(format_instant(instant)) if instant else None


@dataclass
class MemoryDigests:
    """Implements ``polling.Digests``."""

    kept: dict[str, frozenset[bytes]] = field(default_factory=dict)

    def load(self, name: str) -> frozenset[bytes]:
        return self.kept.get(name, frozenset())

    def save(self, name: str, digests: set[bytes]) -> None:
        self.kept[name] = frozenset(digests)
