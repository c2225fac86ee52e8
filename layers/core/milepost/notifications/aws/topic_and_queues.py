"""The SNS topic of announcements, the queues of the channels, and the form of their messages."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from milepost.common.timestamps import format_instant, parse_instant
from milepost.notifications.announcement_message import (
    topic_attributes,
    topic_message,
    topic_subject,
)
from milepost.notifications.claims import Batch
from milepost.notifications.cloud_event import cloud_event
from milepost.notifications.notice import Audience, Channel, Notice
from milepost.orders.announcements import Announced
from milepost.orders.aws.table import announcement_item, announcement_of
from milepost.orders.order import OrderKey

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class AnnouncementsTopic:
    """Implements ``dispatch.Topic``."""

    def __init__(
        self, client: "SNSClient", *, topic_arn: str, event_source: str | None = None
    ) -> None:
        """
        :param event_source: the source of CloudEvents; None for messages without an envelope
        """
        self._client = client
        self._topic_arn = topic_arn
        self._event_source = event_source

    def publish(self, announced: Announced) -> str:
        answer = self._client.publish(
            TopicArn=self._topic_arn,
            Subject=topic_subject(announced),
            Message=json.dumps(self._message(announced)),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in topic_attributes(announced).items()
            },
        )
        message_id: str = answer["MessageId"]
        return message_id

    def _message(self, announced: Announced) -> dict[str, Any]:
        if self._event_source is None:
            return topic_message(announced)
        return cloud_event(announced, source=self._event_source)


class NoticeQueue:
    """The queue of a channel; implements ``dispatch.Outbox``."""

    def __init__(self, client: "SQSClient", *, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, notice: Notice, *, delay: timedelta = timedelta(0)) -> None:
        self.put_message(notice_message(notice), delay=delay)

    def put_message(self, message: Mapping[str, Any], *, delay: timedelta = timedelta(0)) -> None:
        """Put a held message: a notice, or a batch of held notices."""
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=json.dumps(message),
            DelaySeconds=int(delay.total_seconds()),
        )


def notice_message(notice: Notice) -> dict[str, Any]:
    """The queue message of a notice."""
    return {
        "connection": notice.key.connection,
        "order_id": notice.key.order_id,
        "item_id": notice.key.item_id,
        "announcement": announcement_item(notice.announcement),
        "channel": str(notice.channel),
        "recipient": notice.recipient,
        "audience": str(notice.audience),
        "language": notice.language,
        "subscription": notice.subscription,
        "copy": notice.copy,
        **({"apart": True} if notice.apart else {}),
        **({"forced": True} if notice.forced else {}),
    }


def notice_of(message: Mapping[str, Any]) -> Notice:
    """The notice of a message."""
    return Notice(
        key=OrderKey(message["connection"], message["order_id"], message["item_id"]),
        announcement=announcement_of(message["announcement"]),
        channel=Channel(message["channel"]),
        recipient=message["recipient"],
        audience=Audience(message["audience"]),
        language=message["language"],
        subscription=message["subscription"],
        copy=message.get("copy", 0),
        apart=message.get("apart", False),
        forced=message.get("forced", False),
    )


def batch_message(batch: Batch) -> dict[str, Any]:
    """The queue message of a batch of held notices."""
    return {
        "batch": {
            "recipient_digest": batch.recipient_hash,
            "due_at": format_instant(batch.due_at),
        }
    }


def batch_of(message: Mapping[str, Any]) -> Batch | None:
    """The batch of a message; None if it is a notice."""
    batch = message.get("batch")
    return Batch(batch["recipient_digest"], parse_instant(batch["due_at"])) if batch else None


def mail_test_message(subscription_id: str) -> dict[str, Any]:
    """The queue message of a test mail to a subscription."""
    return {"test_mail": {"subscription": subscription_id}}


def mail_test_of(message: Mapping[str, Any]) -> str | None:
    """The subscription to which a test mail is sent; None if the message is another one."""
    test = message.get("test_mail")
    return test["subscription"] if test else None
