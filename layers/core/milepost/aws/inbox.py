"""The inbox: what was let in, on its way to being recorded."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from milepost.receiving import InboxRefused


class InboxQueue:
    """Implements ``receiving.Inbox``."""

    def __init__(self, client: Any, *, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, *, connection_id: str, delivery_id: str, body: bytes, now: float) -> None:
        # Base64, since SQS refuses characters that a body may hold, and the bytes have to stay.
        message = {
            "connection": connection_id,
            "delivery_id": delivery_id,
            "received_at": round(now, 3),
            "body": b64encode(body).decode("ascii"),
        }
        try:
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(message))
        except (BotoCoreError, ClientError):
            raise InboxRefused from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One authentic webhook, as it was let in."""

    connection_id: str
    delivery_id: str
    received_at: datetime
    body: bytes
    announce: bool = True
    """False for a replay that is to tell nobody."""

    @classmethod
    def from_message(cls, text: str) -> "Delivery":
        """Read what ``InboxQueue.put`` wrote."""
        message = json.loads(text)
        return cls(
            connection_id=message["connection"],
            delivery_id=message["delivery_id"],
            received_at=datetime.fromtimestamp(message["received_at"], UTC),
            body=b64decode(message["body"], validate=True),
            announce=message.get("announce", True),
        )
