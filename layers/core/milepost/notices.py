"""Notices: one announcement to one recipient by one channel, and what became of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote

from milepost.order import Announcement, Kind, OrderKey
from milepost.report import Details, format_instant

DEFAULT_KINDS: Final = frozenset(
    {
        Kind.ACCEPTED,
        Kind.REJECTED,
        Kind.SCHEDULED,
        Kind.RESCHEDULED,
        Kind.COMPLETED,
        Kind.CANCELLED,
        Kind.CORRECTION,
    }
)
"""What a subscriber gets who names no kinds; the others are asked for by name."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """An announcement with what its order looked like when it was made."""

    key: OrderKey
    provider: str
    announcement: Announcement
    raw_status: str | None
    details: Details

    @property
    def id(self) -> str:
        return self.announcement.id_for(self.key)

    @property
    def service_type(self) -> str | None:
        return self.details.get("service_type")


class BadNoticeId(ValueError):
    """Not the id of a notice; the message says what one looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeId:
    """A notice's id in its parts: ``connection/order/item/sequence/channel/recipient[/copy]``."""

    key: OrderKey
    sequence: int
    channel: Channel
    recipient_digest: str
    copy: int = 0

    def __str__(self) -> str:
        copy = f"/{self.copy}" if self.copy else ""
        return f"{self.key}/{self.sequence}/{self.channel}/{self.recipient_digest}{copy}"

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
                recipient_digest=digest,
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

    @property
    def id(self) -> str:
        return str(
            NoticeId(
                key=self.key,
                sequence=self.announcement.sequence,
                channel=self.channel,
                recipient_digest=self.recipient_digest,
                copy=self.copy,
            )
        )

    @property
    def recipient_digest(self) -> str:
        """The recipient, for keys and logs that must not hold an address."""
        is_address = self.channel is Channel.EMAIL
        name = self.recipient.strip().lower() if is_address else self.recipient
        return hashlib.sha256(name.encode()).hexdigest()[:12]


def topic_message(announced: Announced) -> dict[str, Any]:
    """The JSON body of an SNS message, as docs/announcements.md says; nobody's name is in it."""
    one, details = announced.announcement, announced.details
    values = {
        "version": 1,
        "id": announced.id,
        "kind": str(one.kind),
        "connection": announced.key.connection,
        "provider": announced.provider,
        "order_id": announced.key.order_id,
        "item_id": announced.key.item_id,
        "reference": details.get("reference"),
        "service_type": details.get("service_type"),
        "status": str(one.status),
        "raw_status": announced.raw_status,
        "previous_status": str(one.previous) if one.previous else None,
        "correction": one.correction,
        "occurred_at": format_instant(one.occurred_at),
        "announced_at": format_instant(one.announced_at),
        "appointment": details.get("appointment"),
        "reason": reason_of(announced),
        "delivery_end": details.get("delivery_end"),
    }
    return {name: value for name, value in values.items() if value is not None}


TELLING_WHY: Final = frozenset({"next_steps", "special_instructions", "other"})
"""Kinds of notes that may explain a rejection; the others are about people and accounts."""


def reason_of(announced: Announced) -> str | None:
    """Why; a rejection whose event has no reason of its own is explained by its notes."""
    details = announced.details
    if announced.announcement.kind is Kind.REJECTED and "reason" not in details:
        said = (note["text"] for note in details.get("notes", []) if note["kind"] in TELLING_WHY)
        return "\n".join(said) or None
    return details.get("reason")


def topic_attributes(announced: Announced) -> Mapping[str, str]:
    """What filter policies choose by."""
    values = {
        "kind": str(announced.announcement.kind),
        "connection": announced.key.connection,
        "provider": announced.provider,
        "status": str(announced.announcement.status),
        "service_type": announced.service_type or "unknown",
    }
    return {name: value[:256] for name, value in values.items()}


def topic_subject(announced: Announced) -> str:
    """The subject for plain email subscribers: at most 100 characters of printable ASCII."""
    name = announced.details.get("reference") or announced.key.order_id
    subject = f"{announced.announcement.kind.capitalize()}: {name} ({announced.key.connection})"
    printable = "".join(c if " " <= c <= "~" else "?" for c in subject)
    return printable[:100]
