"""What has to survive on the deployed stack, where queues, streams and mappings are real."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from milepost.webhooks.receiver import MOST_BYTES
from tests.e2e.conftest import HOME, Client, status_changed, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

FIVE_RECEIVES_SECONDS = 120


def test_the_same_delivery_fifty_times_at_once_is_told_once(client: Client) -> None:
    order_id = client.new_id()
    event, delivery_id = status_changed(order_id, "accepted"), f"msg_{order_id}"

    def deliver(_: int) -> int:
        try:
            return client.try_to_send(HOME, event, delivery_id)
        except TimeoutError:
            return 0  # A provider that got no answer in time sends it again.

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(deliver, range(50)))
        for _ in range(5):
            answers = [*filter(None, answers), *pool.map(deliver, range(answers.count(0)))]
    assert answers == [202] * 50
    client.settle()
    client.wait_for_told(order_id, ["accepted"])
    item = client.order(HOME, order_id, "item-1")
    assert item is not None
    assert item["version"]["N"] == "1"


def padded(order_id: str, size: int) -> bytes:
    """An event of so many bytes: what a provider says beyond what is read does no harm."""
    event = status_changed(order_id, "accepted")
    empty = len(json.dumps({**event, "padding": ""}).encode())
    return json.dumps({**event, "padding": "x" * (size - empty)}).encode()


def test_a_body_of_512_kilobytes_is_recorded_and_one_byte_more_refused(client: Client) -> None:
    largest, too_large = client.new_id(), client.new_id()
    client.send(HOME, padded(largest, MOST_BYTES))
    client.send(HOME, padded(too_large, MOST_BYTES + 1), expect=413)
    client.wait_for_status(HOME, largest, "item-1", "accepted")
    client.settle()
    assert client.order(HOME, too_large, "item-1") is None


def test_of_ten_messages_nine_are_done_and_the_poison_is_a_dead_letter(client: Client) -> None:
    inbox, dead_letters = (client.stack.outputs[name] for name in _INBOX)
    orders = [client.new_id() for _ in range(9)]
    poison = f"no delivery at all {client.new_id()}"
    bodies = [_delivery(order_id) for order_id in orders]
    bodies.insert(4, poison)
    client.sqs.send_message_batch(
        QueueUrl=inbox,
        Entries=[{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies)],
    )
    for order_id in orders:
        client.wait_for_status(HOME, order_id, "item-1", "accepted")
    found = wait_for(
        lambda: _take(client, dead_letters, poison),
        what="the poison among the dead letters",
        seconds=FIVE_RECEIVES_SECONDS,
    )
    assert found["Body"] == poison


_INBOX = ("InboxQueueUrl", "InboxDeadLettersUrl")


def _delivery(order_id: str) -> str:
    """What receive_webhook puts into the inbox."""
    event = json.dumps(status_changed(order_id, "accepted")).encode()
    return json.dumps(
        {
            "connection": HOME,
            "delivery_id": f"msg_{order_id}",
            "received_at": datetime.now(UTC).timestamp(),
            "body": b64encode(event).decode(),
        }
    )


def _take(client: Client, queue_url: str, body: str) -> dict[str, Any] | None:
    """That message of a queue, which is then taken out; the others stay."""
    answer = client.sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=1
    )
    for message in answer.get("Messages", []):
        if message["Body"] == body:
            client.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            found: dict[str, Any] = message
            return found
    return None


def test_a_poison_record_among_many_of_the_stream_is_kept_whole_and_the_shard_moves_on(
    client: Client,
) -> None:
    orders = [client.new_id() for _ in range(20)]
    poisoned = client.new_id("poison")
    for at, order_id in enumerate(orders):
        client.send(HOME, status_changed(order_id, "accepted"))
        if at == len(orders) // 2:
            _poison(client, poisoned)
    for order_id in orders:
        client.wait_for_told(order_id, ["accepted"])
    record = wait_for(
        lambda: _left_unannounced(client, poisoned), what="the record in the bucket", seconds=60
    )
    assert record["dynamodb"]["NewImage"]["announce"] == {"S": "no announcement"}
    client.settle()
    for order_id in orders:
        client.wait_for_told(order_id, ["accepted"])


def _poison(client: Client, order_id: str) -> None:
    """An item that passes the stream's filter and can't be read; only its record stays."""
    table, place = client.stack.resource_id("OrdersTable"), _place(order_id)
    dynamodb = client.stack.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**place, "announce": {"S": "no announcement"}})
    dynamodb.delete_item(TableName=table, Key=place)


def _place(order_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"order#{HOME}#{order_id}"}, "sk": {"S": "item#item-1"}}


def _left_unannounced(client: Client, order_id: str) -> dict[str, Any] | None:
    s3, bucket = client.stack.client("s3"), client.stack.resource_id("UnannouncedBucket")
    for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        kept = json.loads(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read())
        payload = kept["payload"]
        records = (json.loads(payload) if isinstance(payload, str) else payload)["Records"]
        for record in records:
            if record["dynamodb"]["Keys"]["pk"]["S"].endswith(order_id):
                found: dict[str, Any] = record
                return found
    return None
