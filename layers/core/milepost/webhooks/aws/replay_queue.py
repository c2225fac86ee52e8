"""Sends quarantined payloads to the inbox queue again. Short: one call."""

import json
from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING

from milepost.aws.errors import AWS_FAILED
from milepost.quarantine.replay import Kept
from milepost.webhooks.receiver import InboxRefused

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class ReplayQueue:
    """Implements ``replay.Inbox``."""

    def __init__(self, client: "SQSClient", *, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put_back(self, kept: Kept, body: bytes, *, announce: bool, now: datetime) -> None:
        message = {
            "connection": kept.id.connection,
            "delivery_id": f"replay-{kept.id.digest}",
            "received_at": round(kept.received_at.timestamp(), 3),
            "source": str(kept.source),
            "announce": announce,
            "replayed_at": round(now.timestamp(), 3),
            "kept_as": kept.id.path_id,
            "body": b64encode(body).decode("ascii"),
        }
        try:
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(message))
        except AWS_FAILED:
            raise InboxRefused from None
