"""Sends accepted deliveries to the inbox queue. Short: the provider waits while it is imported."""

import json
from base64 import b64encode
from typing import TYPE_CHECKING

from milepost.aws.errors import AWS_FAILED
from milepost.webhooks.receiver import InboxRefused

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class InboxQueue:
    """Implements ``receiver.Inbox``."""

    def __init__(self, client: "SQSClient", *, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, *, connection_id: str, delivery_id: str, body: bytes, now: float) -> None:
        # Base64, since SQS refuses some characters, and the bytes must not change.
        message = {
            "connection": connection_id,
            "delivery_id": delivery_id,
            "received_at": round(now, 3),
            "body": b64encode(body).decode("ascii"),
        }
        try:
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(message))
        except AWS_FAILED:
            raise InboxRefused from None

    def look(self) -> None:
        """Request the queue's attributes, only to open the connection before it is needed."""
        self._client.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])
