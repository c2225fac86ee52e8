"""Sending a notice by mail, effectively once: claim, send, log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.notices import Audience, Notice, State
from milepost.order import OrderKey, TrackedOrder
from milepost.overdue_orders import OverdueNow, OverdueOrders

CLAIM: Final = timedelta(seconds=25)
"""How long a sender has for one mail: longer than the mail service's client ever waits, shorter
than a queue takes to give up. If the sender is killed, the next one may try after that."""


BATCH_CLAIM: Final = timedelta(seconds=120)
"""How long for a digest, under which thousands of notices may have to be logged."""
MOST_ORDERS: Final = 500
"""Orders read for one digest; it shows fewer, and counts the rest."""


class AlreadyClaimed(Exception):
    """Another sender is at it; look again later."""


class TryAgainLater(Exception):
    """The mail service has no room now. Nothing was sent."""


class Refused(Exception):
    """The mail service won't send this one, however often it is asked; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail, rendered."""

    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str] = field(default_factory=dict)
    from_name: str | None = None
    """The name beside the stack's address as the sender."""
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim on a digest; ``message_id`` when it went out already, but not all was logged."""

    message_id: str | None = None


class Claims(Protocol):
    """The delivery log, as a sender needs it."""

    def claim(self, notice: Notice, *, at: datetime, until: datetime) -> bool:
        """Claim a queued notice; False when it needs no sending any more.

        :raises AlreadyClaimed: when another sender's claim holds
        """
        ...

    def release(self, notice: Notice) -> None: ...

    def waiting(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """Those of them that are still to be sent."""
        ...

    def mark_sent(self, notice: Notice, *, message_id: str, at: datetime) -> None: ...

    def mark_all_sent(
        self, notices: Sequence[Notice], *, message_id: str, at: datetime, digest: str
    ) -> None:
        """Mark what went out as one mail, ``digest`` being its name in the log."""
        ...

    def close(self, notice: Notice, *, state: State, reason: str, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """What is held for one recipient until one moment, to go out as one mail."""

    recipient_digest: str
    due_at: datetime

    @classmethod
    def of(cls, notice: Notice, *, due_at: datetime) -> "Batch":
        """Where a notice is held. Team and customer are told apart, also at one address: they may
        end one and keep the other."""
        return cls(f"{notice.recipient_digest}-{notice.audience}", due_at)


class Holds(Protocol):
    """Notices that wait for a digest, as a sender needs them."""

    def held(self, batch: Batch) -> Sequence[Notice]: ...

    def claim_batch(self, batch: Batch, *, at: datetime, until: datetime) -> Claimed:
        """:raises AlreadyClaimed: when another sender's claim holds"""
        ...

    def release_batch(self, batch: Batch) -> None: ...
    def mark_batch_sent(self, batch: Batch, *, message_id: str, at: datetime) -> None: ...
    def let_go(self, batch: Batch, notices: Sequence[Notice]) -> None: ...

    def close_batch(self, batch: Batch) -> None:
        """Forget that it went out: what is held for that moment from now on is another mail."""
        ...


class Suppressions(Protocol):
    """Addresses that no mail may go to."""

    def reason(self, address: str, *, audience: Audience) -> str | None:
        """Why nothing may be sent there, in words; None when it may."""
        ...

    def ended(self, subscription_id: str | None) -> str | None:
        """Why that subscription has ended, in words; None while it lives, or if there is none."""
        ...


class Orders(Protocol):
    def read(self, key: OrderKey) -> TrackedOrder | None: ...


class Renderer(Protocol):
    def render(
        self, notice: Notice, tracked: TrackedOrder, *, unsubscribe_url: str | None = None
    ) -> Mail: ...

    def render_batch(
        self,
        batch: Batch,
        lines: Iterable[tuple[Notice, TrackedOrder | None]],
        *,
        unsubscribe_url: str | None = None,
        overdue: OverdueNow | None = None,
    ) -> Mail: ...


class Links(Protocol):
    def url_for(self, notices: Sequence[Notice]) -> str | None:
        """Where the recipient ends mails like the one that tells of these; None for nowhere."""
        ...


class Mailer(Protocol):
    def send(self, mail: Mail, *, notices: Sequence[Notice], at: datetime) -> str:
        """The message's id. ``notices`` are what the mail's fate will be logged under.

        :raises TryAgainLater: when it can't be sent now
        :raises Refused: when it never can
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends notices that announce put into the email queue."""

    claims: Claims
    holds: Holds
    suppressions: Suppressions
    orders: Orders
    renderer: Renderer
    links: Links
    mailer: Mailer
    overdue: OverdueOrders | None = None

    def send(self, notice: Notice, *, now: datetime) -> State:
        """Send one notice; the state in which it is then.

        :raises AlreadyClaimed: when another sender is at it
        :raises TryAgainLater: when the mail service is busy
        """
        if not self.claims.claim(notice, at=now, until=now + CLAIM):
            return State.SENT
        if reason := self._why_not(notice):
            return self._close(notice, State.SUPPRESSED, reason, now)
        tracked = self._living_order(notice)
        if tracked is None:
            return self._close(notice, State.SKIPPED, "the order was erased", now)
        try:
            mail = self._render_one(notice, tracked)
            message_id = self.mailer.send(mail, notices=[notice], at=now)
        except TryAgainLater:
            self.claims.release(notice)
            raise
        except Refused as refusal:
            return self._close(notice, State.FAILED, str(refusal), now)
        except LookupError:
            return self._close(notice, State.FAILED, "its connection is not applied", now)
        self.claims.mark_sent(notice, message_id=message_id, at=now)
        return State.SENT

    def send_batch(self, batch: Batch, *, now: datetime) -> None:
        """Send what was held for one recipient as one mail, and log it under each notice.

        :raises AlreadyClaimed: when another sender is at it
        :raises TryAgainLater: when the mail service is busy
        """
        # Claimed first: what waits is read only by the one who may send it.
        message_id = self.holds.claim_batch(batch, at=now, until=now + BATCH_CLAIM).message_id
        notices = self._still_waiting(batch)
        if notices and message_id is None:
            message_id = self._send_claimed_batch(batch, notices, now)
        if message_id is not None:
            self.claims.mark_all_sent(
                notices, message_id=message_id, at=now, digest=batch_id(batch)
            )
            self.holds.let_go(batch, notices)
        self.holds.close_batch(batch)

    def _still_waiting(self, batch: Batch) -> Sequence[Notice]:
        """Of what is held, what has not gone out by another way meanwhile."""
        held = self.holds.held(batch)
        waiting = self.claims.waiting(held)
        ids = {notice.id for notice in waiting}
        self.holds.let_go(batch, [notice for notice in held if notice.id not in ids])
        return waiting

    def _send_claimed_batch(
        self, batch: Batch, notices: Sequence[Notice], now: datetime
    ) -> str | None:
        first = notices[0]
        if reason := self._why_not(first):
            self._close_all(batch, notices, State.SUPPRESSED, reason, now)
            return None
        lines = self._lines(batch, notices, now)
        if not lines:
            return None
        try:
            message_id = self.mailer.send(self._render(batch, lines, now), notices=notices, at=now)
        except TryAgainLater:
            self.holds.release_batch(batch)
            raise
        except Refused as refusal:
            self._close_all(batch, notices, State.FAILED, str(refusal), now)
            return None
        self.holds.mark_batch_sent(batch, message_id=message_id, at=now)
        return message_id

    def _render(
        self, batch: Batch, lines: list[tuple[Notice, TrackedOrder | None]], now: datetime
    ) -> Mail:
        """One notice alone is its own mail: a digest of one would only be harder to read."""
        notice, tracked = lines[0]
        if len(lines) == 1 and tracked is not None:
            return self._render_one(notice, tracked)
        url = self.links.url_for([notice for notice, _ in lines])
        overdue = None
        if self.overdue is not None and notice.subscription is not None:
            overdue = self.overdue.covered_by(notice.subscription, now=now)
        return self.renderer.render_batch(batch, lines, unsubscribe_url=url, overdue=overdue)

    def _render_one(self, notice: Notice, tracked: TrackedOrder) -> Mail:
        url = self.links.url_for([notice])
        return self.renderer.render(notice, tracked, unsubscribe_url=url)

    def _lines(
        self, batch: Batch, notices: Sequence[Notice], now: datetime
    ) -> list[tuple[Notice, TrackedOrder | None]]:
        """What a digest tells of; an order that was erased meanwhile is told of no more."""
        lines: list[tuple[Notice, TrackedOrder | None]] = []
        for notice in notices[:MOST_ORDERS]:
            tracked = self._living_order(notice)
            if tracked is None:
                self.claims.close(
                    notice, state=State.SKIPPED, reason="the order was erased", at=now
                )
                self.holds.let_go(batch, [notice])
            else:
                lines.append((notice, tracked))
        return [*lines, *((notice, None) for notice in notices[MOST_ORDERS:])]

    def _why_not(self, notice: Notice) -> str | None:
        """Why nothing may go there, also when that came to be only after it was queued."""
        return self.suppressions.reason(
            notice.recipient, audience=notice.audience
        ) or self.suppressions.ended(notice.subscription)

    def _living_order(self, notice: Notice) -> TrackedOrder | None:
        tracked = self.orders.read(notice.key)
        return None if tracked is None or tracked.erased_at is not None else tracked

    def _close(self, notice: Notice, state: State, reason: str, now: datetime) -> State:
        self.claims.close(notice, state=state, reason=reason, at=now)
        return state

    def _close_all(
        self, batch: Batch, notices: Sequence[Notice], state: State, reason: str, now: datetime
    ) -> None:
        for notice in notices:
            self.claims.close(notice, state=state, reason=reason, at=now)
        self.holds.let_go(batch, notices)


def batch_id(batch: Batch) -> str:
    """The digest's name in the log."""
    return f"{batch.recipient_digest}/{batch.due_at:%Y-%m-%dT%H:%MZ}"
