"""Each notice to an endpoint ends in the log by its own subscription, connection and order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from milepost.common.status import Status
from milepost.notifications.eligibility_facts import Judge
from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.delivery import Called, Caller
from milepost.notifications.endpoints.retry_policy import Answer
from milepost.notifications.notice import Channel, Notice, State
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Kind
from tests.builders import KEY, NOON, OFFERGRID, announcement, notice, report, tracked
from tests.fakes.connections import MemoryConnections
from tests.fakes.notifications import MemorySubscriptions, MemorySuppressions
from tests.fakes.orders import MemoryOrders
from tests.signing import SECRET

CLAIM = "the token of the claim"
URL = "https://crm.example.com/hooks"
ENDED = "switched off on 2026-03-01 after failing for 5 days"
AS_BEFORE = Subscription(id="crm", channel=Channel.HTTPS, recipient=URL)
NOTICE = replace(
    notice(Kind.REJECTED, channel=Channel.HTTPS, recipient=URL, subscription="crm"),
    announcement=announcement(Kind.REJECTED, 1, status=Status.REJECTED),
)

SUBSCRIPTIONS: dict[str, tuple[Subscription | None, Called | None]] = {
    "as it was": (AS_BEFORE, None),
    "of another owner": (replace(AS_BEFORE, owner="jo@example.org"), None),
    "deleted": (None, Called(State.SKIPPED, "the subscription was deleted")),
    "ended": (replace(AS_BEFORE, ended=ENDED), Called(State.SUPPRESSED, ENDED)),
    "of other kinds": (
        replace(AS_BEFORE, kinds=frozenset({Kind.ACCEPTED})),
        Called(State.SKIPPED, "the subscription no longer asks for rejected"),
    ),
    "of another connection": (
        replace(AS_BEFORE, connections=frozenset({"rabot-energy"})),
        Called(State.SKIPPED, f"the subscription no longer asks for {KEY.connection}"),
    ),
    "of another URL": (
        replace(AS_BEFORE, recipient=f"{URL}/"),
        Called(State.SKIPPED, "the subscription has another recipient now"),
    ),
    "by mail now": (
        replace(AS_BEFORE, channel=Channel.EMAIL, recipient="lina@example.org"),
        Called(State.SKIPPED, "the subscription has another recipient now"),
    ),
}
ORDERS: dict[str, Called | None] = {
    "as announced": None,
    "moved on": None,
    "erased": Called(State.SKIPPED, "the order was erased"),
    "missing": Called(State.SKIPPED, "the order is no longer stored"),
    "unreadable": Called(State.FAILED, "its order can't be read: KeyError"),
}
CONNECTIONS: dict[str, Called | None] = {
    "applied": None,
    "removed": Called(State.FAILED, "its connection is not applied"),
}


@dataclass
class Log:
    """Implements ``delivery.CallLog``: one notice, of which it keeps how it ended."""

    ended: list[Called] = field(default_factory=list)

    def claim(self, notice: Notice, *, attempt: int, at: datetime, until: datetime) -> str | None:
        return None if self.ended else CLAIM

    def release(self, notice: Notice, *, claim: str) -> bool:
        raise AssertionError("nothing is given back")

    def postpone(self, notice: Notice, *, reason: str, retry_at: datetime, claim: str) -> bool:
        raise AssertionError("nothing waits")

    def mark_delivered(
        self, notice: Notice, *, attempt: int, message_id: str, at: datetime
    ) -> None:
        self.ended.append(Called(State.DELIVERED))

    def mark_retried(
        self, notice: Notice, *, attempt: int, reason: str, retry_at: datetime, claim: str
    ) -> bool:
        raise AssertionError("nothing is retried")

    def close(
        self,
        notice: Notice,
        *,
        state: State,
        reason: str,
        at: datetime,
        attempts: int,
        claim: str,
    ) -> bool:
        assert claim == CLAIM
        self.ended.append(Called(state, reason))
        return True


@dataclass
class World:
    """What is around the caller: one subscription, one order, and an endpoint that works."""

    log: Log = field(default_factory=Log)
    subscriptions: MemorySubscriptions = field(default_factory=MemorySubscriptions)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    posted: list[str] = field(default_factory=list)

    def caller(self, *, connection: str) -> Caller:
        applied = [OFFERGRID] if connection == "applied" else []
        return Caller(
            log=self.log,
            judge=Judge(
                suppressions=MemorySuppressions(),
                subscriptions=self.subscriptions,
                orders=self.orders,
                connections=MemoryConnections.of(*applied),
            ),
            endpoints=self,
            secrets=self,
            http=self,
            retries=self,
            owners=self,
        )

    def get(self, subscription_id: str) -> Endpoint | None:
        one = self.subscriptions.get(subscription_id)
        return Endpoint(subscription=one.id, url=one.recipient) if one else None

    def active(self, subscription_id: str, *, now: datetime) -> Sequence[str]:
        return [SECRET]

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        self.posted.append(url)
        return Answer(204)

    def failed(
        self, endpoint: Endpoint, *, at: datetime, not_before: datetime | None = None
    ) -> datetime | None:
        raise AssertionError("nothing fails")

    def worked(self, endpoint: Endpoint) -> None:
        """Nothing has failed before."""

    def claim_switching_off(
        self, endpoint: Endpoint, *, failing_since: datetime, at: datetime, until: datetime
    ) -> str | None:
        raise AssertionError("nothing fails")

    def switch_off(self, endpoint: Endpoint, *, reason: str, claim: str) -> bool:
        raise AssertionError("nothing fails")

    def put(self, notice: Notice, *, attempt: int, delay: timedelta, now: datetime) -> None:
        raise AssertionError("nothing is retried")

    def notify_switched_off(
        self, endpoint: Endpoint, *, failure: str, since: datetime | None
    ) -> None:
        raise AssertionError("nothing is switched off")

    def keep_order(self, order: str) -> None:
        rejected = report(Status.REJECTED, reason="No fibre there")
        match order:
            case "as announced":
                self.orders.kept[KEY] = tracked(rejected)
            case "moved on":
                self.orders.kept[KEY] = tracked(rejected, report(Status.CANCELLED, 10))
            case "erased":
                self.orders.kept[KEY] = replace(tracked(rejected), erased_at=NOON)
            case "unreadable":
                self.orders.unreadable[KEY] = "KeyError"


@pytest.mark.parametrize(
    ("subscription", "connection", "order"), list(product(SUBSCRIPTIONS, CONNECTIONS, ORDERS))
)
def test_each_notice_is_judged_by_its_own_facts_and_the_log_says_what_they_were(
    subscription: str, connection: str, order: str
) -> None:
    world = World()
    one, first = SUBSCRIPTIONS[subscription]
    if one is not None:
        world.subscriptions.kept["crm"] = one
    world.keep_order(order)
    expected = first or ORDERS[order] or CONNECTIONS[connection] or Called(State.DELIVERED)
    called = world.caller(connection=connection).call(NOTICE, attempt=0, now=NOON)
    assert called == expected
    assert world.log.ended == [expected]
    assert world.posted == ([URL] if expected.state is State.DELIVERED else [])


def test_a_notice_without_a_subscription_is_not_sent_to_any_endpoint() -> None:
    world = World()
    world.keep_order("as announced")
    lone = replace(NOTICE, subscription=None)
    called = world.caller(connection="applied").call(lone, attempt=0, now=NOON)
    assert called == Called(State.SKIPPED, "the subscription was deleted")
    assert world.posted == []
