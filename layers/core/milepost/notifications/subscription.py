"""Subscriptions: who is notified of what, by which channel, and at which times."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from milepost.common.email_addresses import address_identity
from milepost.common.local_clock import end_of_period, last_at, next_at, next_full_hour
from milepost.common.status import is_same_word
from milepost.notifications.notice import DEFAULT_KINDS, FOR_READERS, TEAM_KINDS, Channel
from milepost.orders.announcements import Announced
from milepost.orders.order import Kind

FROM_FILE: Final = "file"
"""The ``source`` of subscriptions that are defined in connections.yaml and changed there."""


class Mode(StrEnum):
    """Whether notices are sent one by one or as a digest."""

    AT_ONCE = "at_once"
    HOURLY = "hourly"
    DAILY = "daily"


class DigestReason(StrEnum):
    """Why a recipient gets one mail instead of many."""

    HOURLY = "hourly"
    DAILY = "daily"
    QUIET_HOURS = "quiet_hours"
    MANY = "many"
    TOGETHER = "together"
    """The reason is unknown: the mail only says that the notices belong together."""


QUIET_HOURS_EXEMPT: Final = frozenset({Kind.REJECTED, Kind.CANCELLED})
"""Kinds that a subscriber may allow in quiet hours: an installer may be on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From ``start`` to ``end`` in the subscription's time zone, possibly over midnight."""

    start: time
    end: time
    passing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription. Empty ``connections`` and ``service_types`` mean all of them.

    ``recipient`` is an email address, the URL of an HTTPS endpoint, or the name of a chat's
    webhook, depending on ``channel``. The address of a webhook is a secret, and isn't part of it.
    ``owner`` is notified when an endpoint is switched off.
    """

    id: str
    channel: Channel = Channel.EMAIL
    recipient: str
    kinds: frozenset[str] = field(default=DEFAULT_KINDS)
    connections: frozenset[str] = frozenset()
    service_types: frozenset[str] = frozenset()
    language: str = "en"
    time_zone: str = "Europe/Berlin"
    mode: Mode = Mode.AT_ONCE
    daily_at: time = time(8)
    quiet_hours: QuietHours | None = None
    owner: str | None = None
    customer_names: bool = False
    """Whether messages to a chat name the customer."""
    source: str | None = None
    """``file`` for a subscription that ``milepost connections apply`` manages."""
    ended: str | None = None
    """Why it has ended, as text (``unsubscribed on 2026-03-04``); None while it is active."""

    def wants(self, announced: Announced) -> bool:
        return self.takes(announced.announcement.kind) and self.covers(
            announced.key.connection, announced.service_type
        )

    def is_of(self, recipient: str) -> bool:
        """Whether it has this recipient, in any spelling of the address."""
        if self.channel is Channel.EMAIL:
            return address_identity(self.recipient) == address_identity(recipient)
        return self.recipient == recipient

    def takes(self, kind: Kind) -> bool:
        """Whether it includes this kind."""
        return kind in self.kinds & TEAM_KINDS

    def takes_connection(self, connection: str) -> bool:
        """Whether it includes orders of this connection."""
        return not self.connections or connection in self.connections

    def covers(self, connection: str, service_type: str | None) -> bool:
        """Whether it includes orders of this connection and service type.

        Case and white space of the service type don't count.
        """
        return self.takes_connection(connection) and (
            not self.service_types
            or any(is_same_word(service_type, one) for one in self.service_types)
        )

    def due_at(self, kind: Kind, *, now: datetime) -> datetime | None:
        """When a notice has to be sent; None for immediately."""
        if self.channel not in FOR_READERS:
            return None
        gathered = self._gathered_until(now)
        moment = gathered or now
        awake = self.awake_from(kind, moment)
        return gathered if awake == moment else awake

    def awake_from(self, kind: Kind, moment: datetime) -> datetime:
        """The time itself; or the end of quiet hours, if the time is within them and this kind
        isn't exempt."""
        quiet = self.quiet_hours
        if quiet is None or kind in quiet.passing:
            return moment
        return end_of_period(quiet.start, quiet.end, moment, self.time_zone) or moment

    def _gathered_until(self, now: datetime) -> datetime | None:
        match self.mode:
            case Mode.AT_ONCE:
                return None
            case Mode.HOURLY:
                return next_full_hour(now, self.time_zone)
            case Mode.DAILY:
                return next_at(self.daily_at, now, self.time_zone)


def digest_reason(
    subscriptions: Iterable[Subscription | None], *, due_at: datetime
) -> DigestReason:
    """Why notices that were held until one moment are sent as one mail.

    :param subscriptions: the present subscriptions of the notices; None for a notice without one,
        such as a customer's
    """
    reasons = {reason_to_hold(one, due_at=due_at) for one in subscriptions}
    return reasons.pop() if len(reasons) == 1 else DigestReason.TOGETHER


def reason_to_hold(subscription: Subscription | None, *, due_at: datetime) -> DigestReason:
    """Why a notice was held until this moment."""
    if subscription is None:
        # Notices for customers and for a connection's contact are only held over the hourly limit.
        return DigestReason.MANY
    if _is_end_of_quiet_hours(subscription, due_at):
        is_daily = _is_daily_digest_after_quiet_hours(subscription, due_at)
        return DigestReason.DAILY if is_daily else DigestReason.QUIET_HOURS
    match subscription.mode:
        case Mode.DAILY:
            return DigestReason.DAILY
        case Mode.HOURLY:
            return DigestReason.HOURLY
        case Mode.AT_ONCE:
            hour = next_full_hour(due_at - _MINUTE, subscription.time_zone)
            return DigestReason.MANY if hour == due_at else DigestReason.TOGETHER


_MINUTE: Final = timedelta(minutes=1)


def _is_end_of_quiet_hours(subscription: Subscription, moment: datetime) -> bool:
    quiet, zone = subscription.quiet_hours, subscription.time_zone
    if quiet is None:
        return False
    return end_of_period(quiet.start, quiet.end, moment - _MINUTE, zone) == moment


def _is_daily_digest_after_quiet_hours(subscription: Subscription, moment: datetime) -> bool:
    """Whether the last daily digest before this time fell into quiet hours that end at this
    time.
    """
    quiet, zone = subscription.quiet_hours, subscription.time_zone
    if quiet is None or subscription.mode is not Mode.DAILY:
        return False
    daily = last_at(subscription.daily_at, moment, zone)
    return (end_of_period(quiet.start, quiet.end, daily, zone) or daily) == moment
