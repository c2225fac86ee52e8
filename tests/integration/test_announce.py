"""announce: what is in the topic, the email queue and the log after a batch of the stream."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.subscription import Subscription
from milepost.orders.disclosure import CAUSES
from milepost.orders.order import Kind
from tests.stack import Context, Stack, aws, event

SALES = Subscription(id="sales", recipient="sales@example.org")
KINDS = ["accepted", "rejected", "scheduled", "rescheduled", "completed", "cancelled"]


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    subscribe(stack, SALES)
    _subscribe_queue(stack)
    return stack.load("announce")


def subscribe(stack: Stack, *subscriptions: Subscription) -> None:
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    for one in subscriptions:
        table.put(one)


def _subscribe_queue(stack: Stack) -> None:
    sqs = aws("sqs")
    stack.resources["Subscriber"] = sqs.create_queue(QueueName="Subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(
        QueueUrl=stack.resources["Subscriber"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    aws("sns").subscribe(
        TopicArn=stack.resources["AnnouncementsTopic"], Protocol="sqs", Endpoint=arn
    )


def invoke(app: ModuleType, batch: dict[str, Any]) -> list[str]:
    """The sequence numbers of the records that failed."""
    answer = app.handler(batch, Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def published(stack: Stack) -> list[dict[str, Any]]:
    return [json.loads(message["Message"]) for message in stack.messages("Subscriber")]


def mails(stack: Stack, recipient: str = SALES.recipient) -> list[dict[str, Any]]:
    """Mails that wait; those of an appointment are delayed, so the log says it of all."""
    return [
        item
        for item in stack.items("NoticesTable")
        if item["sk"].startswith("notice#")
        and item["channel"] == "email"
        and item.get("recipient") == recipient
        and item["state"] == "queued"
    ]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", KINDS)
def test_an_announcement_is_one_message_and_one_mail(
    kind: str, app: ModuleType, stack: Stack
) -> None:
    assert invoke(app, event("announce", kind)) == []
    (message,) = published(stack)
    assert message["kind"] == kind
    (queued,) = [one for one in stack.messages("EmailQueue") if one["recipient"] == SALES.recipient]
    assert queued["announcement"]["kind"] == kind
    assert [item["kind"] for item in mails(stack)] == [kind]


def test_a_message_has_a_stable_id_and_no_personal_data(app: ModuleType, stack: Stack) -> None:
    invoke(app, event("announce", "rejected"))
    (message,) = published(stack)
    assert message["id"] == "offergrid-home/ord-7c1e20-b4f/item-7c1e20-2/1"
    assert message["reason"] == CAUSES["outside_service_area"]
    text = json.dumps(message)
    for personal in ("Charlotte", "Nguyen", "example.com", "Lygon"):
        assert personal not in text


def test_a_message_has_attributes_to_filter_by(app: ModuleType, stack: Stack) -> None:
    invoke(app, event("announce", "scheduled"))
    (message,) = stack.messages("Subscriber")
    values = {name: one["Value"] for name, one in message["MessageAttributes"].items()}
    assert values == {
        "kind": "scheduled",
        "connection": "offergrid-home",
        "provider": "offergrid",
        "status": "scheduled",
        "service_type": "internet",
    }
    assert message["Subject"] == "Scheduled: PP-20417 (offergrid-home)"


@pytest.mark.parametrize("name", ["announces_nothing", "removed"])
def test_a_write_that_announces_nothing_tells_nobody(
    name: str, app: ModuleType, stack: Stack
) -> None:
    assert invoke(app, event("announce", name)) == []
    assert published(stack) == []
    assert stack.messages("EmailQueue") == []


@pytest.mark.thorough
def test_a_batch_delivered_twice_tells_once(app: ModuleType, stack: Stack) -> None:
    for _ in range(2):
        assert invoke(app, event("announce", "all_five")) == []
    assert sorted(one["kind"] for one in published(stack)) == sorted(
        ["accepted", "scheduled", "completed", "rejected", "cancelled"]
    )


def test_the_first_failed_record_stops_the_batch(app: ModuleType, stack: Stack) -> None:
    batch = event("announce", "one_poison_of_three")
    assert invoke(app, batch) == [batch["Records"][1]["dynamodb"]["SequenceNumber"]]
    assert [one["kind"] for one in published(stack)] == ["accepted"]


def test_when_the_topic_is_away_the_record_comes_back_and_is_then_told_once(
    app: ModuleType, stack: Stack
) -> None:
    batch = event("announce", "accepted")
    sns, topic = aws("sns"), stack.resources["AnnouncementsTopic"]
    sns.delete_topic(TopicArn=topic)
    assert invoke(app, batch) == [batch["Records"][0]["dynamodb"]["SequenceNumber"]]
    assert sns.create_topic(Name="AnnouncementsTopic")["TopicArn"] == topic
    _subscribe_queue(stack)
    assert invoke(app, batch) == []
    assert len(published(stack)) == 1
    assert len(mails(stack)) == 1


def test_one_address_gets_one_mail_however_many_subscriptions_match(
    app: ModuleType, stack: Stack
) -> None:
    subscribe(stack, Subscription(id="also-sales", recipient="SALES@example.org "))
    invoke(app, event("announce", "accepted"))
    entered = [one for one in stack.items("NoticesTable") if one["sk"].startswith("notice#")]
    team = [one for one in entered if one["channel"] == "email" and one["audience"] == "team"]
    assert len(team) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"kinds": frozenset({Kind.REJECTED})},
        {"connections": frozenset({"offergrid-business"})},
        {"service_types": frozenset({"energy"})},
    ],
)
def test_who_did_not_ask_for_it_gets_nothing(
    changes: dict[str, Any], app: ModuleType, stack: Stack
) -> None:
    subscribe(stack, replace(SALES, **changes))
    invoke(app, event("announce", "accepted"))
    assert mails(stack) == []
    assert len(published(stack)) == 1


def test_rabots_orders_are_told_too(app: ModuleType, stack: Stack) -> None:
    invoke(app, event("announce", "rabot_delivery"))
    invoke(app, event("announce", "rabot_cancelled"))
    by_kind = {one["kind"]: one for one in published(stack)}
    assert by_kind["completed"]["status"] == "active"
    assert by_kind["cancelled"]["delivery_end"] == "2026-09-30"


def test_logs_hold_nothing_personal(
    app: ModuleType, stack: Stack, logged: Callable[[], str]
) -> None:
    for name in (*KINDS, "one_poison_of_three"):
        invoke(app, event("announce", name))
    text = logged()
    assert "announced" in text
    for personal in ("Charlotte", "Nguyen", "example.com", "Lygon", "sales@"):
        assert personal not in text
