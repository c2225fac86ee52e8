"""What AWS keeps, kept in memory; each passes the suite of tests/contracts as the real one does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from milepost.actions.action import PlannedCall
from milepost.activity.entry import Entry, Outcome, Place, Wanted
from milepost.common.errors import OrdersUnavailable
from milepost.common.idempotency import KeyReused
from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.connections.poll_request import PollRequest
from milepost.notifications.claims import AlreadyClaimed, Batch, Claimed, fingerprint
from milepost.notifications.dispatch import Entered
from milepost.notifications.notice import Audience, Notice, NoticeId, State
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import LostRace, OrdersRead
from milepost.polling.lease import LeaseHeld
from milepost.polling.page_cache import Seen, key_of
from milepost.polling.state import PollState, Progress, Validator
from milepost.queries.saved_views import MOST_VIEWS, Shared, TooManyViews, View


@dataclass
class MemoryOrders:
    """Implements ``recording.OrderStore`` and ``eligibility_check.CurrentOrders``."""

    kept: dict[OrderKey, TrackedOrder] = field(default_factory=dict)
    written: list[tuple[TrackedOrder, tuple[Announcement, ...]]] = field(default_factory=list)
    before_write: Callable[[], None] = lambda: None
    """Called once before the next write: the place where another worker gets ahead."""
    unreadable: dict[OrderKey, str] = field(default_factory=dict)
    unavailable: bool = False

    def read_all(self, keys: Sequence[OrderKey]) -> OrdersRead:
        if self.unavailable:
            raise OrdersUnavailable("OrdersTable is throttled")
        return OrdersRead(
            found={key: self.kept[key] for key in keys if key in self.kept},
            unreadable={key: self.unreadable[key] for key in keys if key in self.unreadable},
        )

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
    """Implements ``memory.PageHashes``."""

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


@dataclass
class MemoryNotices:
    """Does what NoticesTable does as the log of telling, sending and resending."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def find(self, identity: NoticeId) -> Mapping[str, Any] | None:
        return self.items.get(str(identity))

    def enter(self, choice: Choice, *, at: datetime) -> Entered:
        if known := self.items.get(choice.notice.id):
            due_at = parse_instant(known["due_at"]) if "due_at" in known else None
            return Entered(
                State(known["state"]),
                due_at,
                is_new=False,
                is_retried="retry_at" in known,
                requested_with=known.get("requested_with"),
                message_id=known.get("message_id"),
            )
        item = self.items[choice.notice.id] = _entry(choice, at)
        return Entered(State(item["state"]), choice.due_at)

    def claim(self, notice: Notice, *, at: datetime, until: datetime) -> str | None:
        item = self.items.get(notice.id, {})
        if item.get("state") != State.QUEUED:
            return None
        if item.get("claimed_until", "") >= sortable(at):
            raise AlreadyClaimed(notice.id)
        item["claimed_until"], item["claimed_by"] = sortable(until), uuid4().hex
        return str(item["claimed_by"])

    def waiting(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        return [n for n in notices if self.items.get(n.id, {}).get("state") == State.QUEUED]

    def release(self, notice: Notice, *, claim: str) -> bool:
        item = self.items.get(notice.id, {})
        if item.get("claimed_by") != claim:
            return False
        del item["claimed_until"], item["claimed_by"]
        return True

    def keep_claim(self, notice: Notice, *, claim: str, until: datetime) -> bool:
        item = self.items.get(notice.id, {})
        if item.get("claimed_by") != claim:
            return False
        item["claimed_until"] = sortable(until)
        return True

    def mark_sent(
        self, notice: Notice, *, message_id: str, at: datetime, claim: str | None = None
    ) -> bool:
        if not self._may_settle(notice, at, claim):
            return False
        self._mark_sent(notice, at=at, message_id=message_id)
        return True

    def note_message(self, notice: Notice, *, message_id: str) -> bool:
        item = self.items.get(notice.id, {})
        if item.get("state") != State.QUEUED:
            return False
        item["message_id"] = message_id
        return True

    def _may_settle(self, notice: Notice, at: datetime, claim: str | None) -> bool:
        item = self.items.get(notice.id, {})
        is_claimed = item.get("claimed_until", "") >= sortable(at)
        fence = item.get("claimed_by") == claim if claim else not is_claimed
        return item.get("state") == State.QUEUED and fence

    def mark_all_sent(
        self, notices: Sequence[Notice], *, message_id: str, at: datetime, digest: str
    ) -> None:
        for notice in notices:
            self._mark_sent(notice, at=at, message_id=message_id, digest=digest)

    def _mark_sent(self, notice: Notice, *, at: datetime, **more: str) -> None:
        if self.items.get(notice.id, {}).get("state") == State.QUEUED:
            self._set(notice, State.SENT, at, **more)

    def close(
        self,
        notice: Notice,
        *,
        state: State,
        reason: str,
        at: datetime,
        claim: str | None = None,
    ) -> bool:
        if not self._may_settle(notice, at, claim):
            return False
        self._set(notice, state, at, reason=reason)
        return True

    def _set(self, notice: Notice, state: State, at: datetime, **more: str) -> None:
        item = self.items[notice.id]
        item |= {"state": str(state), f"{state}_at": format_instant(at), **more}
        for name in ("claimed_until", "claimed_by", "due_at", "retry_at"):
            item.pop(name, None)

    def state_of(self, notice: Notice) -> State:
        return State(self.items[notice.id]["state"])


def _entry(choice: Choice, at: datetime) -> dict[str, Any]:
    """Written here once more, so that what the table gets wrong is not wrong in both."""
    notice, announced = choice.notice, choice.notice.announcement
    entry: dict[str, Any] = {
        "id": notice.id,
        "kind": announced.kind.value,
        "channel": notice.channel.value,
        "audience": notice.audience.value,
        "occurred_at": format_instant(announced.occurred_at),
        "expires_at": int((at + timedelta(days=400)).timestamp()),
    }
    if choice.skipped:
        entry |= {"state": "skipped", "reason": choice.skipped, "skipped_at": format_instant(at)}
    else:
        entry |= {"state": "queued", "queued_at": format_instant(at)}
    if notice.channel.value == "email":
        entry["language"] = notice.language
    if choice.due_at:
        entry["due_at"] = format_instant(choice.due_at)
    if notice.forced:
        entry["forced"] = True
    entry |= {"recipient": notice.recipient} if notice.recipient else {}
    names = ("resend_of", "requested_by", "requested_with")
    more = {name: getattr(choice, name) for name in names} | {"subscription": notice.subscription}
    return entry | {name: value for name, value in more.items() if value is not None}


@dataclass
class MemoryHolds:
    """Does what HoldsTable does: ``dispatch.Holds`` and ``sender.Holds``."""

    kept: dict[Batch, dict[str, Notice]] = field(default_factory=dict)
    claimed_until: dict[Batch, datetime] = field(default_factory=dict)
    claimed_by: dict[Batch, str] = field(default_factory=dict)
    last_mails: dict[Batch, Claimed] = field(default_factory=dict)
    counts: dict[tuple[str, str, datetime], int] = field(default_factory=dict)

    def hold(self, notice: Notice, *, due_at: datetime) -> None:
        batch = Batch.of(notice, due_at=due_at)
        self.kept.setdefault(batch, {})[notice.id] = notice

    def count(self, notice: Notice, *, hour: datetime) -> int:
        counted = notice.recipient_hash, notice.key.connection, hour
        self.counts[counted] = self.counts.get(counted, 0) + 1
        return self.counts[counted]

    def held(self, batch: Batch) -> Sequence[Notice]:
        return [notice for _, notice in sorted(self.kept.get(batch, {}).items())]

    def claim_batch(self, batch: Batch, *, at: datetime, until: datetime) -> Claimed:
        if batch in self.claimed_until and self.claimed_until[batch] >= at:
            raise AlreadyClaimed(batch.recipient_hash)
        self.claimed_until[batch], self.claimed_by[batch] = until, uuid4().hex
        return replace(self.last_mails.get(batch, Claimed()), token=self.claimed_by[batch])

    def release_batch(self, batch: Batch, *, claim: str) -> bool:
        if self.claimed_by.get(batch) != claim:
            return False
        del self.claimed_until[batch], self.claimed_by[batch]
        return True

    def keep_batch_claim(self, batch: Batch, *, claim: str, until: datetime) -> bool:
        if self.claimed_by.get(batch) != claim:
            return False
        self.claimed_until[batch] = until
        return True

    def mark_batch_sent(
        self,
        batch: Batch,
        notices: Sequence[Notice],
        *,
        message_id: str,
        at: datetime,
        claim: str,
    ) -> bool:
        if self.claimed_by.get(batch) != claim:
            return False
        told = frozenset(fingerprint(notice) for notice in notices)
        self.last_mails[batch] = Claimed(message_id, told)
        return True

    def let_go(self, batch: Batch, notices: Sequence[Notice]) -> None:
        for notice in notices:
            self.kept.get(batch, {}).pop(notice.id, None)

    def close_batch(self, batch: Batch, *, claim: str) -> bool:
        if not self.release_batch(batch, claim=claim):
            return False
        self.last_mails.pop(batch, None)
        return True


@dataclass
class MemoryOutbox:
    """Implements ``dispatch.Outbox``."""

    puts: list[tuple[Notice, timedelta]] = field(default_factory=list)

    def put(self, notice: Notice, *, delay: timedelta = timedelta(0)) -> None:
        self.puts.append((notice, delay))

    @property
    def recipients(self) -> list[str]:
        return [notice.recipient for notice, _ in self.puts]


@dataclass
class MemoryRequests:
    """Implements ``idempotency.Requests``."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)

    def contents(self, operation: str, key: str) -> str | None:
        return self.kept.get((operation, key))

    def enter(self, operation: str, key: str, contents: str, *, at: datetime) -> None:
        if self.kept.setdefault((operation, key), contents) != contents:
            raise KeyReused


@dataclass
class MemorySubscriptions:
    """Implements ``eligibility_check.Subscriptions``."""

    kept: dict[str, Subscription] = field(default_factory=dict)

    def get(self, subscription_id: str) -> Subscription | None:
        return self.kept.get(subscription_id)


@dataclass
class MemorySuppressions:
    """Implements ``eligibility_check.Suppressions``."""

    reasons: dict[tuple[str, Audience], str] = field(default_factory=dict)

    def reason(self, address: str, *, audience: Audience) -> str | None:
        return self.reasons.get((address, audience))


@dataclass
class MemoryConnections:
    """Implements ``connection.Connections``."""

    kept: dict[str, Connection] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, *connections: Connection) -> "MemoryConnections":
        return cls({one.id: one for one in connections})

    def get(self, connection_id: str) -> Connection:
        if connection_id in self.unusable:
            raise UnusableConnection(connection_id)
        try:
            return self.kept[connection_id]
        except KeyError:
            raise UnknownConnection(connection_id) from None


@dataclass
class MemoryPlans:
    """Does what ActionSchedules does: ``action.Plans``."""

    due: dict[PlannedCall, datetime] = field(default_factory=dict)

    def put(self, call: PlannedCall, *, at: datetime) -> None:
        self.due.setdefault(call, at)

    def drop(self, call: PlannedCall) -> None:
        self.due.pop(call, None)


@dataclass
class MemoryActivity:
    """Does what ActivityTable does: ``recorder.EntryWriter``, and finds entries."""

    entries: dict[str, Entry] = field(default_factory=dict)
    starts_fail: bool = False
    completions_fail: bool = False

    def start(self, entry: Entry) -> None:
        if self.starts_fail:
            raise ConnectionError
        if entry.id in self.entries:
            raise ValueError("ConditionalCheckFailed")
        self.entries[entry.id] = entry

    def complete(self, entry: Entry) -> None:
        if self.completions_fail:
            raise ConnectionError
        if self.entries[entry.id].outcome not in (Outcome.STARTED, entry.outcome):
            raise ValueError("ConditionalCheckFailed")
        self.entries[entry.id] = entry

    def find(
        self, wanted: Wanted, *, after: Place | None, limit: int
    ) -> tuple[list[Entry], Place | None]:
        found = sorted(
            (one for one in self.entries.values() if wanted.matches(one)),
            key=lambda one: (one.at, one.id),
            reverse=True,
        )
        if after is not None:
            found = [one for one in found if (one.at, one.id) < (after.at, after.id)]
        page = found[:limit]
        return page, Place(page[-1].at, page[-1].id) if len(found) > limit else None


@dataclass
class MemoryViews:
    """Does what ViewsTable does: ``saved_views.SavedViews``."""

    kept: dict[tuple[str, str], View] = field(default_factory=dict)

    def of(self, subject: str) -> list[View]:
        return [one for (place, _), one in self.kept.items() if place in (subject, "")]

    def put(self, view: View, *, subject: str) -> None:
        place = "" if view.shared is Shared.TEAM else subject
        there = [one for one in self.kept if one[0] == place and one[1] != view.id]
        if len(there) >= MOST_VIEWS:
            raise TooManyViews
        self.kept[place, view.id] = view

    def delete(self, view: View, *, subject: str) -> None:
        self.kept.pop(("" if view.shared is Shared.TEAM else subject, view.id), None)
