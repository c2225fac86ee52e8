"""Sending a notice by mail, effectively once: claim, judge, send, log."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from milepost.common.errors import OrdersUnavailable
from milepost.notifications.claims import CLAIM, Batch, Claimed, Claims
from milepost.notifications.eligibility import Verdict
from milepost.notifications.eligibility_facts import Judge, Judged
from milepost.notifications.mail.message import Mail
from milepost.notifications.notice import Notice, State
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import TrackedOrder
from milepost.orders.overdue_list import OverdueNow

NEWS_WITHIN: Final = timedelta(minutes=15)
"""How long a mail is left alone whose outcome is unknown: by then its event has said whether it
went out, even one that had to come a second time. The longest that SQS keeps a message back."""


Letter = TypeVar("Letter")
"""What a renderer makes and a mailer sends: a mail, or a message to a chat."""
Letter_co = TypeVar("Letter_co", covariant=True)
Letter_contra = TypeVar("Letter_contra", contravariant=True)


class TryAgainLater(Exception):
    """The mail service can't accept mails now, or the orders can't be read now. Nothing was
    sent.
    """


class OutcomeUnknown(Exception):
    """The mail service may have accepted the mail, but its response did not arrive. Check again
    after its event has had time to arrive."""


class Refused(Exception):
    """The mail service will never accept this mail; the message says why."""


class Holds(Protocol):
    """Held notices, as far as a sender needs them."""

    def held(self, batch: Batch) -> Sequence[Notice]: ...

    def claim_batch(self, batch: Batch, *, at: datetime, until: datetime) -> Claimed:
        """:raises AlreadyClaimed: if another sender holds the claim"""
        ...

    def release_batch(self, batch: Batch, *, claim: str) -> bool: ...

    def keep_batch_claim(self, batch: Batch, *, claim: str, until: datetime) -> bool:
        """Extend the claim."""
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
        """Record which notices were sent in this mail, before each of them is logged."""
        ...

    def let_go(self, batch: Batch, notices: Sequence[Notice]) -> None: ...

    def close_batch(self, batch: Batch, *, claim: str) -> bool:
        """Remove the record, so that notices that are held until the same time from now on are
        another mail.
        """
        ...


class Renderer(Protocol[Letter_co]):
    def render(
        self,
        notice: Notice,
        tracked: TrackedOrder,
        *,
        time_zone: str | None = None,
        unsubscribe_url: str | None = None,
    ) -> Letter_co: ...

    def render_batch(
        self,
        lines: Iterable[tuple[Notice, TrackedOrder]],
        *,
        time_zone: str,
        reason: DigestReason,
        beyond: Sequence[Notice] = (),
        unsubscribe_url: str | None = None,
        overdue: OverdueNow | None = None,
    ) -> Letter_co:
        """One mail with all lines, in the language of the notices.

        :param time_zone: the recipient's (IANA name)
        :param reason: why they come as one mail
        :param beyond: notices that are counted, but not shown
        """
        ...


class Links(Protocol):
    def url_for(self, notices: Sequence[Notice]) -> str | None:
        """The address at which the recipient can unsubscribe from such mails; None if there is
        none.
        """
        ...


class Mailer(Protocol[Letter_contra]):
    def send(self, mail: Letter_contra, *, notices: Sequence[Notice], at: datetime) -> str:
        """The message's id. ``notices`` are the notices under which the mail's outcome will be
        logged.

        :raises TryAgainLater: when it can't be sent now
        :raises OutcomeUnknown: when it may have been sent
        :raises Refused: when it never can
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends single notices; ``held_notices`` sends held ones."""

    claims: Claims
    judge: Judge
    renderer: Renderer[Mail]
    links: Links
    mailer: Mailer[Mail]

    def send(self, notice: Notice, *, now: datetime) -> State:
        """Send one notice; returns its state afterwards.

        :raises AlreadyClaimed: when another worker holds the claim
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
            # Until then, only its event, which needs no claim, may change the entry.
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
    """The notices with their verdicts, in the given order.

    :raises TryAgainLater: when their orders can't be read now
    """
    try:
        yield from judge.judge(notices, now=now)
    except OrdersUnavailable as unavailable:
        raise TryAgainLater(str(unavailable)) from None
