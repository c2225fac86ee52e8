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
"""What a subscriber gets who names no kinds; the others are asked for by name."""


FOR_CUSTOMERS_ALONE: Final = frozenset({Kind.DELAYED, Kind.FOLLOW_UP})
"""Kinds that no subscriber gets. They are announced only of connections that send them."""
CUSTOMER_KINDS: Final = DEFAULT_KINDS | FOR_CUSTOMERS_ALONE
"""What a connection may tell its customers of."""
FOR_CONTACT_ALONE: Final = frozenset({Kind.ESCALATED, Kind.COMMISSION_OVERDUE})
"""Kinds that only a connection's contact gets: nobody can subscribe to them."""
TEAM_KINDS: Final = frozenset(Kind) - FOR_CUSTOMERS_ALONE - FOR_CONTACT_ALONE
"""What can be subscribed to."""
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
"""What the delivery log has in place of the address of a customer who was erased."""


class Channel(StrEnum):
    """By which way a recipient is told."""

    SNS = "sns"
    EMAIL = "email"
    HTTPS = "https"


class Audience(StrEnum):
    """Who a notice speaks to: those who sold the order, or the one who ordered."""

    TEAM = "team"
    CUSTOMER = "customer"


class State(StrEnum):
    """Where a notice's delivery stands."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    FAILED = "failed"


APART: Final = f"-{Audience.CUSTOMER}"
"""Ends the recipient's part of the id of a notice that is ``apart``."""


class BadNoticeId(ValueError):
    """Not the id of a notice; the message says what one looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeId:
    """A notice's id in its parts: ``connection/order/item/sequence/channel/recipient[/copy]``."""

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
        """The same as one segment of a URL's path, as the API names notices."""
        return str(self).replace("/", ":")

    @classmethod
    def parse(cls, text: str) -> "NoticeId":
        """Read an id, with ``/`` or, as in a URL's path, with ``:`` between its parts.

        :raises BadNoticeId: when the text is none
        """
        parts = text.replace("/", ":").split(":")
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

    The id follows from its parts, so that a redelivery finds the notice that is already there.
    """

    key: OrderKey
    announcement: Announcement
    channel: Channel
    recipient: str
    audience: Audience = Audience.TEAM
    language: str = "en"
    subscription: str | None = None
    copy: int = 0
    """0 for the notice itself; a person's resends of it count from 1."""
    apart: bool = False
    """A customer's notice whose address is also a subscriber's, who gets one of their own: its id
    must differ from theirs."""
    forced: bool = False
    """A resend that a person insisted on, though it is out of date or was not to be sent."""

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
        """The recipient, for keys and logs that must not hold an address."""
        is_address = self.channel is Channel.EMAIL
        name = address_identity(self.recipient) if is_address else self.recipient
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return f"{digest}{APART}" if self.apart else digest


_EXPLAINING: Final = ("reason", "reason_source", "cause")


def announced_by(notice: Notice, order: Order, *, provider: str) -> Announced:
    """What a notice announces, with the order as it is now.

    Raw status and reason are those of the announced status, which the order may have left since.
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
    """What notices of one mail are sorted by: the most urgent kind first, then the oldest."""
    one = notice.announcement
    return MOST_URGENT_FIRST.index(one.kind), one.occurred_at, str(notice.key)
