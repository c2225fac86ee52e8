"""Dispatch: an announcement becomes a notice for each recipient and channel, entered in the log."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.common.local_clock import next_full_hour
from milepost.connections.connection import Connection
from milepost.notifications.notice import (
    FOR_CONTACT_ALONE,
    FOR_READERS,
    Audience,
    Channel,
    Notice,
    State,
)
from milepost.notifications.recipients import NO_ADDRESS, Choice, choose
from milepost.notifications.subscription import Subscription
from milepost.orders.announcements import DETAILS_GRACE_PERIOD, Announced
from milepost.orders.order import Kind


@dataclass(frozen=True, slots=True)
class Entered:
    """A notice's entry in the log, new or existing."""

    state: State
    due_at: datetime | None = None
    is_new: bool = True
    is_retried: bool = False
    """Whether it waits for a retry, which is already scheduled."""
    requested_with: str | None = None
    """The idempotency key of the request with which a person entered it."""
    message_id: str | None = None
    """The id of its message, if it has gone out."""


class DeliveryLog(Protocol):
    """The outcome of each notice."""

    def enter(self, choice: Choice, *, at: datetime) -> Entered:
        """Enter a notice as queued or skipped, unless it exists; returns its present entry."""
        ...

    def mark_sent(self, notice: Notice, *, message_id: str, at: datetime) -> bool: ...

    def close(self, notice: Notice, *, state: State, reason: str, at: datetime) -> bool: ...

    def note_message(self, notice: Notice, *, message_id: str) -> bool:
        """Record that a message has been sent, while its notice isn't marked as sent yet."""
        ...


class Topic(Protocol):
    def publish(self, announced: Announced) -> str:
        """Publish to the SNS topic; returns the message's id."""
        ...


class EventRefused(Exception):
    """The event can never be put on the bus; the message says why."""


class Bus(Protocol):
    @property
    def name(self) -> str: ...

    def put(self, announced: Announced) -> str:
        """Put an event on the bus; returns the event's id.

        :raises EventRefused: when no later attempt can succeed
        """
        ...


class Outbox(Protocol):
    """The queue of a channel."""

    def put(self, notice: Notice, *, delay: timedelta = timedelta(0)) -> None: ...


class Holds(Protocol):
    """Notices that wait for a digest or for the end of quiet hours."""

    def hold(self, notice: Notice, *, due_at: datetime) -> None: ...

    def count(self, notice: Notice, *, hour: datetime) -> int:
        """Count a notice of this recipient and connection in this hour; returns the count so
        far."""
        ...


class Fetches(Protocol):
    """Requests fetches of orders from their providers, outside the schedule."""

    def fetch(self, announced: Announced) -> None:
        """Request a fetch of the announced order; repeated requests may fetch it repeatedly."""
        ...


LOOK_AGAIN: Final = timedelta(seconds=30)
"""After how long the sender checks again whether contact data has arrived."""
_AWAITED: Final = "waits for contact data: the order is being fetched"
_NEEDED: Final = {Kind.SCHEDULED: "appointment", Kind.REJECTED: "reason"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Enters notices in the log, and puts them into their queue or holds them."""

    emails: Outbox
    holds: Holds
    log: DeliveryLog

    def notify_customer(
        self,
        announced: Announced,
        *,
        subscriptions: Iterable[Subscription],
        connection: Connection,
        now: datetime,
    ) -> None:
        """Notify only the customer, in the same way as together with the others."""
        known = tuple(subscriptions)
        for choice in choose(announced, known, connection, now=now):
            if choice.notice.audience is Audience.CUSTOMER:
                settled = self._digest_if_over_hourly_limit(choice, known, connection, now)
                self._take_up(settled, announced, now)

    def _take_up(self, choice: Choice, announced: Announced, now: datetime) -> None:
        entered = self.log.enter(choice, at=now)
        if entered.state is not State.QUEUED or entered.is_retried:
            return
        notice = choice.notice
        if entered.due_at is not None:
            # A batch that is due may already have been sent: a late notice goes with the next
            # batch.
            self.holds.hold(notice, due_at=max(entered.due_at, _next_minute(now)))
        else:
            self._put(notice, announced)

    def _put(self, notice: Notice, announced: Announced) -> None:
        self.emails.put(notice, delay=_delay(announced))

    def _digest_if_over_hourly_limit(
        self,
        choice: Choice,
        subscriptions: Iterable[Subscription],
        connection: Connection,
        now: datetime,
    ) -> Choice:
        """Hold notices over the recipient's hourly limit for one digest at the end of the hour, or
        at the end of quiet hours that begin before then."""
        is_immediate = choice.skipped is None and choice.due_at is None
        if not is_immediate or choice.notice.channel not in FOR_READERS:
            return choice
        notice = choice.notice
        own = next((one for one in subscriptions if one.id == notice.subscription), None)
        hour_ends = next_full_hour(now, own.time_zone if own else connection.time_zone)
        if self.holds.count(notice, hour=hour_ends) <= connection.notices_per_hour:
            return choice
        due_at = own.awake_from(notice.announcement.kind, hour_ends) if own else hour_ends
        return Choice(notice=notice, due_at=due_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementDispatcher(Notifier):
    """Notifies all recipients. If it is repeated after a failure, it only notifies the remaining
    recipients.
    """

    topic: Topic
    topic_name: str
    endpoints: Outbox
    bus: Bus | None = None
    """None: the stack has no event bus."""
    fetches: Fetches | None = None
    """None: notices don't wait for a customer's contact data."""

    def tell(
        self,
        announced: Announced,
        *,
        subscriptions: Iterable[Subscription],
        connection: Connection,
        now: datetime,
    ) -> None:
        """Publish to the topic, which needs few calls; then notify each recipient, and the event
        bus.

        The topic's notice is marked as sent last: its entry says that everything else is done. If
        something else fails, the message's id is noted, so that it isn't published again. If the
        topic refuses, the others are notified before the error is raised.
        """
        if announced.announcement.kind in FOR_CONTACT_ALONE:
            self._notify_each(announced, subscriptions, connection, now)
            return
        notice = _broadcast(announced, Channel.SNS, self.topic_name)
        message_id, failed = self._publish(notice, announced, now)
        try:
            self._notify_each(announced, subscriptions, connection, now)
            self._put_on_bus(announced, now)
        except Exception:
            if message_id is not None:
                with suppress(Exception):
                    self.log.note_message(notice, message_id=message_id)
            raise
        if failed is not None:
            raise failed
        if message_id is not None:
            self.log.mark_sent(notice, message_id=message_id, at=now)

    def _notify_each(
        self,
        announced: Announced,
        subscriptions: Iterable[Subscription],
        connection: Connection,
        now: datetime,
    ) -> None:
        known = tuple(subscriptions)
        for choice in choose(announced, known, connection, now=now):
            if self.fetches is not None and _lacks_contact(choice, announced):
                self._await_contact(choice.notice, announced, self.fetches, now)
                continue
            settled = self._digest_if_over_hourly_limit(choice, known, connection, now)
            self._take_up(settled, announced, now)

    def _publish(
        self, notice: Notice, announced: Announced, now: datetime
    ) -> tuple[str | None, Exception | None]:
        """Publish, unless that was already done.

        :returns: the message's id, None if the notice is settled or the topic refuses; its error
        """
        try:
            entered = self.log.enter(Choice(notice=notice), at=now)
            if entered.state is not State.QUEUED:
                return None, None
            return entered.message_id or self.topic.publish(announced), None
        except Exception as error:
            return None, error

    def _await_contact(
        self, notice: Notice, announced: Announced, fetches: Fetches, now: datetime
    ) -> None:
        entered = self.log.enter(Choice(notice=notice, waits_for=_AWAITED), at=now)
        if entered.state is State.QUEUED:
            fetches.fetch(announced)
            self.emails.put(notice, delay=LOOK_AGAIN)

    def _put(self, notice: Notice, announced: Announced) -> None:
        if notice.channel is Channel.EMAIL:
            self.emails.put(notice, delay=_delay(announced))
        elif notice.channel in FOR_READERS:
            self.endpoints.put(notice, delay=_delay(announced))
        else:
            self.endpoints.put(notice)

    def _put_on_bus(self, announced: Announced, now: datetime) -> None:
        if self.bus is None:
            return
        notice = _broadcast(announced, Channel.EVENT_BUS, self.bus.name)
        if self.log.enter(Choice(notice=notice), at=now).state is not State.QUEUED:
            return
        try:
            event_id = self.bus.put(announced)
        except EventRefused as refused:
            # It would be refused each time, and hold back all later announcements.
            self.log.close(notice, state=State.FAILED, reason=str(refused), at=now)
        else:
            self.log.mark_sent(notice, message_id=event_id, at=now)


def _broadcast(announced: Announced, channel: Channel, recipient: str) -> Notice:
    return Notice(
        key=announced.key,
        announcement=announced.announcement,
        channel=channel,
        recipient=recipient,
    )


def _lacks_contact(choice: Choice, announced: Announced) -> bool:
    """Whether the notice is for a customer whose contact data is still unknown."""
    is_customer = choice.notice.audience is Audience.CUSTOMER
    return is_customer and choice.skipped == NO_ADDRESS and not announced.details.get("customer")


def _next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _delay(announced: Announced) -> timedelta:
    needed = _NEEDED.get(announced.announcement.kind)
    return DETAILS_GRACE_PERIOD if needed and needed not in announced.details else timedelta(0)
