"""How events move notices: forward only, whatever comes twice or late."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.notifications.mail.bounces_and_complaints import (
    RETRY_AFTER,
    Logged,
    NotLoggedYet,
    Step,
    Tracker,
    decide,
)
from milepost.notifications.mail.ses_events import MailEvent, MailOutcome
from milepost.notifications.notice import Notice, State
from milepost.notifications.subscription import QuietHours, Subscription
from milepost.orders.order import Kind
from tests.builders import announcement, minute, notice

NOW = minute(30)
NOTICE = notice()


def event(fate: MailOutcome = MailOutcome.DELIVERED, **changes: Any) -> MailEvent:
    fields: dict[str, Any] = {
        "fate": fate,
        "mail_id": "m1",
        "message_id": "ses-1",
        "recipient": NOTICE.recipient,
        "detail": "MailboxFull" if fate is MailOutcome.SOFT_BOUNCE else "General",
        "sent_at": minute(1),
        "occurred_at": minute(2),
    }
    return MailEvent(**{**fields, **changes})


def logged(state: State = State.SENT, **changes: Any) -> Logged:
    fields: dict[str, Any] = {"notice": NOTICE, "state": state, "message_id": "ses-1"}
    return Logged(**{**fields, **changes})


@dataclass
class MemoryMails:
    """One mail's notices; implements ``bounces_and_complaints.Mails``."""

    notices: dict[str, Logged] = field(default_factory=dict)
    reasons: list[str | None] = field(default_factory=list)
    retries: list[tuple[datetime, Sequence[Notice]]] = field(default_factory=list)

    @classmethod
    def of(cls, *entries: Logged) -> "MemoryMails":
        return cls({entry.notice.id: entry for entry in entries})

    def find(self, mail_id: str) -> Sequence[Logged]:
        return list(self.notices.values()) if mail_id == "m1" else []

    def move(self, logged: Logged, step: Step, *, starts: frozenset[State], at: datetime) -> bool:
        there = self.notices[logged.notice.id]
        if there.state not in starts or there.message_id != logged.message_id:
            return False
        moved = replace(there, state=step.state, attempts=step.attempts)
        self.notices[logged.notice.id] = moved
        self.reasons.append(step.reason)
        return True

    def try_again(self, notices: Sequence[Notice], *, at: datetime) -> None:
        self.retries.append((at, notices))

    @property
    def states(self) -> set[State]:
        return {entry.state for entry in self.notices.values()}


@dataclass
class MemorySuppressions:
    reasons: dict[str, str] = field(default_factory=dict)

    def suppress(self, address: str, *, reason: str, at: datetime) -> None:
        self.reasons[address] = reason


@dataclass
class MemorySubscriptions:
    """Implements ``bounces_and_complaints.Subscriptions``."""

    kept: tuple[Subscription, ...] = ()

    def get(self, subscription_id: str) -> Subscription | None:
        return next((one for one in self.kept if one.id == subscription_id), None)


def track(
    mails: MemoryMails,
    *events: MailEvent,
    now: datetime = NOW,
    subscriptions: tuple[Subscription, ...] = (),
) -> MemorySuppressions:
    suppressions = MemorySuppressions()
    tracker = Tracker(
        mails=mails,
        suppressions=suppressions,
        subscriptions=MemorySubscriptions(subscriptions),
    )
    for one in events:
        tracker.track(one, now=now)
    return suppressions


@pytest.mark.parametrize(
    ("fate", "state"),
    [
        (MailOutcome.DELIVERED, State.DELIVERED),
        (MailOutcome.HARD_BOUNCE, State.BOUNCED),
        (MailOutcome.REFUSED_BOUNCE, State.BOUNCED),
        (MailOutcome.COMPLAINT, State.COMPLAINED),
        (MailOutcome.REJECT, State.FAILED),
        (MailOutcome.SOFT_BOUNCE, State.QUEUED),
    ],
)
def test_what_a_sent_mail_met_with_is_its_notices_state(fate: MailOutcome, state: State) -> None:
    mails = MemoryMails.of(logged())
    track(mails, event(fate))
    assert mails.states == {state}


@given(
    st.lists(
        st.sampled_from([MailOutcome.DELIVERED, MailOutcome.HARD_BOUNCE, MailOutcome.COMPLAINT]),
        min_size=1,
    ),
    st.randoms(use_true_random=False),
)
def test_events_in_any_order_and_number_end_in_the_same_state(
    fates: list[MailOutcome], random: Any
) -> None:
    shuffled = fates * 2
    random.shuffle(shuffled)
    first, second = MemoryMails.of(logged()), MemoryMails.of(logged())
    track(first, *(event(fate) for fate in fates))
    track(second, *(event(fate) for fate in shuffled))
    assert first.states == second.states


@pytest.mark.parametrize("state", [State.SUPPRESSED, State.SKIPPED, State.FAILED])
@pytest.mark.parametrize("fate", list(MailOutcome))
def test_what_was_closed_stays_closed(fate: MailOutcome, state: State) -> None:
    assert decide(event(fate), logged(state), now=NOW) is None


def test_a_delivery_after_a_bounce_changes_nothing() -> None:
    assert decide(event(), logged(State.BOUNCED), now=NOW) is None


def test_an_automatic_answer_after_a_delivery_sends_nothing_again() -> None:
    mails = MemoryMails.of(logged(State.DELIVERED))
    track(mails, event(MailOutcome.SOFT_BOUNCE))
    assert (mails.states, mails.retries) == ({State.DELIVERED}, [])


def test_a_delivery_told_after_the_automatic_answer_stops_the_retry() -> None:
    mails = MemoryMails.of(logged())
    track(mails, event(MailOutcome.SOFT_BOUNCE), event())
    assert mails.states == {State.DELIVERED}


@pytest.mark.parametrize("attempts", range(len(RETRY_AFTER)))
def test_each_soft_bounce_waits_longer_before_the_next_try(attempts: int) -> None:
    step = decide(event(MailOutcome.SOFT_BOUNCE), logged(attempts=attempts), now=NOW)
    assert step is not None
    assert step.retry_at == minute(2) + RETRY_AFTER[attempts]
    assert (step.state, step.attempts) == (State.QUEUED, attempts + 1)
    assert list(RETRY_AFTER) == sorted(RETRY_AFTER)


def test_the_fourth_soft_bounce_is_a_bounce_that_suppresses_nothing() -> None:
    mails = MemoryMails.of(logged(attempts=3))
    suppressions = track(mails, event(MailOutcome.SOFT_BOUNCE))
    assert (mails.states, mails.retries) == ({State.BOUNCED}, [])
    assert mails.reasons == ["soft bounce: MailboxFull; tried 4 times"]
    assert suppressions.reasons == {}


def test_a_repeated_soft_bounce_is_one_retry() -> None:
    mails = MemoryMails.of(logged())
    track(mails, event(MailOutcome.SOFT_BOUNCE), event(MailOutcome.SOFT_BOUNCE))
    assert len(mails.retries) == 1
    assert mails.notices[NOTICE.id].attempts == 1


def test_a_soft_bounce_of_an_earlier_try_is_past() -> None:
    late = event(MailOutcome.SOFT_BOUNCE, message_id="ses-0")
    assert decide(late, logged(attempts=1), now=NOW) is None


def test_a_worker_killed_between_retry_and_log_repeats_the_same_retry() -> None:
    mails = MemoryMails.of(logged())
    track(mails, event(MailOutcome.SOFT_BOUNCE))
    mails.notices[NOTICE.id] = logged()
    track(mails, event(MailOutcome.SOFT_BOUNCE), now=NOW + timedelta(minutes=1))
    assert mails.retries[0] == mails.retries[1]


def test_an_event_quicker_than_the_log_comes_again() -> None:
    early = logged(State.QUEUED, message_id=None)
    with pytest.raises(NotLoggedYet):
        decide(event(), early, now=minute(2))


def test_an_event_of_a_mail_whose_sender_was_killed_counts_at_last() -> None:
    step = decide(event(), logged(State.QUEUED, message_id=None), now=NOW)
    assert step is not None
    assert step.state is State.DELIVERED


def test_a_hard_bounce_suppresses_the_address_and_says_since_when() -> None:
    suppressions = track(MemoryMails.of(logged()), event(MailOutcome.HARD_BOUNCE))
    assert suppressions.reasons == {NOTICE.recipient: "bounced before: General, on 2026-03-02"}


def test_a_complaint_suppresses_the_address() -> None:
    suppressions = track(MemoryMails.of(logged()), event(MailOutcome.COMPLAINT))
    assert suppressions.reasons == {NOTICE.recipient: "complained on 2026-03-02"}


def test_a_refused_content_is_no_fault_of_the_address() -> None:
    assert track(MemoryMails.of(logged()), event(MailOutcome.REFUSED_BOUNCE)).reasons == {}


@pytest.mark.parametrize("mail_id", [None, "of another stack"])
def test_a_bounce_of_an_unknown_mail_still_suppresses(mail_id: str | None) -> None:
    mails = MemoryMails.of(logged())
    suppressions = track(mails, event(MailOutcome.HARD_BOUNCE, mail_id=mail_id))
    assert NOTICE.recipient in suppressions.reasons
    assert mails.states == {State.SENT}


def test_a_digests_event_moves_each_of_its_notices_and_retries_them_as_one_mail() -> None:
    other = replace(NOTICE, announcement=replace(NOTICE.announcement, sequence=2))
    mails = MemoryMails.of(logged(), logged(notice=other))
    track(mails, event(MailOutcome.SOFT_BOUNCE))
    assert mails.states == {State.QUEUED}
    assert mails.retries == [(minute(7), [NOTICE, other])]


def test_a_soft_bounce_is_tried_again_once_the_quiet_hours_are_over() -> None:
    # It bounced at 12:02, which asks for another try at 12:07.
    siesta = QuietHours(start=time(12, 5), end=time(14), passing=frozenset({"rejected"}))
    subscriber = Subscription(
        id="sales", recipient=NOTICE.recipient, time_zone="UTC", quiet_hours=siesta
    )
    waiting = replace(NOTICE, subscription="sales")
    urgent = replace(waiting, announcement=announcement(Kind.REJECTED, 2))
    mails = MemoryMails.of(logged(notice=waiting), logged(notice=urgent))
    track(mails, event(MailOutcome.SOFT_BOUNCE), subscriptions=(subscriber,))
    assert mails.retries == [(minute(120), [waiting]), (minute(7), [urgent])]


def test_a_retry_for_a_subscription_that_is_gone_keeps_its_time() -> None:
    mails = MemoryMails.of(logged(notice=replace(NOTICE, subscription="gone")))
    track(mails, event(MailOutcome.SOFT_BOUNCE))
    assert [at for at, _ in mails.retries] == [minute(7)]
