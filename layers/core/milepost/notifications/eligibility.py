"""Eligibility: whether a notice may be sent, judged for each notice at the moment of sending.

This also applies to each notice of a batch: it has its own subscription, connection, address and
order, any of which may have changed since the notice was queued.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.notifications.notice import FOR_CONTACT_ALONE, FOR_READERS, Audience, Notice, State
from milepost.notifications.subscription import Subscription
from milepost.orders.deadlines import appointment_ends
from milepost.orders.follow_ups import follow_up_withdrawn
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Announcement, Kind, TrackedOrder
from milepost.orders.reminders import reminder_withdrawn
from milepost.queries.overdue_commissions import commission_withdrawn

_APPOINTMENTS: Final = frozenset({Kind.SCHEDULED, Kind.RESCHEDULED})
_OF_MARKS: Final = frozenset({Kind.OVERDUE, Kind.ESCALATED, Kind.ATTENTION})
_BY_TIME: Final = frozenset({Kind.REMINDER, Kind.DELAYED, Kind.FOLLOW_UP, Kind.COMMISSION_OVERDUE})
"""Kinds that are announced because time has passed. They are withdrawn, for all recipients, when
they are no longer true."""
_CAME_TO_NOTHING: Final = frozenset({Status.REJECTED, Status.FAILED, Status.CANCELLED})
_DONE: Final = frozenset({Status.COMPLETED, Status.ACTIVE})
"""Announced together, once: a move from one to the other doesn't make a notice out of date."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a notice is not sent: its final state in the log, and the reason as text."""

    state: State
    reason: str


SAID_WITH_REASON: Final = "the message with the reason, which followed, says it as well"
SUBSCRIPTION_DELETED: Final = Verdict(State.SKIPPED, "the subscription was deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The present facts of one notice, read consistently.

    ``subscription``, ``connection`` and ``tracked`` are None if there is none. If the order is
    stored but can't be read, ``unreadable`` says why; ``tracked`` is then None as well.
    """

    suppressed: str | None = None
    subscription: Subscription | None = None
    connection: Connection | None = None
    is_connection_unusable: bool = False
    """Whether the connection exists, but its settings can't be used."""
    tracked: TrackedOrder | None = None
    unreadable: str | None = None


def judge(notice: Notice, facts: Facts, *, now: datetime) -> Verdict | None:
    """Why this notice is not sent; None if it may be sent.

    A notice that a person has forced is only stopped by what can't be overridden: an order that was
    erased or can't be read, and a connection that was removed.
    """
    return (
        _of_person(notice, facts, now) if not notice.forced else None
    ) or _of_what_it_is_written_from(facts)


def out_of_date(
    one: Announcement, tracked: TrackedOrder, connection: Connection, *, now: datetime
) -> str | None:
    """The reason why the announcement is no longer true, as text; None if it still is."""
    order = tracked.order
    if one.kind in _BY_TIME:
        return _withdrawn(one, tracked, connection, now=now)
    if one.kind in _OF_MARKS:
        return _settled(one, tracked)
    if order.status is not one.status and not {order.status, one.status} <= _DONE:
        return f"the order is {_words(order.status)} now"
    if one.kind not in _APPOINTMENTS:
        return None
    later = (other for other in tracked.announced if other.sequence > one.sequence)
    if any(other.kind in _APPOINTMENTS and not other.is_date_of_schedule for other in later):
        return "its appointment was changed since"
    return _of_past_appointment(tracked, connection, now)


def _settled(one: Announcement, tracked: TrackedOrder) -> str | None:
    """Why a reason for attention no longer needs a person."""
    if one.kind is Kind.ATTENTION:
        return None if tracked.attention else "nothing of the order needs attention any more"
    late = tracked.overdue
    is_late = late is not None and late.status is one.status
    return None if is_late else "the order is no longer overdue in that stage"


def _of_person(notice: Notice, facts: Facts, now: datetime) -> Verdict | None:
    """Verdicts that a person may override by forcing a resend."""
    if facts.suppressed is not None:
        return Verdict(State.SUPPRESSED, facts.suppressed)
    return (
        _of_subscription(notice, facts)
        or _of_connection(notice, facts.connection)
        or _of_time(notice, facts, now)
        or _of_reason(notice, facts.tracked)
        or _of_customers_order(notice, facts, now)
    )


def _of_subscription(notice: Notice, facts: Facts) -> Verdict | None:
    subscription = facts.subscription
    if notice.subscription is None:
        return None
    if subscription is None:
        return SUBSCRIPTION_DELETED
    if subscription.ended is not None:
        return Verdict(State.SUPPRESSED, subscription.ended)
    change = _change_of(subscription, notice, facts.tracked)
    return Verdict(State.SKIPPED, change) if change else None


def _change_of(
    subscription: Subscription, notice: Notice, tracked: TrackedOrder | None
) -> str | None:
    """The reason why a subscription that was changed in the meantime no longer gets this notice."""
    kind, connection = notice.announcement.kind, notice.key.connection
    if not _is_to_same_recipient(notice, subscription):
        return "the subscription has another recipient now"
    if not subscription.takes(kind):
        return f"the subscription no longer asks for {kind}"
    if not subscription.takes_connection(connection):
        return f"the subscription no longer asks for {connection}"
    if tracked is None or tracked.erased_at is not None:
        return None
    if not subscription.covers(connection, tracked.order.details.get("service_type")):
        return "the subscription no longer asks for this service type"
    return None


def _is_to_same_recipient(notice: Notice, subscription: Subscription) -> bool:
    now = replace(notice, channel=subscription.channel, recipient=subscription.recipient)
    return now.recipient_hash == notice.recipient_hash and now.channel is notice.channel


def _of_connection(notice: Notice, connection: Connection | None) -> Verdict | None:
    """Verdicts from the connection's settings for customers and for its contact."""
    if connection is None:
        return None
    kind = notice.announcement.kind
    if notice.audience is Audience.CUSTOMER and kind not in connection.customer_notices:
        return Verdict(State.SKIPPED, customer_notices_off(kind, connection))
    is_to_contact = kind in FOR_CONTACT_ALONE and notice.subscription is None and not notice.copy
    if is_to_contact and not _is_contact(notice, connection):
        return Verdict(State.SKIPPED, "the connection has another contact now")
    return None


def customer_notices_off(kind: str, connection: Connection) -> str:
    """The reason why customers are not notified of a kind, as text."""
    return f"customer notices of kind {kind} are off for {connection.id}"


def _is_contact(notice: Notice, connection: Connection) -> bool:
    contact = replace(notice, recipient=connection.contact or "")
    return contact.recipient_hash == notice.recipient_hash


def _of_time(notice: Notice, facts: Facts, now: datetime) -> Verdict | None:
    """Verdicts for kinds that depend on time, such as a reminder of an appointment that was
    moved.
    """
    tracked, connection = facts.tracked, facts.connection
    if tracked is None or connection is None or tracked.erased_at is not None:
        return None
    one = notice.announcement
    reason = _withdrawn(one, tracked, connection, now=now) if one.kind in _BY_TIME else None
    return Verdict(State.SKIPPED, f"out of date: {reason}") if reason else None


def _withdrawn(
    one: Announcement, tracked: TrackedOrder, connection: Connection, *, now: datetime
) -> str | None:
    match one.kind:
        case Kind.REMINDER:
            return reminder_withdrawn(one, tracked, connection, now=now)
        case Kind.FOLLOW_UP:
            return follow_up_withdrawn(one, tracked, connection)
        case Kind.COMMISSION_OVERDUE:
            return commission_withdrawn(tracked, connection, now=now)
        case _:
            late = tracked.overdue
            is_late = late is not None and late.deadline == one.occurred_at
            return None if is_late else "the order is no longer delayed"


def _of_reason(notice: Notice, tracked: TrackedOrder | None) -> Verdict | None:
    """The verdict for a message that was held while its ending was announced again with the reason:
    recipients of this message get the other one, too."""
    one = notice.announcement
    is_held = notice.audience is Audience.TEAM and notice.channel in FOR_READERS
    if tracked is None or not is_held or notice.copy or one.is_reason_of_ending:
        return None
    is_repeated = any(
        other.is_reason_of_ending and other.kind is one.kind and not other.joined
        for other in tracked.announced
        if other.sequence > one.sequence
    )
    return Verdict(State.SKIPPED, SAID_WITH_REASON) if is_repeated else None


def _of_customers_order(notice: Notice, facts: Facts, now: datetime) -> Verdict | None:
    """A customer gets no misleading notice, for example if the order has since ended without
    success, or the appointment is over. The team gets it, with the order's current status."""
    tracked, connection = facts.tracked, facts.connection
    if notice.audience is not Audience.CUSTOMER or tracked is None or connection is None:
        return None
    one, status = notice.announcement, tracked.order.status
    if tracked.erased_at is not None:
        return None
    has_ended = status in _CAME_TO_NOTHING or (one.kind in _APPOINTMENTS and status in TERMINAL)
    if has_ended and status is not one.status:
        return Verdict(State.SKIPPED, f"out of date: the order is {_words(status)} now")
    if one.kind in _APPOINTMENTS and (reason := _of_past_appointment(tracked, connection, now)):
        return Verdict(State.SKIPPED, f"out of date: {reason}")
    return None


def _of_what_it_is_written_from(facts: Facts) -> Verdict | None:
    if facts.unreadable is not None:
        return Verdict(State.FAILED, f"its order can't be read: {facts.unreadable}")
    if facts.tracked is None:
        return Verdict(State.SKIPPED, "the order is no longer stored")
    if facts.tracked.erased_at is not None:
        return Verdict(State.SKIPPED, "the order was erased")
    if facts.is_connection_unusable:
        return Verdict(
            State.FAILED,
            "the settings of its connection can't be used: correct them, then resend it",
        )
    if facts.connection is None:
        return Verdict(State.FAILED, "its connection is not applied")
    return None


def _of_past_appointment(
    tracked: TrackedOrder, connection: Connection, now: datetime
) -> str | None:
    appointment = tracked.order.appointment
    if appointment is None or appointment_ends(appointment, connection) > now:
        return None
    return f"its appointment ({appointment}) is over"


def _words(status: Status) -> str:
    return str(status).replace("_", " ")
