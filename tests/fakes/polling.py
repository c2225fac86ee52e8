"""The state of polls between runs, in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.poll_request import PollRequest
from milepost.polling.lease import LeaseHeld
from milepost.polling.page_cache import Seen, key_of
from milepost.polling.state import PollState, Progress, Validator


@dataclass
class MemoryPolls:
    """A fake of PollsTable."""

    states: dict[str, PollState] = field(default_factory=dict)
    holders: dict[str, tuple[object, datetime | None]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def keep(self, connection_id: str, request: PollRequest) -> None:
        known = self.states.get(connection_id, PollState())
        if request.id not in {one.id for one in known.requests}:
            requests = sorted((*known.requests, request), key=lambda o: (o.requested_at, o.id))
            self.states[connection_id] = replace(known, requests=tuple(requests))

    def lease(self, connection_id: str, *, now: datetime, duration: timedelta) -> "MemoryLease":
        holder, until = self.holders.get(connection_id, (None, None))
        if until is not None and until >= now:
            raise LeaseHeld(f"connection {connection_id} is being polled")
        kept = self.states.get(connection_id, PollState())
        lease = MemoryLease(self, connection_id, replace(kept, is_memory_sound=holder is None))
        self.holders[connection_id] = (lease, now + duration)
        return lease


class MemoryLease:
    """Implements ``lease.Lease``."""

    def __init__(self, polls: MemoryPolls, connection_id: str, state: PollState) -> None:
        self._polls = polls
        self._connection_id = connection_id
        self.state = state
        self.is_memory_sound = state.is_memory_sound
        self.requested_meanwhile = False

    def pause(self, progress: Progress) -> None:
        self._finish(progress=progress)

    def succeed(
        self,
        *,
        cursor: datetime | None,
        validator: Validator | None,
        at: datetime,
        done: Sequence[str] = (),
    ) -> None:
        kept = self._polls.states.get(self._connection_id, PollState())
        self._finish(
            cursor=_kept(cursor) or kept.cursor,
            validator=validator,
            progress=None,
            not_before=None,
            requests=tuple(one for one in kept.requests if one.id not in done),
        )

    def fail(
        self, *, error: str, at: datetime, not_before: datetime | None, starts_over: bool = False
    ) -> None:
        tried = {one.id for one in self.state.requests}
        known = self._polls.states.get(self._connection_id, PollState())
        requests = (
            replace(one, failed_at=_kept(at)) if one.id in tried else one for one in known.requests
        )
        progress = None if starts_over else known.progress
        self._finish(
            not_before=_kept(not_before or at), requests=tuple(requests), progress=progress
        )
        self._polls.errors[self._connection_id] = error

    def give_back(self) -> None:
        self._finish()

    def _finish(self, **changes: object) -> None:
        holder, _ = self._polls.holders.get(self._connection_id, (None, None))
        if holder is not self:
            raise LeaseHeld(f"the lease on {self._connection_id} had ended")
        if self.is_memory_sound:
            del self._polls.holders[self._connection_id]
        else:
            self._polls.holders[self._connection_id] = (self, None)
        known = self._polls.states.get(self._connection_id, PollState())
        self._polls.states[self._connection_id] = replace(known, **changes)  # type: ignore[arg-type]
        self.requested_meanwhile = bool(self._polls.states[self._connection_id].requests)


def _kept(instant: datetime | None) -> datetime | None:
    return parse_instant(format_instant(instant)) if instant else None


@dataclass
class MemoryPageHashes:
    """Implements ``remembered_pages.PageHashes``."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def load(self, name: str) -> Seen:
        return Seen.from_bytes(self.kept.get(name, b""))

    def save(self, name: str, seen: Seen) -> None:
        self.kept[name] = bytes(seen)


@dataclass
class MemoryTouched:
    """Implements ``touched_orders.Touched``."""

    marks: list[tuple[str, bytes | None, datetime]] = field(default_factory=list)
    """Connection, key (None for every order), and when."""

    def mark(self, connection_id: str, order_ids: Iterable[str], *, at: datetime) -> None:
        self.marks += [(connection_id, key_of(one), at) for one in order_ids]

    def mark_all(self, connection_id: str, *, at: datetime) -> None:
        self.marks.append((connection_id, None, at))

    def since(self, connection_id: str, instant: datetime) -> set[bytes] | None:
        keys = [key for one, key, at in self.marks if one == connection_id and at > instant]
        return None if None in keys else {key for key in keys if key is not None}
