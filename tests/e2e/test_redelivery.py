"""Whatever is delivered again, nobody is told again: every message of every queue, and the stream.

The queues' event source mappings are switched off meanwhile, and the test stands in for Lambda:
so it sees each message that goes through, and can deliver it again.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from milepost.notifications.subscription import Mode
from tests.e2e.conftest import HOME, Client, status_changed, wait_for
from tests.e2e.notification_checks import Receiver, Subscriptions, entry_for, log_of, release

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

FUNCTIONS: Final = ("record-report", "send-notice", "call-endpoint", "track-delivery")
QUIET_SECONDS: Final = 3.0
"""With nothing in any queue for so long, nothing is on its way: SES's events take a second."""


@dataclass
class Pump:
    """Brings messages from queues to their functions, and remembers them."""

    client: Client
    mappings: Sequence[Mapping[str, Any]]
    delivered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def run_dry(self) -> int:
        """Deliver all there is, and what follows from it; how many messages that was."""
        count, quiet_since = 0, time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            for mapping in self.mappings:
                for message in self._receive(mapping):
                    self._deliver(mapping, message)
                    count, quiet_since = count + 1, time.monotonic()
        return count

    def deliver_again(self, times: int) -> None:
        """Deliver all messages again, in another order."""
        for _ in range(times):
            for function, event in reversed(self.delivered):
                answer = self.invoke(function, event)
                assert not answer.get("batchItemFailures"), (function, answer)

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.client.stack.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps(event)
        )
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def _receive(self, mapping: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.client.sqs.receive_message(
            QueueUrl=self._url(mapping), MaxNumberOfMessages=10
        ).get("Messages", [])
        return found

    def _deliver(self, mapping: Mapping[str, Any], message: Mapping[str, Any]) -> None:
        record = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": mapping["EventSourceArn"],
        }
        event = {"Records": [record]}
        if not self.invoke(mapping["FunctionArn"], event).get("batchItemFailures"):
            self.delivered.append((mapping["FunctionArn"], event))
            self.client.sqs.delete_message(
                QueueUrl=self._url(mapping), ReceiptHandle=message["ReceiptHandle"]
            )

    def _url(self, mapping: Mapping[str, Any]) -> str:
        name = mapping["EventSourceArn"].rpartition(":")[2]
        url: str = self.client.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return url


@contextmanager
def pumping(client: Client) -> Iterator[Pump]:
    functions = client.stack.client("lambda")
    mappings = [
        mapping
        for name in FUNCTIONS
        for mapping in functions.list_event_source_mappings(
            FunctionName=f"{client.stack.stack_name}-{name}"
        )["EventSourceMappings"]
    ]
    for mapping in mappings:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield Pump(client, mappings)
    finally:
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def stream_records(client: Client) -> list[dict[str, Any]]:
    """All that the stream of OrdersTable holds."""
    table = client.stack.resource_id("OrdersTable")
    described = client.stack.client("dynamodb").describe_table(TableName=table)["Table"]
    streams, arn = client.stack.client("dynamodbstreams"), described["LatestStreamArn"]
    found = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while records := (answer := streams.get_records(ShardIterator=iterator))["Records"]:
            found += records
            iterator = answer.get("NextShardIterator")
            if iterator is None:
                break
    return found


def as_lambda_gets(record: Mapping[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in record["dynamodb"].items() if not isinstance(v, datetime)}
    return {"eventID": record["eventID"], "eventName": record["eventName"], "dynamodb": kept}


def test_redelivering_every_queue_and_stream_message_twice_changes_no_inbox(
    client: Client, subscriptions: Subscriptions
) -> None:
    client.settle()
    receiver = Receiver()
    subscriptions.add_endpoint(receiver.url)
    hourly = subscriptions.add(mode=Mode.HOURLY)
    orders = [client.new_id("twice") for _ in range(2)]

    def told() -> dict[str, Any]:
        return {
            "mails": sorted(mail["id"] for mail in client.stack.mails()),
            "calls": len(receiver.received),
            "topic": [one["id"] for name in orders for one in client.announcements(name)],
            "log": [log_of(client, name) for name in orders],
        }

    with pumping(client) as pump:
        for order_id, status in zip(orders, ("accepted", "rejected"), strict=True):
            client.send(HOME, status_changed(order_id, status, at=datetime.now(UTC)))
        pump.run_dry()
        for order_id in orders:
            wait_for(lambda o=order_id: entry_for(client, o, hourly.recipient), what="the digest")
        release(client, hours=2)
        pump.run_dry()
        before = told()
        assert {function.rpartition("-")[2] for function, _ in pump.delivered} == {
            name.rpartition("-")[2] for name in FUNCTIONS
        }
        assert before["calls"] == len(orders)
        pump.deliver_again(times=2)
        announce = f"{client.stack.stack_name}-announce"
        for record in [r for r in stream_records(client) if is_of(r, orders)] * 2:
            said = pump.invoke(announce, {"Records": [as_lambda_gets(record)]})
            assert said == {"batchItemFailures": []}
        release(client, hours=2)
        pump.run_dry()
        assert told() == before
    receiver.close()


def is_of(record: Mapping[str, Any], orders: Sequence[str]) -> bool:
    return record["dynamodb"]["Keys"]["pk"]["S"].rpartition("#")[2] in orders
