"""Sends held notices: the notices of one recipient as one mail, a digest, effectively once.

They were held for quiet hours, for a daily or weekly digest, or because of too many notices in an
hour. Each is judged separately. Those that may be sent are sent; for each other one the
log says why it was not sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic

from milepost.common.errors import OrdersUnavailable
from milepost.notifications.claims import CLAIM, Batch, Claimed, Claims, batch_id
from milepost.notifications.eligibility import Verdict
from milepost.notifications.eligibility_facts import Judge, Judged, Voice
from milepost.notifications.mail.sender import (
    NEWS_WITHIN,
    Holds,
    Letter,
    Links,
    Mailer,
    OutcomeUnknown,
    Refused,
    Renderer,
    TryAgainLater,
    judge_now,
)
from milepost.notifications.notice import Notice, State, urgency
from milepost.notifications.subscription import DigestReason, Subscription, digest_reason
from milepost.orders.overdue_list import OverdueNow, OverdueOrders, merged

BATCH_CLAIM: Final = CLAIM
MOST_IN_A_MAIL: Final = 5_000
"""Maximum number of notices of one mail; further held notices are sent with the next mail."""
MOST_SHOWN: Final = 200
"""Maximum number of notices that a digest shows, the most urgent ones; the others are counted."""


@dataclass(slots=True)
class _Group:
    """Notices of a batch that are sent as one mail: one language, one time zone."""

    voice: Voice
    due_at: datetime
    shown: list[Judged] = field(default_factory=list)
    beyond: list[Notice] = field(default_factory=list)
    subscriptions: set[Subscription | None] = field(default_factory=set)

    def add(self, judged: Judged) -> None:
        self.subscriptions.add(judged.facts.subscription)
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(judged)
        else:
            # Only counted, so that thousands of orders needn't be kept in memory.
            self.beyond.append(judged.in_voice)

    @property
    def notices(self) -> list[Notice]:
        return [*(judged.in_voice for judged in self.shown), *self.beyond]

    @property
    def reason(self) -> DigestReason:
        return digest_reason(self.subscriptions, due_at=self.due_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldNoticesSender(Generic[Letter]):
    """Sends held notices, as one mail for each language and time zone of their recipient."""

    claims: Claims
    holds: Holds
    judge: Judge
    renderer: Renderer[Letter]
    links: Links
    mailer: Mailer[Letter]
    overdue: OverdueOrders | None = None

    def send(self, batch: Batch, *, now: datetime) -> None:
        """Send the held notices of one recipient, and log the outcome of each.

        Notices that may be sent are sent as one mail for each language and time zone that the
        recipient chose; for each other one the log says why it was not sent.

        :raises AlreadyClaimed: when another worker holds the claim
        :raises TryAgainLater: when the notices can't be judged or sent now
        :raises OutcomeUnknown: when a mail may have been sent; the batch waits for ``NEWS_WITHIN``
        """
        # Claimed first: only the worker that may send the held notices reads them.
        claimed = self.holds.claim_batch(batch, at=now, until=now + BATCH_CLAIM)
        try:
            waiting = self._log_last_mail(batch, claimed, self._still_waiting(batch), now)
            for start in range(0, len(waiting), MOST_IN_A_MAIL):
                part = waiting[start : start + MOST_IN_A_MAIL]
                self._send_part(batch, part, now, claimed.token)
        except TryAgainLater:
            self.holds.release_batch(batch, claim=claimed.token)
            raise
        except OutcomeUnknown:
            until = now + NEWS_WITHIN
            self.holds.keep_batch_claim(batch, claim=claimed.token, until=until)
            raise
        self.holds.close_batch(batch, claim=claimed.token)

    def _still_waiting(self, batch: Batch) -> Sequence[Notice]:
        """The held notices that have not been sent by another mail in the meantime."""
        held = self.holds.held(batch)
        waiting = self.claims.waiting(held)
        ids = {notice.id for notice in waiting}
        self.holds.let_go(batch, [notice for notice in held if notice.id not in ids])
        return waiting

    def _log_last_mail(
        self, batch: Batch, claimed: Claimed, waiting: Sequence[Notice], now: datetime
    ) -> Sequence[Notice]:
        """Log the outcomes that an interrupted worker did not log; returns the notices that still
        wait.

        A notice that was held after that mail was sent is not one of those that it contained.
        """
        notified = [notice for notice in waiting if claimed.has_notified(notice)]
        if notified and claimed.message_id is not None:
            self._log_sent(batch, notified, claimed.message_id, now)
        return [notice for notice in waiting if not claimed.has_notified(notice)]

    def _send_part(
        self, batch: Batch, notices: Sequence[Notice], now: datetime, claim: str
    ) -> None:
        groups: dict[Voice, _Group] = {}
        closed = []
        for judged in judge_now(self.judge, sorted(notices, key=urgency), now):
            if judged.verdict is not None:
                self._close(judged.notice, judged.verdict, now)
                closed.append(judged.notice)
            else:
                groups.setdefault(judged.voice, _Group(judged.voice, batch.due_at)).add(judged)
        self.holds.let_go(batch, closed)
        for group in groups.values():
            self._send_group(batch, group, now, claim)

    def _send_group(self, batch: Batch, group: _Group, now: datetime, claim: str) -> None:
        mail = self._write(batch, group, now)
        if mail is None:
            return
        notices = group.notices
        try:
            message_id = self.mailer.send(mail, notices=notices, at=now)
        except Refused as refusal:
            self._close_all(batch, notices, Verdict(State.FAILED, str(refusal)), now)
            return
        self.holds.mark_batch_sent(batch, notices, message_id=message_id, at=now, claim=claim)
        self._log_sent(batch, notices, message_id, now)

    def _log_sent(
        self, batch: Batch, notices: Sequence[Notice], message_id: str, now: datetime
    ) -> None:
        self.claims.mark_all_sent(notices, message_id=message_id, at=now, digest=batch_id(batch))
        self.holds.let_go(batch, notices)

    def _write(self, batch: Batch, group: _Group, now: datetime) -> Letter | None:
        """The group's mail, without the notices that can't be rendered; None if none are left."""
        url, overdue = self.links.url_for(group.notices), self._overdue(group, now)
        try:
            return self._render(group, url, overdue)
        except Exception:  # whatever the error: one notice must not prevent the others
            faults = {one.notice.id: self._fault_of(group, one) for one in group.shown}
            bad = [one for one in group.shown if faults[one.notice.id]]
            if not bad or len(bad) == len(group.shown) > 1:
                # It doesn't concern a single notice: once the cause is fixed, all can be sent.
                raise
        for one in bad:
            reason = f"its mail can't be rendered: {faults[one.notice.id]}"
            self._close_all(batch, [one.notice], Verdict(State.FAILED, reason), now)
        group.shown = [one for one in group.shown if one not in bad]
        return self._write(batch, group, now) if group.shown else None

    def _fault_of(self, group: _Group, one: Judged) -> str | None:
        """The type of the error that occurs while rendering this notice; None if it can be
        rendered.
        """
        try:
            if len(group.notices) == 1:
                self._render_one(group, None)
            else:
                self._render_lines(group, [one])
        except Exception as error:
            return type(error).__name__
        return None

    def _render(self, group: _Group, url: str | None, overdue: OverdueNow | None) -> Letter:
        """Render a single notice as a normal mail, which is easier to read than a digest."""
        if len(group.notices) == 1:
            return self._render_one(group, url)
        return self._render_lines(
            group, group.shown, beyond=group.beyond, unsubscribe_url=url, overdue=overdue
        )

    def _render_one(self, group: _Group, url: str | None) -> Letter:
        (one,) = group.shown
        return self.renderer.render(
            one.in_voice, one.tracked, time_zone=group.voice.time_zone, unsubscribe_url=url
        )

    def _render_lines(self, group: _Group, shown: Sequence[Judged], **more: Any) -> Letter:
        return self.renderer.render_batch(
            [(one.in_voice, one.tracked) for one in shown],
            time_zone=group.voice.time_zone,
            reason=group.reason,
            **more,
        )

    def _overdue(self, group: _Group, now: datetime) -> OverdueNow | None:
        """Other overdue orders of every subscription that the mail is for.

        :raises TryAgainLater: when their orders can't be read now
        """
        names = {notice.subscription for notice in group.notices} - {None}
        if self.overdue is None or not names or len(group.notices) == 1:
            return None
        try:
            return merged(
                self.overdue.covered_by(name, now=now) for name in sorted(filter(None, names))
            )
        except OrdersUnavailable as unavailable:
            raise TryAgainLater(str(unavailable)) from None

    def _close_all(
        self, batch: Batch, notices: Sequence[Notice], verdict: Verdict, now: datetime
    ) -> None:
        for notice in notices:
            self._close(notice, verdict, now)
        self.holds.let_go(batch, notices)

    def _close(self, notice: Notice, verdict: Verdict, now: datetime) -> None:
        self.claims.close(notice, state=verdict.state, reason=verdict.reason, at=now)
