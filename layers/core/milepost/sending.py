"""Sending a notice by mail, effectively once: claim, judge, send, log."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.judging import Judge, Judged, OrdersUnavailable
from milepost.notices import Notice, State
from milepost.order import TrackedOrder
from milepost.overdue_orders import OverdueNow
from milepost.subscriptions import DigestReason
from milepost.verdicts import Verdict

CLAIM: Final = timedelta(seconds=125)
"""How long a claim holds: longer than a function that claims may run, so that it can't end while
its holder is alive; shorter than a queue's visibility timeout. A test holds the template to it."""


NEWS_WITHIN: Final = timedelta(minutes=15)
"""How long a mail is left alone whose outcome is unknown: by then its event has told whether it
went out, even one that had to come a second time. The longest that SQS keeps a message back."""


class AlreadyClaimed(Exception):
    """Another worker holds the claim; look again later."""


class TryAgainLater(Exception):
    """The mail service has no room, or the orders can't be read now. Nothing was sent."""


class OutcomeUnknown(Exception):
    """The mail service may have taken the mail: its answer did not come. Look again once an event
    could have told."""


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

    def release_batch(self, batch: Batch, *, claim: str) -> bool: ...

    def keep_batch_claim(self, batch: Batch, *, claim: str, until: datetime) -> bool:
        """Make the claim hold for longer."""
        ...

    def mark_batch_sent(
        self,
        batch: Batch,
        notices: Sequence[Notice],
        *,
        message_id: str,
        at: datetime,
        claim: str,
    ) -> bool:
        """Note which of them went out as this mail, before that is logged under each."""
        ...

    def let_go(self, batch: Batch, notices: Sequence[Notice]) -> None: ...

    def close_batch(self, batch: Batch, *, claim: str) -> bool:
        """Forget that it went out: what is held for that moment from now on is another mail."""
        ...


class Renderer(Protocol):
    def render(
        self,
        notice: Notice,
        tracked: TrackedOrder,
        *,
        time_zone: str | None = None,
        unsubscribe_url: str | None = None,
    ) -> Mail: ...

    def render_batch(
        self,
        lines: Iterable[tuple[Notice, TrackedOrder]],
        *,
        time_zone: str,
        reason: DigestReason,
        beyond: Sequence[Notice] = (),
        unsubscribe_url: str | None = None,
        overdue: OverdueNow | None = None,
    ) -> Mail:
        """One mail of all lines, in the language of their notices.

        :param time_zone: the recipient's (IANA name)
        :param reason: why they come as one mail
        :param beyond: notices that are counted, but not shown
        """
        ...


class Links(Protocol):
    def url_for(self, notices: Sequence[Notice]) -> str | None:
        """Where the recipient ends mails like the one that tells of these; None for nowhere."""
        ...


class Mailer(Protocol):
    def send(self, mail: Mail, *, notices: Sequence[Notice], at: datetime) -> str:
        """The message's id. ``notices`` are what the mail's fate will be logged under.

        :raises TryAgainLater: when it can't be sent now
        :raises OutcomeUnknown: when it may have been sent
        :raises Refused: when it never can
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends single notices; batches of them are sent by ``batch_sending``."""

    claims: Claims
    judge: Judge
    renderer: Renderer
    links: Links
    mailer: Mailer

    def send(self, notice: Notice, *, now: datetime) -> State:
        """Send one notice; the state in which it is then.

        :raises AlreadyClaimed: when another sender is at it
        :raises TryAgainLater: when it can't be judged or sent now
        :raises OutcomeUnknown: when it may have been sent; nobody sends it for ``NEWS_WITHIN``
        """
        claim = self.claims.claim(notice, at=now, until=now + CLAIM)
        if claim is None:
            return State.SENT
        try:
            (judged,) = judge_now(self.judge, [notice], now)
            if judged.verdict is not None:
                return self._close(notice, judged.verdict, now, claim)
            mail = self._render_one(judged)
            message_id = self.mailer.send(mail, notices=[judged.in_voice], at=now)
        except TryAgainLater:
            self.claims.release(notice, claim=claim)
            raise
        except OutcomeUnknown:
            # Only its event, which needs no claim, may write to it meanwhile.
            self.claims.keep_claim(notice, claim=claim, until=now + NEWS_WITHIN)
            raise
        except Refused as refusal:
            return self._close(notice, Verdict(State.FAILED, str(refusal)), now, claim)
        self.claims.mark_sent(notice, message_id=message_id, at=now, claim=claim)
        return State.SENT

    def _render_one(self, judged: Judged) -> Mail:
        return self.renderer.render(
            judged.in_voice,
            judged.tracked,
            time_zone=judged.voice.time_zone,
            unsubscribe_url=self.links.url_for([judged.notice]),
        )

    def _close(self, notice: Notice, verdict: Verdict, now: datetime, claim: str) -> State:
        self.claims.close(notice, state=verdict.state, reason=verdict.reason, at=now, claim=claim)
        return verdict.state


def judge_now(judge: Judge, notices: Sequence[Notice], now: datetime) -> Iterator[Judged]:
    """The notices with their verdicts, in the order given.

    :raises TryAgainLater: when their orders can't be read now
    """
    try:
        yield from judge.judge(notices, now=now)
    except OrdersUnavailable as unavailable:
        raise TryAgainLater(str(unavailable)) from None


def batch_id(batch: Batch) -> str:
    """The digest's name in the log."""
    return f"{batch.recipient_digest}/{batch.due_at:%Y-%m-%dT%H:%MZ}"
