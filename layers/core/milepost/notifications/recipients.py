"""Recipients of an announcement: who is notified and when, and who is not notified and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from milepost.common.email_addresses import is_email
from milepost.connections.connection import Connection
from milepost.notifications.eligibility import customer_notices_off
from milepost.notifications.notice import (
    CUSTOMER_KINDS,
    FOR_CONTACT_ALONE,
    FOR_READERS,
    Audience,
    Channel,
    Notice,
)
from milepost.notifications.subscription import Subscription
from milepost.orders.announcements import Announced
from milepost.orders.order import Announcement, Kind
from milepost.orders.reminders import is_to_complete

NO_ADDRESS: Final = "no email address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One possible notice: to be sent immediately, to be sent at ``due_at``, or, with a reason, not
    to be sent.
    """

    notice: Notice
    due_at: datetime | None = None
    skipped: str | None = None
    waits_for: str | None = None
    """What it waits for before it can be sent, as text for the delivery log."""
    resend_of: str | None = None
    requested_by: str | None = None
    requested_with: str | None = None
    """The idempotency key of a person's request, which creates one notice even if it is
    repeated."""


def choose(
    announced: Announced,
    subscriptions: Iterable[Subscription],
    connection: Connection,
    *,
    now: datetime,
) -> list[Choice]:
    """One choice for each recipient and channel, even if several of their subscriptions match.

    Of several subscriptions of one recipient, an active one takes precedence over one that has
    ended, and one that notifies sooner over one that waits. A customer who is also a subscriber
    counts as two recipients, which are notified or skipped independently.
    """
    subscriptions = tuple(subscriptions)
    chosen: dict[str, Choice] = {}
    for choice in _team(announced, subscriptions, now):
        present = chosen.setdefault(choice.notice.id, choice)
        if _urgency(choice) < _urgency(present):
            chosen[choice.notice.id] = choice
    for choice in (*_customer(announced, connection), *_contact(announced, connection)):
        own = choice
        if choice.notice.id in chosen:
            own = replace(choice, notice=replace(choice.notice, apart=True))
        chosen[own.notice.id] = own
    choices = list(chosen.values())
    one = announced.announcement
    other = _other_that_says_it(one)
    if other is None:
        return choices
    others = choose(replace(announced, announcement=other), subscriptions, connection, now=now)
    why = SAID_BY_NEXT
    if one.is_reason_of_ending:
        why = REASON_IS_SAID
    elif one.is_date_of_schedule:
        why = DATE_IS_SAID
    return [_or_said_by(choice, others, why) for choice in choices]


SAID_BY_NEXT: Final = "the message about the date, which followed at once, says it as well"
DATE_IS_SAID: Final = "the message that it is scheduled waited for the date, and has it"

REASON_IS_SAID: Final = "the message that it is rejected waited for the reason, and has it"
REASON_FOLLOWED: Final = "customers get no further message if only the reason of an ending is new"


def _other_that_says_it(one: Announcement) -> Announcement | None:
    """The announcement whose text includes the information of this one; None if there is none."""
    if not one.joined or one.kind is Kind.SCHEDULED:
        return None
    if one.is_reason_of_ending:
        return replace(one, sequence=one.sequence - 1, previous=None, joined=False)
    step = -1 if one.is_date_of_schedule else 1
    return replace(one, kind=Kind.SCHEDULED, sequence=one.sequence + step)


def _or_said_by(choice: Choice, others: Iterable[Choice], why: str) -> Choice:
    """Skip a text if the same recipient gets another one with more information at the same time."""
    notice = choice.notice
    if notice.channel not in FOR_READERS or choice.skipped is not None:
        return choice
    is_said = any(
        other.skipped is None
        and other.notice.channel is notice.channel
        and other.notice.recipient_hash == notice.recipient_hash
        and other.notice.audience is notice.audience
        and _urgency(other) <= _urgency(choice)
        for other in others
    )
    return replace(choice, due_at=None, skipped=why) if is_said else choice


def _urgency(choice: Choice) -> tuple[bool, float]:
    return choice.skipped is not None, choice.due_at.timestamp() if choice.due_at else 0.0


def _team(
    announced: Announced, subscriptions: Iterable[Subscription], now: datetime
) -> Iterator[Choice]:
    for subscription in sorted(subscriptions, key=lambda one: one.id):
        if subscription.wants(announced):
            notice = Notice(
                key=announced.key,
                announcement=announced.announcement,
                channel=subscription.channel,
                recipient=subscription.recipient,
                language=subscription.language,
                subscription=subscription.id,
            )
            due_at = subscription.due_at(announced.announcement.kind, now=now)
            yield Choice(notice=notice, due_at=due_at, skipped=subscription.ended)


def _customer(announced: Announced, connection: Connection) -> Iterator[Choice]:
    kind = announced.announcement.kind
    is_for_team = is_to_complete(announced.announcement, announced.details, connection)
    if kind not in CUSTOMER_KINDS or is_for_team:
        return
    address = announced.details.get("customer", {}).get("email", "")
    notice = Notice(
        key=announced.key,
        announcement=announced.announcement,
        channel=Channel.EMAIL,
        recipient=address,
        audience=Audience.CUSTOMER,
        language=connection.language,
    )
    why = _why_not(kind, address, connection)
    if announced.announcement.is_reason_of_ending and kind in connection.customer_notices:
        # Whatever the address: nobody should wait for it.
        why = REASON_FOLLOWED
    yield Choice(notice=notice, skipped=why)


def _contact(announced: Announced, connection: Connection) -> Iterator[Choice]:
    """The connection's contact, which comes from its settings and can't unsubscribe."""
    if announced.announcement.kind in FOR_CONTACT_ALONE and connection.contact:
        yield Choice(
            notice=Notice(
                key=announced.key,
                announcement=announced.announcement,
                channel=Channel.EMAIL,
                recipient=connection.contact,
                language=connection.language,
            )
        )


def _why_not(kind: str, address: str, connection: Connection) -> str | None:
    if kind not in connection.customer_notices:
        return customer_notices_off(kind, connection)
    if not address:
        return NO_ADDRESS
    if not is_email(address):
        return "the email address can't be right"
    return None
