"""Sending a notice by mail, effectively once: claim, send, log."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.notices import Notice, State
from milepost.order import OrderKey, TrackedOrder

CLAIM: Final = timedelta(seconds=60)
"""How long a sender has for one mail. If it is killed, the next one may try after that."""


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


class Claims(Protocol):
    """The delivery log, as a sender needs it."""

    def claim(self, notice: Notice, *, at: datetime, until: datetime) -> bool:
        """Claim a queued notice; False when it needs no sending any more.

        :raises AlreadyClaimed: when another sender's claim holds
        """
        ...

    def release(self, notice: Notice) -> None: ...
    def mark_sent(self, notice: Notice, *, message_id: str, at: datetime) -> None: ...
    def close(self, notice: Notice, *, state: State, reason: str, at: datetime) -> None: ...


class Orders(Protocol):
    def read(self, key: OrderKey) -> TrackedOrder | None: ...


class Renderer(Protocol):
    def render(self, notice: Notice, tracked: TrackedOrder) -> Mail: ...


class Mailer(Protocol):
    def send(self, mail: Mail, *, notice: Notice) -> str:
        """The message's id.

        :raises TryAgainLater: when it can't be sent now
        :raises Refused: when it never can
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends notices that announce put into the email queue."""

    claims: Claims
    orders: Orders
    renderer: Renderer
    mailer: Mailer

    def send(self, notice: Notice, *, now: datetime) -> State:
        """The state in which the notice is now.

        :raises AlreadyClaimed: when another sender is at it
        :raises TryAgainLater: when the mail service is busy
        """
        if not self.claims.claim(notice, at=now, until=now + CLAIM):
            return State.SENT
        tracked = self.orders.read(notice.key)
        if tracked is None or tracked.erased_at is not None:
            return self._close(notice, State.SKIPPED, "the order was erased", now)
        try:
            mail = self.renderer.render(notice, tracked)
            message_id = self.mailer.send(mail, notice=notice)
        except TryAgainLater:
            self.claims.release(notice)
            raise
        except Refused as refusal:
            return self._close(notice, State.FAILED, str(refusal), now)
        self.claims.mark_sent(notice, message_id=message_id, at=now)
        return State.SENT

    def _close(self, notice: Notice, state: State, reason: str, now: datetime) -> State:
        self.claims.close(notice, state=state, reason=reason, at=now)
        return state
