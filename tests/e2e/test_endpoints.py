"""Endpoints of a team's own: signed, tried again, refused, switched off; on the deployed stack."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.topic_and_queues import notice_message
from milepost.notifications.endpoints.aws.call_log import ATTEMPT
from milepost.notifications.endpoints.retry_policy import JITTER, RETRY_AFTER
from milepost.notifications.notice import Channel, Notice
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import tracked_order
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from milepost.webhooks.signatures import verify
from tests.e2e.conftest import HOME, Client, status_changed, wait_for
from tests.e2e.notification_checks import (
    ENDPOINT_SECRET,
    Receiver,
    Subscriptions,
    mails_to,
    release,
    wait_for_attempts,
    wait_for_state,
)

pytestmark = pytest.mark.e2e

ALWAYS = 1_000


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def announce_accepted(client: Client) -> str:
    order_id = client.new_id("hook")
    client.send(HOME, status_changed(order_id, "accepted"))
    return order_id


@pytest.mark.thorough
def test_an_endpoint_gets_signed_json(
    client: Client, subscriptions: Subscriptions, receiver: Receiver
) -> None:
    subscriptions.add_endpoint(receiver.url)
    order_id = announce_accepted(client)
    wait_for_state(client, order_id, receiver.url, "delivered")
    ((headers, body),) = receiver.received
    now = float(headers["webhook-timestamp"])
    verify(STANDARD_WEBHOOKS, headers=headers, body=body, secrets=[ENDPOINT_SECRET], now=now)
    assert json.loads(body)["order_id"] == order_id


@pytest.mark.thorough
def test_an_endpoint_is_tried_again_under_the_same_id_until_it_answers(
    client: Client, subscriptions: Subscriptions, receiver: Receiver
) -> None:
    receiver.failures = 3
    hook = subscriptions.add_endpoint(receiver.url)
    order_id = announce_accepted(client)
    wait_for_attempts(client, order_id, receiver.url, 2)
    # SQS keeps the third try back for five minutes: a copy of its message comes sooner.
    put_attempt(client, order_id, hook, attempt=2)
    entry = wait_for_attempts(client, order_id, receiver.url, 3)
    assert entry["retry_at"] > format_instant(datetime.now(UTC) + timedelta(minutes=29))
    release(client, hours=0.7)
    wait_for_state(client, order_id, receiver.url, "delivered")
    ids = {headers["webhook-id"] for headers, _ in receiver.received}
    assert (len(receiver.received), len(ids)) == (4, 1)


@pytest.mark.thorough
def test_an_endpoint_is_given_up_after_the_last_try_and_the_log_says_so(
    client: Client, subscriptions: Subscriptions, receiver: Receiver
) -> None:
    receiver.failures = ALWAYS
    hook = subscriptions.add_endpoint(receiver.url)
    order_id = announce_accepted(client)
    wait_for_attempts(client, order_id, receiver.url, 2)
    put_attempt(client, order_id, hook, attempt=2)
    for attempts, wait in enumerate(RETRY_AFTER[2:], start=3):
        wait_for_attempts(client, order_id, receiver.url, attempts)
        release(client, hours=wait * (1 + JITTER) / timedelta(hours=1) + 0.1)
    entry = wait_for_state(client, order_id, receiver.url, "failed")
    tries = len(RETRY_AFTER) + 1
    assert entry["reason"] == f"answered 500; tried {tries} times"
    assert len(receiver.received) == tries


def put_attempt(client: Client, order_id: str, hook: Subscription, *, attempt: int) -> None:
    """A copy of the message that SQS keeps back."""
    item = client.order(HOME, order_id, "item-1")
    assert item is not None
    tracked = tracked_order(from_item(item))
    notice = Notice(
        key=tracked.order.key,
        announcement=tracked.announced[0],
        channel=Channel.HTTPS,
        recipient=hook.recipient,
        subscription=hook.id,
    )
    client.sqs.send_message(
        QueueUrl=client.stack.outputs["EndpointQueueUrl"],
        MessageBody=json.dumps({**notice_message(notice), ATTEMPT: attempt}),
    )


@pytest.mark.thorough
def test_an_endpoint_that_failed_for_five_days_is_switched_off_and_its_owner_told(
    client: Client, subscriptions: Subscriptions, receiver: Receiver
) -> None:
    receiver.failures = ALWAYS
    owner = f"{client.new_id('owner')}@example.org"
    hook = subscriptions.add_endpoint(receiver.url, owner=owner)
    fail_since(client, hook, datetime.now(UTC) - timedelta(days=5, minutes=1))
    order_id = announce_accepted(client)
    entry = wait_for_state(client, order_id, receiver.url, "failed")
    assert "after failing for 5 days" in entry["reason"]
    (mail,) = wait_for(lambda: mails_to(client, owner), what="the owner's mail")
    assert mail["subject"] == "Switched off: 127.0.0.1"
    later = announce_accepted(client)
    skipped = wait_for_state(client, later, receiver.url, "skipped")
    assert skipped["reason"].startswith("switched off on ")
    resumed = client.run("subscriptions", "resume", hook.id, "--stack", client.stack.stack_name)
    assert resumed.returncode == 0, resumed.stderr
    receiver.failures = 0
    wait_for_state(client, announce_accepted(client), receiver.url, "delivered")


def fail_since(client: Client, hook: Subscription, moment: datetime) -> None:
    client.stack.client("dynamodb").update_item(
        TableName=client.stack.resource_id("NoticesTable"),
        Key=to_item({"pk": "subscriptions", "sk": hook.id}),
        UpdateExpression="SET failing_since = :since",
        ExpressionAttributeValues=to_item({":since": format_instant(moment)}),
    )


@pytest.mark.thorough
def test_redirects_are_not_followed_and_the_metadata_service_is_never_called(
    client: Client, subscriptions: Subscriptions, receiver: Receiver
) -> None:
    elsewhere = Receiver()
    receiver.failures, receiver.failure, receiver.location = ALWAYS, 302, elsewhere.url
    metadata = "http://169.254.169.254/latest/meta-data/"
    for url in (receiver.url, metadata):
        subscriptions.add_endpoint(url)
    order_id = announce_accepted(client)
    entry = wait_for_attempts(client, order_id, receiver.url, 2)
    assert entry["reason"] == "answered 302: redirects are not followed"
    entry = wait_for_attempts(client, order_id, metadata, 2)
    assert entry["reason"] == "refused: metadata address"
    assert elsewhere.received == []
    elsewhere.close()
