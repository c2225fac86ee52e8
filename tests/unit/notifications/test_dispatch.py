"""From an announcement to the log, the queues, the waiting room and the topic."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from milepost.notifications.claims import Batch
from milepost.notifications.notice import Audience, Channel, Notice, State
from milepost.notifications.subscription import Mode, QuietHours, Subscription
from milepost.orders.announcements import DETAILS_GRACE_PERIOD
from milepost.orders.order import Kind
from tests.builders import NOON, announced, announcement, minute
from tests.unit.notifications.dispatch_desk import (
    BY_CALL,
    BY_MAIL,
    CRM,
    SALES,
    Desk,
    RefusingAt,
    topic_entry,
)


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
    assert desk.log.states[notice.id] is state


def test_a_customer_who_is_not_told_is_in_the_log(desk: Desk) -> None:
    desk.tell()
    assert sorted(item["state"] for item in desk.log.items.values()) == ["sent", "skipped"]


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
