"""A dispatcher with all of its dependencies in memory."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from milepost.connections.connection import Connection
from milepost.notifications.dispatch import AnnouncementDispatcher
from milepost.notifications.notice import Channel, Notice
from milepost.notifications.subscription import Subscription
from milepost.orders.announcements import Announced
from milepost.orders.order import Kind
from tests.builders import NOON, OFFERGRID, announced, announcement
from tests.fakes.notifications import MemoryHolds, MemoryNotices, MemoryOutbox

SALES, OPS, CRM = "sales@example.org", "ops@example.org", "https://crm.example/hooks"
BY_MAIL = Subscription(id="sales", recipient=SALES)
BY_CALL = Subscription(id="crm", recipient=CRM, channel=Channel.HTTPS)
CAREFUL = replace(OFFERGRID, notices_per_hour=2)


@dataclass
class MemoryTopic:
    """Implements ``dispatch.Topic``."""

    published: list[Announced] = field(default_factory=list)
    failing: int = 0

    def publish(self, announced: Announced) -> str:
        if self.failing:
            self.failing -= 1
            raise ConnectionError("the topic refuses")
        self.published.append(announced)
        return f"sns-{len(self.published)}"


@dataclass
class MemoryBus:
    """Implements ``dispatch.Bus``."""

    name: str = "events"
    taken: list[Announced] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)

    def put(self, announced: Announced) -> str:
        if self.failing:
            raise self.failing.pop()
        self.taken.append(announced)
        return f"event-{len(self.taken)}"


class RefusingAt(MemoryOutbox):
    """Refuses one message, at this position."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place: int | None = place

    def put(self, notice: Notice, *, delay: timedelta = timedelta(0)) -> None:
        if len(self.puts) == self._place:
            self._place = None
            raise ConnectionError("the queue refuses")
        super().put(notice, delay=delay)


@dataclass
class Desk:
    """A dispatcher and its dependencies."""

    topic: MemoryTopic = field(default_factory=MemoryTopic)
    bus: MemoryBus | None = None
    emails: MemoryOutbox = field(default_factory=MemoryOutbox)
    endpoints: MemoryOutbox = field(default_factory=MemoryOutbox)
    holds: MemoryHolds = field(default_factory=MemoryHolds)
    log: MemoryNotices = field(default_factory=MemoryNotices)

    def tell(
        self,
        *subscriptions: Subscription,
        of: Announced | None = None,
        now: datetime = NOON,
        connection: Connection = OFFERGRID,
    ) -> None:
        teller = AnnouncementDispatcher(
            topic=self.topic,
            topic_name="announcements",
            bus=self.bus,
            emails=self.emails,
            endpoints=self.endpoints,
            holds=self.holds,
            log=self.log,
        )
        teller.tell(of or announced(), subscriptions=subscriptions, connection=connection, now=now)

    def held_until(self) -> list[tuple[datetime, str]]:
        return [
            (batch.due_at, one.recipient)
            for batch, kept in self.holds.kept.items()
            for one in kept.values()
        ]


def topic_entry(desk: Desk) -> Any:
    (entry,) = (item for item in desk.log.items.values() if item["channel"] == "sns")
    return entry


def numbered(sequence: int, kind: Kind = Kind.ACCEPTED) -> Announced:
    return replace(announced(kind), announcement=announcement(kind, sequence))
