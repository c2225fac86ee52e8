"""Chats, the messages posted to them, and a caller with all of its dependencies in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.chat_platforms import ChatPlatform
from milepost.common.status import Status
from milepost.notifications.chat.addresses import webhook_name
from milepost.notifications.chat.disclosing_judge import DisclosingJudge
from milepost.notifications.chat.held_notices import ChatBatches, ChatPoster, NoLinks
from milepost.notifications.chat.rendering import ChatRenderer
from milepost.notifications.chat.shown_overdue import DisclosedOverdue
from milepost.notifications.claims import Batch
from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.retry_policy import Answer
from milepost.notifications.endpoints.switching_off import SwitchingOff
from milepost.notifications.mail.held_notices import HeldNoticesSender
from milepost.notifications.notice import Channel, Notice
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Kind, OrderKey
from milepost.orders.overdue_list import OverdueNow
from tests.builders import KEY, NOON, OFFERGRID, notice, report, tracked
from tests.fakes.connections import MemoryConnections
from tests.fakes.notifications import (
    MemoryHolds,
    MemoryNotices,
    MemorySubscriptions,
    MemorySuppressions,
)
from tests.fakes.orders import MemoryOrders

ADDRESSES = {
    Channel.SLACK: "https://hooks.slack.com/services/T0/B0/secret-of-slack",
    Channel.TEAMS: "https://prod-1.westeurope.logic.azure.com/workflows/a?sig=secret-of-teams",
}
CONSOLE = "https://milepost.example.org/console"


def subscription(channel: Channel, *, customer_names: bool = False) -> Subscription:
    return Subscription(
        id=f"sales-{channel}",
        channel=channel,
        recipient=webhook_name(ADDRESSES[channel]),
        owner="ops@example.org",
        customer_names=customer_names,
        kinds=frozenset(Kind),
    )


def notice_to(channel: Channel, kind: Kind = Kind.ACCEPTED, *, key: OrderKey = KEY) -> Notice:
    one = subscription(channel)
    return notice(kind, key=key, channel=channel, recipient=one.recipient, subscription=one.id)


@dataclass
class World:
    """One subscription to a chat, and its dependencies."""

    channel: Channel
    chat: ChatPlatform = field(init=False)
    log: MemoryNotices = field(default_factory=MemoryNotices)
    holds: MemoryHolds = field(default_factory=MemoryHolds)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    subscriptions: MemorySubscriptions = field(default_factory=MemorySubscriptions)
    calls: list[str] = field(default_factory=list)
    retries: list[tuple[int, timedelta]] = field(default_factory=list)
    failing_since: datetime | None = None
    not_before: datetime | None = None
    ended: list[str] = field(default_factory=list)
    overdue: OverdueNow = field(default_factory=OverdueNow)
    told: list[str] = field(default_factory=list)
    waits: list[tuple[str, str, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chat = ChatPlatform(str(self.channel))
        one = subscription(self.channel)
        self.subscriptions.kept[one.id] = one

    # The parts that a poster needs.

    def get(self, subscription_id: str) -> Endpoint | None:
        one = self.subscriptions.get(subscription_id)
        if one is None:
            return None
        return Endpoint(
            subscription=one.id,
            url=one.recipient,
            owner=one.owner,
            failing_since=self.failing_since,
            not_before=self.not_before,
        )

    def active(self, subscription_id: str, *, now: datetime) -> Sequence[str]:
        return [ADDRESSES[self.channel]]

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        assert headers["content-type"] == "application/json"
        self.calls.append(url)
        answer = self.chat.post(body)
        return Answer(answer.status, answer.headers.get("retry-after"), answer.body.decode())

    def failed(
        self, endpoint: Endpoint, *, at: datetime, not_before: datetime | None = None
    ) -> datetime | None:
        self.failing_since = self.failing_since or at
        self.not_before = not_before or self.not_before
        return self.failing_since

    def worked(self, endpoint: Endpoint) -> None:
        self.failing_since = self.not_before = None

    def claim_switching_off(
        self, endpoint: Endpoint, *, failing_since: datetime, at: datetime, until: datetime
    ) -> str | None:
        return "claim"

    def switch_off(self, endpoint: Endpoint, *, reason: str, claim: str) -> bool:
        self.ended.append(reason)
        return True

    def notify_switched_off(
        self, endpoint: Endpoint, *, failure: str, since: datetime | None
    ) -> None:
        self.told.append(failure)

    def postpone_all(self, notices: Sequence[Notice], *, reason: str, retry_at: datetime) -> None:
        self.waits.extend((one.id, reason, retry_at) for one in notices)

    def put_batch(self, batch: Batch, *, attempt: int, delay: timedelta, now: datetime) -> None:
        self.retries.append((attempt, delay))

    def covered_by(self, subscription_id: str, *, now: datetime) -> OverdueNow:
        assert subscription_id in self.subscriptions.kept
        return self.overdue

    # What a test asks for.

    @property
    def connections(self) -> MemoryConnections:
        return MemoryConnections.of(OFFERGRID)

    @property
    def renderer(self) -> ChatRenderer:
        return ChatRenderer(connections=self.connections, console_url=CONSOLE, clock=lambda: NOON)

    @property
    def judge(self) -> DisclosingJudge:
        return DisclosingJudge(
            suppressions=MemorySuppressions(),
            subscriptions=self.subscriptions,
            orders=self.orders,
            connections=self.connections,
        )

    @property
    def batches(self) -> ChatBatches:
        poster = ChatPoster(
            secrets=self,
            http=self,
            log=self,
            switching_off=SwitchingOff(endpoints=self, owners=self),
            chance=lambda: 0.0,
        )
        sender = HeldNoticesSender(
            claims=self.log,
            holds=self.holds,
            judge=self.judge,
            renderer=self.renderer,
            links=NoLinks(),
            mailer=poster,
            overdue=DisclosedOverdue(overdue=self, orders=self.orders),
        )
        return ChatBatches(sender=sender, poster=poster, retries=self)

    def keep_order(
        self, status: Status = Status.ACCEPTED, *, key: OrderKey = KEY, **details: object
    ) -> None:
        self.orders.kept[key] = tracked(report(status, key=key, **details))

    def hold(self, *notices: Notice, due_at: datetime) -> Batch:
        for one in notices:
            self.log.enter(Choice(notice=one, due_at=due_at), at=NOON)
            self.holds.hold(one, due_at=due_at)
        return Batch.of(notices[0], due_at=due_at)
