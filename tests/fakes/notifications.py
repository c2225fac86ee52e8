"""Notices, held notices, subscriptions and suppressions in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.notifications.claims import AlreadyClaimed, Batch, Claimed, fingerprint
from milepost.notifications.dispatch import Entered
from milepost.notifications.notice import Audience, Notice, NoticeId, State
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription


@dataclass
class MemoryNotices:
    """A fake of NoticesTable as the log of notifying, sending and resending."""

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

    @property
    def states(self) -> dict[str, State]:
        """The state of each notice, by its id."""
        return {key: State(item["state"]) for key, item in self.items.items()}


def _entry(choice: Choice, at: datetime) -> dict[str, Any]:
    """Implemented here a second time, so that a mistake in the table isn't repeated in the fake."""
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
    """A fake of HoldsTable: implements ``dispatch.Holds`` and ``sender.Holds``."""

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
class MemorySubscriptions:
    """Implements ``eligibility_facts.Subscriptions``."""

    kept: dict[str, Subscription] = field(default_factory=dict)

    def get(self, subscription_id: str) -> Subscription | None:
        return self.kept.get(subscription_id)


@dataclass
class MemorySuppressions:
    """Implements ``eligibility_facts.Suppressions``."""

    reasons: dict[tuple[str, Audience], str] = field(default_factory=dict)

    def reason(self, address: str, *, audience: Audience) -> str | None:
        return self.reasons.get((address, audience))
