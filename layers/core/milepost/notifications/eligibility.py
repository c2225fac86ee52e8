"""Verdicts: whether a notice may be sent, judged by itself at the moment of sending.

A batch is only an envelope: each of its notices has its own subscription, connection, address and
order, any of which may have changed since the notice was queued.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.notifications.notice import FOR_CONTACT_ALONE, Audience, Notice, State
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
"""What is announced because time has passed: withdrawn, for everybody, when it no longer holds."""
_CAME_TO_NOTHING: Final = frozenset({Status.REJECTED, Status.FAILED, Status.CANCELLED})
_DONE: Final = frozenset({Status.COMPLETED, Status.ACTIVE})
"""Announced as one, once: an order that goes on from one to the other has not moved on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a notice is not sent: the state in which the log closes it, and the reason in words."""

    state: State
    reason: str


SUBSCRIPTION_DELETED: Final = Verdict(State.SKIPPED, "the subscription was deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one notice now, read consistently.

    ``subscription``, ``connection`` and ``tracked`` are None when there is none. ``unreadable``
    says why the order is stored but can't be read; ``tracked`` is None then and says nothing.
    """

    suppressed: str | None = None
    subscription: Subscription | None = None
    connection: Connection | None = None
    is_connection_unusable: bool = False
    """Whether it is applied, and its settings can't be used."""
    tracked: TrackedOrder | None = None
    unreadable: str | None = None


def judge(notice: Notice, facts: Facts, *, now: datetime) -> Verdict | None:
    """Why this notice is not sent; None when it may be.

    A notice that a person has forced is only held back by what can't be overridden: an order
    that was erased or can't be read, and a connection that was removed.
    """
    return (
        _of_person(notice, facts, now) if not notice.forced else None
    ) or _of_what_it_is_written_from(facts)


def out_of_date(
    one: Announcement, tracked: TrackedOrder, connection: Connection, *, now: datetime
) -> str | None:
    """Why what was announced no longer holds, in words; None while it does."""
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
    if any(other.kind in _APPOINTMENTS for other in later):
        return "its appointment was changed since"
    return _of_past_appointment(tracked, connection, now)


def _settled(one: Announcement, tracked: TrackedOrder) -> str | None:
    """Why what a person should look at needs no look any more."""
    if one.kind is Kind.ATTENTION:
        return None if tracked.attention else "nothing of the order needs attention any more"
    late = tracked.overdue
    is_late = late is not None and late.status is one.status
    return None if is_late else "the order is no longer overdue in that stage"


def _of_person(notice: Notice, facts: Facts, now: datetime) -> Verdict | None:
    """What a person may override by forcing a resend."""
    if facts.suppressed is not None:
        return Verdict(State.SUPPRESSED, facts.suppressed)
    return (
        _of_subscription(notice, facts)
        or _of_connection(notice, facts.connection)
        or _of_time(notice, facts, now)
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
    """Why a subscription that has changed since is not sent this notice any more."""
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
    """What the connection's settings say of its customers, and of its contact."""
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
    """Why a customer is not notified of a kind, in words."""
    return f"customer notices of kind {kind} are off for {connection.id}"


def _is_contact(notice: Notice, connection: Connection) -> bool:
    contact = replace(notice, recipient=connection.contact or "")
    return contact.recipient_hash == notice.recipient_hash


def _of_time(notice: Notice, facts: Facts, now: datetime) -> Verdict | None:
    """A reminder of an appointment that was moved, and the like, goes to nobody."""
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


def _of_customers_order(notice: Notice, facts: Facts, now: datetime) -> Verdict | None:
    """A customer isn't sent what would mislead them: the order has ended without success
    since, or the appointment is over. The team is sent it, with the order's current status."""
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
