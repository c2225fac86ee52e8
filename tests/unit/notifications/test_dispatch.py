"""From an announcement to the log, the queues, the waiting room and the topic."""

from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from milepost.connections.connection import Connection
from milepost.notifications.claims import Batch
from milepost.notifications.dispatch import AnnouncementDispatcher, EventRefused
from milepost.notifications.notice import Audience, Channel, Notice, State
from milepost.notifications.subscription import Mode, QuietHours, Subscription
from milepost.orders.announcements import DETAILS_GRACE_PERIOD, Announced
from milepost.orders.details import Details
from milepost.orders.order import Kind
from tests.builders import NOON, OFFERGRID, announced, announcement, minute
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
    """Refuses one put, the one in this place."""

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
    """A teller and everything around it."""

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


@pytest.fixture
def desk() -> Desk:
    return Desk()


def topic_entry(desk: Desk) -> Any:
    (entry,) = (item for item in desk.log.items.values() if item["channel"] == "sns")
    return entry


def numbered(sequence: int, kind: Kind = Kind.ACCEPTED) -> Announced:
    return replace(announced(kind), announcement=announcement(kind, sequence))


def test_each_is_told_by_the_queue_of_their_channel_and_the_topic_once(desk: Desk) -> None:
    desk.tell(BY_MAIL, BY_CALL)
    assert desk.emails.recipients == [SALES]
    assert desk.endpoints.recipients == [CRM]
    assert desk.topic.published == [announced()]


def test_the_log_says_queued_for_each_and_sent_for_the_topic(desk: Desk) -> None:
    desk.tell(BY_MAIL, BY_CALL)
    entries = {item.get("recipient"): item for item in desk.log.items.values()}
    assert entries[SALES]["state"] == entries[CRM]["state"] == "queued"
    topic = entries["announcements"]
    assert (topic["channel"], topic["state"], topic["message_id"]) == ("sns", "sent", "sns-1")


def test_a_second_delivery_of_the_announcement_tells_nobody_who_was_told(desk: Desk) -> None:
    desk.tell(BY_MAIL, BY_CALL)
    for notice, _ in (*desk.emails.puts, *desk.endpoints.puts):
        desk.log.mark_sent(notice, message_id="m", at=minute(1))
    desk.tell(BY_MAIL, BY_CALL, now=minute(5))
    assert (desk.emails.recipients, desk.endpoints.recipients) == ([SALES], [CRM])
    assert len(desk.topic.published) == 1


@pytest.mark.parametrize("place", range(3))
def test_killed_at_any_of_three_mails_the_next_delivery_tells_the_rest(
    desk: Desk, place: int
) -> None:
    three = [Subscription(id=name, recipient=f"{name}@example.org") for name in "abc"]
    desk.emails = RefusingAt(place)
    with pytest.raises(ConnectionError):
        desk.tell(*three)
    for notice, _ in desk.emails.puts:
        desk.log.mark_sent(notice, message_id="m", at=minute(1))
    desk.tell(*three, now=minute(2))
    assert desk.emails.recipients == [one.recipient for one in three]
    assert len(desk.topic.published) == 1


def test_the_topic_is_published_to_before_recipients_are_notified(desk: Desk) -> None:
    desk.emails = RefusingAt(0)
    with pytest.raises(ConnectionError, match="the queue refuses"):
        desk.tell(BY_MAIL)
    assert desk.topic.published == [announced()]


def test_the_topic_is_logged_as_sent_only_when_every_recipient_is_in_the_log(desk: Desk) -> None:
    """Else what watches for announcements that were never sent would not send the rest."""
    desk.emails = RefusingAt(1)
    others = [replace(BY_MAIL, id=name, recipient=f"{name}@example.org") for name in "ab"]
    with pytest.raises(ConnectionError):
        desk.tell(*others)
    assert topic_entry(desk)["state"] == "queued"
    desk.tell(*others, now=minute(1))
    assert (topic_entry(desk)["state"], topic_entry(desk)["message_id"]) == ("sent", "sns-1")
    assert len(desk.topic.published) == 1


def test_recipients_are_notified_while_the_topic_refuses(desk: Desk) -> None:
    desk.topic.failing = 1
    with pytest.raises(ConnectionError, match="the topic refuses"):
        desk.tell(BY_MAIL, BY_CALL)
    assert (desk.emails.recipients, desk.endpoints.recipients) == ([SALES], [CRM])
    assert not desk.topic.published


def test_a_topic_that_refuses_is_published_to_by_the_next_delivery(desk: Desk) -> None:
    desk.topic.failing = 1
    with pytest.raises(ConnectionError):
        desk.tell(BY_MAIL)
    assert desk.emails.recipients == [SALES]
    desk.tell(now=minute(1))
    desk.tell(now=minute(2))
    assert len(desk.topic.published) == 1


def test_a_mail_that_is_queued_and_was_not_sent_yet_is_queued_again(desk: Desk) -> None:
    desk.tell(BY_MAIL)
    desk.tell(BY_MAIL, now=minute(1))
    (first, _), (second, _) = desk.emails.puts
    assert first.id == second.id


def test_who_has_ended_is_logged_and_not_told(desk: Desk) -> None:
    desk.tell(replace(BY_MAIL, ended="unsubscribed on 2026-03-01"))
    assert desk.emails.puts == []
    reasons = {item.get("reason") for item in desk.log.items.values()}
    assert "unsubscribed on 2026-03-01" in reasons


def test_who_wants_a_digest_waits_in_the_waiting_room(desk: Desk) -> None:
    desk.tell(replace(BY_MAIL, mode=Mode.HOURLY), now=minute(10))
    assert desk.emails.puts == []
    assert desk.held_until() == [(minute(60), SALES)]


def test_quiet_hours_keep_a_mail_until_they_end(desk: Desk) -> None:
    desk.tell(replace(BY_MAIL, quiet_hours=QuietHours(start=time(12), end=time(15))))
    assert desk.held_until() == [(minute(120), SALES)]


def test_what_is_held_is_held_for_the_same_digest_when_it_is_delivered_again(desk: Desk) -> None:
    hourly = replace(BY_MAIL, mode=Mode.HOURLY)
    desk.tell(hourly, now=minute(10))
    desk.tell(hourly, now=minute(20))
    assert desk.held_until() == [(minute(60), SALES)]


def test_what_comes_again_after_its_digest_may_have_gone_waits_for_the_next_minute(
    desk: Desk,
) -> None:
    hourly = replace(BY_MAIL, mode=Mode.HOURLY)
    desk.tell(hourly, now=minute(10))
    desk.holds.kept.clear()
    desk.tell(hourly, now=minute(61.5))
    assert desk.held_until() == [(minute(62), SALES)]


def test_over_the_limit_of_the_hour_the_rest_comes_as_one_digest_at_its_end(desk: Desk) -> None:
    for sequence in range(1, 6):
        desk.tell(BY_MAIL, of=numbered(sequence), now=minute(sequence), connection=CAREFUL)
    assert len(desk.emails.puts) == 2
    assert desk.held_until() == [(minute(60), SALES)] * 3
    assert len(desk.holds.held(Batch.of(desk.emails.puts[0][0], due_at=minute(60)))) == 3


def test_the_limit_is_each_recipients_own_and_new_each_hour(desk: Desk) -> None:
    other = replace(BY_MAIL, id="ops", recipient=OPS)
    for sequence in range(1, 4):
        desk.tell(BY_MAIL, other, of=numbered(sequence), connection=CAREFUL)
    desk.tell(BY_MAIL, of=numbered(4), now=minute(60), connection=CAREFUL)
    assert sorted(desk.emails.recipients) == [OPS, OPS, SALES, SALES, SALES]
    assert sorted(desk.held_until()) == [(minute(60), OPS), (minute(60), SALES)]


def test_a_storm_to_a_customer_who_has_no_subscription_waits_for_the_end_of_the_hour(
    desk: Desk,
) -> None:
    telling = replace(CAREFUL, customer_notices=frozenset({Kind.ACCEPTED}))
    quiet = QuietHours(start=time(12), end=time(15))
    another = replace(BY_MAIL, quiet_hours=quiet, kinds=frozenset({Kind.REJECTED}))
    for sequence in range(1, 6):
        of = replace(numbered(sequence), details=Details(customer={"email": OPS}))
        desk.tell(another, of=of, connection=telling)
    assert desk.emails.recipients == [OPS, OPS]
    assert desk.held_until() == [(minute(60), OPS)] * 3


def test_a_storm_waits_for_the_end_of_the_recipients_own_quiet_hours_alone(desk: Desk) -> None:
    quiet = QuietHours(start=time(14), end=time(16))
    resting = replace(BY_MAIL, id="ops", recipient=OPS, quiet_hours=quiet)
    for sequence in range(1, 4):
        desk.tell(BY_MAIL, resting, of=numbered(sequence), now=minute(30), connection=CAREFUL)
    assert sorted(desk.held_until()) == [(minute(60), SALES), (minute(180), OPS)]


@pytest.mark.parametrize(("zone", "ends"), [("Asia/Kolkata", 30), ("Asia/Kathmandu", 15)])
def test_the_hour_of_a_storm_is_that_of_the_recipients_clock(
    zone: str, ends: int, desk: Desk
) -> None:
    away = replace(BY_MAIL, time_zone=zone)
    for sequence in range(1, 4):
        desk.tell(away, of=numbered(sequence), connection=CAREFUL)
    assert desk.held_until() == [(minute(ends), SALES)]


def test_the_hour_of_a_storm_to_a_customer_is_that_of_the_connections_clock(desk: Desk) -> None:
    kinds = frozenset({Kind.ACCEPTED})
    telling = replace(CAREFUL, customer_notices=kinds, time_zone="Asia/Kolkata")
    for sequence in range(1, 4):
        of = replace(numbered(sequence), details=Details(customer={"email": OPS}))
        desk.tell(of=of, connection=telling)
    assert desk.held_until() == [(minute(30), OPS)]


@pytest.mark.parametrize(
    "spared",
    [BY_CALL, replace(BY_MAIL, mode=Mode.HOURLY), replace(BY_MAIL, ended="unsubscribed")],
    ids=["endpoint", "digest", "ended"],
)
def test_what_is_no_mail_of_this_hour_does_not_count_against_its_limit(
    desk: Desk, spared: Subscription
) -> None:
    for sequence in range(1, 5):
        desk.tell(spared, of=numbered(sequence), connection=CAREFUL)
    assert desk.holds.counts == {}


def test_one_who_was_told_at_once_is_not_held_back_by_a_second_delivery(desk: Desk) -> None:
    strict = replace(OFFERGRID, notices_per_hour=1)
    desk.tell(BY_MAIL, connection=strict)
    desk.tell(BY_MAIL, connection=strict)
    assert desk.emails.recipients == [SALES, SALES]
    assert desk.held_until() == []


@pytest.mark.parametrize(
    ("kind", "details", "delay"),
    [
        (Kind.SCHEDULED, {}, DETAILS_GRACE_PERIOD),
        (Kind.SCHEDULED, {"appointment": "2026-03-12T02:00:00Z"}, timedelta(0)),
        (Kind.REJECTED, {}, DETAILS_GRACE_PERIOD),
        (Kind.REJECTED, {"reason": "No coverage"}, timedelta(0)),
        (Kind.ACCEPTED, {}, timedelta(0)),
        (Kind.CANCELLED, {}, timedelta(0)),
        (Kind.COMPLETED, {}, timedelta(0)),
    ],
)
def test_a_mail_waits_5_seconds_for_a_second_event_that_says_when_or_why(
    desk: Desk, kind: Kind, details: dict[str, Any], delay: timedelta
) -> None:
    assert timedelta(seconds=5) == DETAILS_GRACE_PERIOD
    desk.tell(BY_MAIL, BY_CALL, of=announced(kind, **details))
    assert [waits for _, waits in desk.emails.puts] == [delay]
    assert [waits for _, waits in desk.endpoints.puts] == [timedelta(0)]


@pytest.mark.parametrize("state", sorted(set(State) - {State.QUEUED}))
def test_a_notice_that_is_settled_is_left_as_it_is(desk: Desk, state: State) -> None:
    desk.tell(BY_MAIL)
    (notice, _), *_ = desk.emails.puts
    desk.log.close(notice, state=state, reason="a person said so", at=minute(1))
    desk.tell(BY_MAIL, now=minute(2))
    assert len(desk.emails.puts) == 1
    assert desk.log.state_of(notice) is state


def test_a_customer_who_is_not_told_is_in_the_log(desk: Desk) -> None:
    desk.tell()
    assert sorted(item["state"] for item in desk.log.items.values()) == ["sent", "skipped"]


def test_a_storm_that_ends_in_quiet_hours_waits_for_their_end(desk: Desk) -> None:
    siesta = QuietHours(start=time(12, 30), end=time(15), passing=frozenset({"rejected"}))
    subscriber = replace(BY_MAIL, time_zone="UTC", quiet_hours=siesta)
    kinds = (Kind.ACCEPTED, Kind.ACCEPTED, Kind.ACCEPTED, Kind.REJECTED)
    for sequence, kind in enumerate(kinds, start=1):
        desk.tell(subscriber, of=numbered(sequence, kind), connection=CAREFUL)
    assert len(desk.emails.puts) == 2
    assert desk.held_until() == [(minute(180), SALES), (minute(60), SALES)]


def test_a_redelivery_leaves_a_notice_alone_that_waits_to_be_tried_again(desk: Desk) -> None:
    desk.tell(BY_MAIL)
    for item in desk.log.items.values():
        item["retry_at"] = "2026-03-02T12:05:00Z"
    desk.tell(BY_MAIL)
    assert desk.emails.recipients == [SALES]


def test_team_and_customer_at_one_address_are_held_apart() -> None:
    team = Notice(
        key=announced().key,
        announcement=announcement(Kind.ACCEPTED),
        channel=Channel.EMAIL,
        recipient=SALES,
    )
    customer = replace(team, audience=Audience.CUSTOMER)
    assert Batch.of(team, due_at=NOON) != Batch.of(customer, due_at=NOON)
    assert Batch.of(team, due_at=NOON) == Batch.of(replace(team, language="de"), due_at=NOON)


def on_the_bus(desk: Desk) -> tuple[str, str | None]:
    """State and reason of the bus's entry in the log."""
    [entry] = [one for one in desk.log.items.values() if one["channel"] == "event_bus"]
    assert entry["recipient"] == "events"
    return entry["state"], entry.get("message_id") or entry.get("reason")


def test_the_bus_gets_each_announcement_once_and_the_log_has_it(desk: Desk) -> None:
    desk.bus = MemoryBus()
    for _ in range(2):
        desk.tell(BY_MAIL)
    assert desk.bus.taken == desk.topic.published == [announced()]
    assert on_the_bus(desk) == ("sent", "event-1")


def test_a_bus_that_is_away_holds_back_the_topics_entry_which_says_that_all_is_done(
    desk: Desk,
) -> None:
    desk.bus = MemoryBus(failing=[ConnectionError("the bus is away")])
    with pytest.raises(ConnectionError):
        desk.tell(BY_MAIL)
    assert desk.topic.published == [announced()]
    assert on_the_bus(desk) == ("queued", None)
    assert topic_entry(desk)["state"] == "queued"
    desk.tell(BY_MAIL, now=minute(5))
    assert topic_entry(desk)["state"] == "sent"
    assert desk.bus.taken == desk.topic.published == [announced()]
    assert on_the_bus(desk) == ("sent", "event-1")


def test_a_topic_that_is_away_has_nothing_put_on_the_bus_again(desk: Desk) -> None:
    desk.bus, desk.topic.failing = MemoryBus(), 1
    with pytest.raises(ConnectionError):
        desk.tell()
    desk.tell(now=minute(5))
    assert len(desk.bus.taken) == len(desk.topic.published) == 1


def test_an_event_that_is_refused_for_good_is_logged_and_holds_nothing_back(desk: Desk) -> None:
    desk.bus = MemoryBus(failing=[EventRefused("the event is too large")])
    for _ in range(2):
        desk.tell(BY_MAIL)
    assert on_the_bus(desk) == ("failed", "the event is too large")
    assert (desk.bus.taken, desk.topic.published) == ([], [announced()])


@pytest.mark.parametrize("kind", [Kind.ESCALATED, Kind.COMMISSION_OVERDUE])
def test_what_is_for_the_contact_alone_is_on_no_bus(kind: Kind, desk: Desk) -> None:
    desk.bus = MemoryBus()
    desk.tell(of=announced(kind))
    assert desk.bus.taken == []


CHAT = Subscription(id="chat", recipient="hooks.slack.com/0a1b2c3d4e5f", channel=Channel.SLACK)


def test_a_storm_for_a_chat_becomes_one_message_at_the_end_of_the_hour(desk: Desk) -> None:
    for sequence in range(1, 5):
        desk.tell(CHAT, of=numbered(sequence), connection=CAREFUL)
    assert desk.endpoints.recipients == [CHAT.recipient] * 2
    assert desk.held_until() == [(minute(60), CHAT.recipient)] * 2


def test_a_chat_waits_for_the_end_of_its_quiet_hours(desk: Desk) -> None:
    desk.tell(replace(CHAT, quiet_hours=QuietHours(start=time(7), end=time(15))))
    assert desk.endpoints.recipients == []
    assert desk.held_until() == [(minute(120), CHAT.recipient)]
