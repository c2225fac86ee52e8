"""Notices: one announcement to one recipient by one channel, and its outcome."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from milepost.common.email_addresses import address_identity
from milepost.orders.announcements import Announced
from milepost.orders.details import Details
from milepost.orders.order import Announcement, Kind, Order, OrderKey

DEFAULT_KINDS: Final = frozenset(
    {
        Kind.ACCEPTED,
        Kind.REJECTED,
        Kind.SCHEDULED,
        Kind.RESCHEDULED,
        Kind.COMPLETED,
        Kind.CANCELLED,
        Kind.CORRECTION,
        Kind.REMINDER,
    }
)
"""The kinds of a subscription that names none; other kinds have to be named."""


FOR_CUSTOMERS_ALONE: Final = frozenset({Kind.DELAYED, Kind.FOLLOW_UP})
"""Kinds that only customers get. They are announced only for connections that send them."""
CUSTOMER_KINDS: Final = DEFAULT_KINDS | FOR_CUSTOMERS_ALONE
"""Kinds that a connection may send to its customers."""
FOR_CONTACT_ALONE: Final = frozenset({Kind.ESCALATED, Kind.COMMISSION_OVERDUE})
"""Kinds that only a connection's contact gets; they can't be subscribed to."""
TEAM_KINDS: Final = frozenset(Kind) - FOR_CUSTOMERS_ALONE - FOR_CONTACT_ALONE
"""Kinds that can be subscribed to."""
MOST_URGENT_FIRST: Final = (
    Kind.REJECTED,
    Kind.FAILED,
    Kind.ESCALATED,
    Kind.OVERDUE,
    Kind.ATTENTION,
    Kind.COMMISSION_OVERDUE,
    Kind.CANCELLED,
    Kind.CORRECTION,
    Kind.DELAYED,
    Kind.REMINDER,
    Kind.RESCHEDULED,
    Kind.SCHEDULED,
    Kind.ACCEPTED,
    Kind.COMPLETED,
    Kind.FOLLOW_UP,
)
ERASED_RECIPIENT: Final = "erased"
"""Replaces the address of an erased customer in the delivery log."""


class Channel(StrEnum):
    """The channel by which a notice is sent."""

    SNS = "sns"
    EVENT_BUS = "event_bus"
    EMAIL = "email"
    HTTPS = "https"
    SLACK = "slack"
    TEAMS = "teams"


CHATS: Final = frozenset({Channel.SLACK, Channel.TEAMS})
"""Channels whose messages people read in a chat. They are posted to an incoming webhook."""
FOR_READERS: Final = CHATS | {Channel.EMAIL}
"""Channels whose messages are texts for people: they have a language, quiet hours and digests."""


BROADCAST: Final = frozenset({Channel.SNS, Channel.EVENT_BUS})
"""Channels of the stack itself: their recipient is a resource of the stack, never a person."""


class Audience(StrEnum):
    """The audience of a notice: the team that sold the order, or the customer."""

    TEAM = "team"
    CUSTOMER = "customer"


class State(StrEnum):
    """The state of a notice's delivery."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    FAILED = "failed"


APART: Final = f"-{Audience.CUSTOMER}"
"""The suffix of the recipient in the id of a notice that is ``apart``."""


class BadNoticeId(ValueError):
    """Not the id of a notice; the message shows the format of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeId:
    """The parts of a notice's id: ``connection/order/item/sequence/channel/recipient[/copy]``."""

    key: OrderKey
    sequence: int
    channel: Channel
    recipient_hash: str
    copy: int = 0

    def __str__(self) -> str:
        copy = f"/{self.copy}" if self.copy else ""
        return f"{self.key}/{self.sequence}/{self.channel}/{self.recipient_hash}{copy}"

    @property
    def path_id(self) -> str:
        """The same as one segment of a URL path, as the API writes it."""
        return str(self).replace("/", ":")

    @classmethod
    def parse(cls, text: str) -> "NoticeId":
        """Parse an id, with ``/`` or, as in a URL path, ``:`` between its parts. Surrounding spaces
        are ignored: spaces within its parts are percent-encoded.

        :raises BadNoticeId: when the text isn't the id of a notice
        """
        parts = text.strip().replace("/", ":").split(":")
        try:
            connection, order, item, sequence, channel, digest, *copy = map(unquote, parts)
            return cls(
                key=OrderKey(connection, order, item),
                sequence=int(sequence),
                channel=Channel(channel),
                recipient_hash=digest,
                copy=int(copy[0]) if copy else 0,
            )
        except ValueError:
            raise BadNoticeId(
                "a notice's id looks like connection/order/item/1/email/0a1b2c3d4e5f"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One announcement to one recipient by one channel.

    The id follows from its parts, so that a redelivery finds the existing notice.
    """

    key: OrderKey
    announcement: Announcement
    channel: Channel
    recipient: str
    audience: Audience = Audience.TEAM
    language: str = "en"
    subscription: str | None = None
    copy: int = 0
    """0 for the original notice; resends by people count from 1."""
    apart: bool = False
    """Set on a customer's notice if a subscriber with the same address gets one too: the ids must
    differ."""
    forced: bool = False
    """A resend that a person forced although the notice is out of date or must not be sent."""

    @property
    def id(self) -> str:
        return str(
            NoticeId(
                key=self.key,
                sequence=self.announcement.sequence,
                channel=self.channel,
                recipient_hash=self.recipient_hash,
                copy=self.copy,
            )
        )

    @property
    def recipient_hash(self) -> str:
        """A hash of the recipient, for keys and logs that must not contain an address."""
        is_address = self.channel is Channel.EMAIL
        name = address_identity(self.recipient) if is_address else self.recipient
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return f"{digest}{APART}" if self.apart else digest


_EXPLAINING: Final = ("reason", "reason_source", "cause")


def announced_by(notice: Notice, order: Order, *, provider: str) -> Announced:
    """The announcement of a notice, with the order as it is now.

    Raw status and reason belong to the announced status, which the order may have left since.
    """
    one = notice.announcement
    if order.status is one.status:
        raw_status, details = order.raw_status, order.details
    else:
        raw_status, details = _as_explained(order, one)
    return Announced(
        key=notice.key, provider=provider, announcement=one, raw_status=raw_status, details=details
    )


def _as_explained(order: Order, one: Announcement) -> tuple[str | None, Details]:
    said = [e.report for e in reversed(order.timeline) if e.report.status is one.status]
    explained = next((r.details for r in said if {"reason", "cause"} & set(r.details)), Details())
    facts = {name: fact for name, fact in order.details.items() if name not in _EXPLAINING}
    facts |= {name: fact for name, fact in explained.items() if name in _EXPLAINING}
    details: Details = facts  # type: ignore[assignment]
    return (said[0].raw_status if said else None), details


def urgency(notice: Notice) -> tuple[int, datetime, str]:
    """The sort key of notices in one mail: the most urgent kind first, then the oldest."""
    one = notice.announcement
    return MOST_URGENT_FIRST.index(one.kind), one.occurred_at, str(notice.key)
