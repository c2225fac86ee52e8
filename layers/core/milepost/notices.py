"""Notices: one announcement to one recipient by one channel, and what became of it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

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


class Channel(StrEnum):
    """By which way a recipient is told."""

    SNS = "sns"
    EMAIL = "email"


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
class Subscription:
    """Who wants to be told of what. Empty ``connections`` and ``service_types`` mean all."""

    id: str
    email: str
    kinds: frozenset[str] = field(default=DEFAULT_KINDS)
    connections: frozenset[str] = frozenset()
    service_types: frozenset[str] = frozenset()
    language: str = "en"

    def wants(self, announced: "Announced") -> bool:
        return (
            announced.announcement.kind in self.kinds
            and (not self.connections or announced.key.connection in self.connections)
            and (not self.service_types or announced.service_type in self.service_types)
        )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One announcement to one recipient by one channel.

    The id follows from its parts, so that a redelivery finds the notice that is already there.
    """

    key: OrderKey
    announcement: Announcement
    channel: Channel
    recipient: str
    language: str = "en"
    subscription: str | None = None

    @property
    def id(self) -> str:
        return f"{self.announcement.id_for(self.key)}/{self.channel}/{self.recipient_digest}"

    @property
    def recipient_digest(self) -> str:
        """The recipient, for keys and logs that must not hold an address."""
        return hashlib.sha256(self.recipient.strip().lower().encode()).hexdigest()[:12]


class DeliveryLog(Protocol):
    """What became of each notice."""

    def enter(self, notice: Notice, *, at: datetime) -> State:
        """Enter it as queued, unless it is there; the state in which it stands now."""
        ...

    def mark_sent(self, notice: Notice, *, message_id: str, at: datetime) -> None: ...


class Subscriptions(Protocol):
    def all(self) -> Iterable[Subscription]: ...


class Topic(Protocol):
    def publish(self, announced: Announced) -> str:
        """Tell the subscribers of the SNS topic; the message's id."""
        ...


class EmailQueue(Protocol):
    def put(self, notice: Notice, *, delay: timedelta) -> None: ...


APPOINTMENT_FOLLOWS: Final = timedelta(seconds=5)
"""How long a mail waits that says scheduled but not for when: a provider that fires two events
for one change says so with the second, and the mail is written from the order as it then is."""


def tell(
    announced: Announced,
    *,
    topic: Topic,
    topic_name: str,
    subscriptions: Iterable[Subscription],
    emails: EmailQueue,
    log: DeliveryLog,
    now: datetime,
) -> None:
    """Tell everybody who wants to know; done again after a failure, it tells only the rest."""
    for_topic = Notice(
        key=announced.key,
        announcement=announced.announcement,
        channel=Channel.SNS,
        recipient=topic_name,
    )
    for notice in mails_for(announced, subscriptions):
        if log.enter(notice, at=now) is State.QUEUED:
            emails.put(notice, delay=_delay(announced))
    if log.enter(for_topic, at=now) is State.QUEUED:
        message_id = topic.publish(announced)
        log.mark_sent(for_topic, message_id=message_id, at=now)


def mails_for(announced: Announced, subscriptions: Iterable[Subscription]) -> list[Notice]:
    """One notice an address, however many subscriptions of it match."""
    notices: dict[str, Notice] = {}
    for subscription in sorted(subscriptions, key=lambda one: one.id):
        if subscription.wants(announced):
            notice = Notice(
                key=announced.key,
                announcement=announced.announcement,
                channel=Channel.EMAIL,
                recipient=subscription.email,
                language=subscription.language,
                subscription=subscription.id,
            )
            notices.setdefault(notice.recipient_digest, notice)
    return list(notices.values())


def _delay(announced: Announced) -> timedelta:
    waits = announced.announcement.kind is Kind.SCHEDULED and "appointment" not in announced.details
    return APPOINTMENT_FOLLOWS if waits else timedelta(0)


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
        "reason": details.get("reason"),
        "delivery_end": details.get("delivery_end"),
    }
    return {name: value for name, value in values.items() if value is not None}


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
