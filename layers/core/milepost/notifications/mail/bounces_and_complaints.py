"""Bounces, complaints and deliveries: their effect on a notice's state and on suppressions.

Events come at least once and in any order. So a notice only moves forward, by one table, and an
event that has nothing to move changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.notifications.mail.ses_events import MailEvent, MailOutcome
from milepost.notifications.notice import Notice, State
from milepost.notifications.subscription import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A notice in the log; ``message_id`` is that of its latest mail."""

    notice: Notice
    state: State
    message_id: str | None = None
    attempts: int = 0
    """How often it was tried again after a soft bounce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A notice's next state; ``retry_at`` is the time of a retry."""

    state: State
    reason: str | None = None
    retry_at: datetime | None = None
    attempts: int = 0


class NotLoggedYet(Exception):
    """The event came before the sender's entry in the log; try again in a minute."""


MOVES: Final[Mapping[MailOutcome, tuple[State, frozenset[State]]]] = {
    MailOutcome.DELIVERED: (State.DELIVERED, frozenset({State.QUEUED, State.SENT})),
    MailOutcome.SOFT_BOUNCE: (State.QUEUED, frozenset({State.SENT})),
    MailOutcome.REJECT: (State.FAILED, frozenset({State.QUEUED, State.SENT})),
    MailOutcome.REFUSED_BOUNCE: (
        State.BOUNCED,
        frozenset({State.QUEUED, State.SENT, State.DELIVERED}),
    ),
    MailOutcome.HARD_BOUNCE: (
        State.BOUNCED,
        frozenset({State.QUEUED, State.SENT, State.DELIVERED}),
    ),
    MailOutcome.COMPLAINT: (
        State.COMPLAINED,
        frozenset({State.QUEUED, State.SENT, State.DELIVERED, State.BOUNCED}),
    ),
}
"""Where each fate leads, and from which states: nowhere else does an event move a notice.

A queued notice moves when it waits to be tried again, or its sender was killed before it could
log what it had sent. A mailbox may take a mail and return it later, so a bounce follows a
delivery; a soft one doesn't, since an automatic answer ("out of the office") is reported as one.
"""

RETRY_AFTER: Final = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""How long after each soft bounce the mail is tried again. The mail service has by then tried
for hours itself."""

LOGGED_WITHIN: Final = timedelta(minutes=2)
"""By when a sender that was not killed has logged what it sent."""


class Mails(Protocol):
    """The log of mails, as far as tracking needs it."""

    def find(self, mail_id: str) -> Sequence[Logged]:
        """The notices in a mail: several for a digest, none if the mail is unknown."""
        ...

    def move(self, logged: Logged, step: Step, *, starts: frozenset[State], at: datetime) -> bool:
        """Write the step unless the notice has left ``starts``, or was sent again, in the
        meantime.
        """
        ...

    def try_again(self, notices: Sequence[Notice], *, at: datetime) -> None:
        """Send the notices again at that time, as one mail. Repeating this has no effect."""
        ...


class Suppressions(Protocol):
    def suppress(self, address: str, *, reason: str, at: datetime) -> None:
        """Suppress the address, for all audiences."""
        ...


class Subscriptions(Protocol):
    def get(self, subscription_id: str) -> Subscription | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """Records the mail service's events in the log."""

    mails: Mails
    suppressions: Suppressions
    subscriptions: Subscriptions

    def track(self, event: MailEvent, *, now: datetime) -> dict[str, State]:
        """Log the outcome of a mail; returns the ids and states of the notices that changed.

        :raises NotLoggedYet: when the sender has not logged the mail; nothing was written then
            but what may be written again
        """
        if reason := why_suppress(event):
            self.suppressions.suppress(event.recipient, reason=reason, at=event.occurred_at)
        if event.mail_id is None:
            return {}
        steps = [
            (logged, self._when_awake(step, logged.notice))
            for logged in self.mails.find(event.mail_id)
            if (step := decide(event, logged, now=now))
        ]
        self._try_again(steps)
        starts = MOVES[event.fate][1]
        return {
            logged.notice.id: step.state
            for logged, step in steps
            if self.mails.move(logged, step, starts=starts, at=event.occurred_at)
        }

    def _when_awake(self, step: Step, notice: Notice) -> Step:
        """The step, with its retry after the end of quiet hours, like the first attempt."""
        if step.retry_at is None or notice.subscription is None:
            return step
        subscription = self.subscriptions.get(notice.subscription)
        if subscription is None:
            return step
        awake = subscription.awake_from(notice.announcement.kind, step.retry_at)
        return replace(step, retry_at=awake)

    def _try_again(self, steps: Sequence[tuple[Logged, Step]]) -> None:
        # Before the states are written, so that after an interruption the same is done again.
        retries: dict[datetime, list[Notice]] = {}
        for logged, step in steps:
            if step.retry_at:
                retries.setdefault(step.retry_at, []).append(logged.notice)
        for at, notices in retries.items():
            self.mails.try_again(notices, at=at)


def decide(event: MailEvent, logged: Logged, *, now: datetime) -> Step | None:
    """The effect of an event on one notice; None if it has none.

    :raises NotLoggedYet: when the notice's sender is probably still working on it
    """
    is_latest = logged.message_id == event.message_id
    if logged.state is State.QUEUED and not is_latest and now - event.sent_at < LOGGED_WITHIN:
        raise NotLoggedYet(logged.notice.id)
    state, starts = MOVES[event.fate]
    if logged.state not in starts:
        return None
    if event.fate is MailOutcome.SOFT_BOUNCE:
        return _decide_soft_bounce(event, logged) if is_latest else None
    return Step(state=state, reason=_reason(event), attempts=logged.attempts)


def _decide_soft_bounce(event: MailEvent, logged: Logged) -> Step:
    if logged.attempts >= len(RETRY_AFTER):
        tries = logged.attempts + 1
        reason = f"{_reason(event)}; tried {tries} times"
        return Step(state=State.BOUNCED, reason=reason, attempts=logged.attempts)
    return Step(
        state=State.QUEUED,
        reason=f"{_reason(event)}; it is tried again",
        retry_at=event.occurred_at + RETRY_AFTER[logged.attempts],
        attempts=logged.attempts + 1,
    )


def why_suppress(event: MailEvent) -> str | None:
    """Why no more mails may be sent to the address after this event, as text; None if they may."""
    day = f"{event.occurred_at:%Y-%m-%d}"
    match event.fate:
        case MailOutcome.HARD_BOUNCE:
            return f"bounced before: {event.detail}, on {day}"
        case MailOutcome.COMPLAINT:
            return f"complained on {day}"
        case _:
            return None


_REASONS: Final[Mapping[MailOutcome, str]] = {
    MailOutcome.SOFT_BOUNCE: "soft bounce",
    MailOutcome.REFUSED_BOUNCE: "the recipient's mail server refused it",
    MailOutcome.HARD_BOUNCE: "hard bounce",
    MailOutcome.COMPLAINT: "reported as unwanted",
    MailOutcome.REJECT: "SES rejected the mail",
}


def _reason(event: MailEvent) -> str | None:
    words = _REASONS.get(event.fate)
    return f"{words}: {event.detail}" if words and event.detail else words
