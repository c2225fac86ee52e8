"""Notices on their way: the SNS topic, the email queue, and the mail service."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from milepost.aws.orders_table import announcement_item, announcement_of
from milepost.notices import (
    Announced,
    Channel,
    Notice,
    topic_attributes,
    topic_message,
    topic_subject,
)
from milepost.order import OrderKey
from milepost.sending import Mail, Refused, TryAgainLater


class AnnouncementsTopic:
    """Implements ``notices.Topic``."""

    def __init__(self, client: Any, *, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, announced: Announced) -> str:
        answer = self._client.publish(
            TopicArn=self._topic_arn,
            Subject=topic_subject(announced),
            Message=json.dumps(topic_message(announced), ensure_ascii=False),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in topic_attributes(announced).items()
            },
        )
        message_id: str = answer["MessageId"]
        return message_id


class EmailQueue:
    """Implements ``notices.EmailQueue``."""

    def __init__(self, client: Any, *, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, notice: Notice, *, delay: timedelta) -> None:
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=json.dumps(notice_message(notice)),
            DelaySeconds=int(delay.total_seconds()),
        )


def notice_message(notice: Notice) -> dict[str, Any]:
    """A notice as the email queue carries it."""
    return {
        "connection": notice.key.connection,
        "order_id": notice.key.order_id,
        "item_id": notice.key.item_id,
        "announcement": announcement_item(notice.announcement),
        "channel": str(notice.channel),
        "recipient": notice.recipient,
        "language": notice.language,
        "subscription": notice.subscription,
    }


def notice_of(message: Mapping[str, Any]) -> Notice:
    """The notice of a message."""
    return Notice(
        key=OrderKey(message["connection"], message["order_id"], message["item_id"]),
        announcement=announcement_of(message["announcement"]),
        channel=Channel(message["channel"]),
        recipient=message["recipient"],
        language=message["language"],
        subscription=message["subscription"],
    )


_BUSY: Final = frozenset(
    {
        "TooManyRequestsException",
        "LimitExceededException",
        "SendingPausedException",
        "AccountSuspendedException",
        "ThrottlingException",
        "InternalFailure",
        "ServiceUnavailable",
    }
)
"""Answers of SES after which the same mail may still go out."""
_REFUSALS: Final = frozenset({"MessageRejected", "BadRequestException", "InvalidParameterValue"})
"""Answers of SES that are about this mail. Any other error is about us, and is raised."""


class Mailbox:
    """Implements ``sending.Mailer`` by SES."""

    def __init__(self, client: Any, *, sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, mail: Mail, *, notice: Notice) -> str:
        try:
            answer = self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.to]},
                Content={
                    "Simple": {
                        "Subject": _utf8(mail.subject),
                        "Body": {"Text": _utf8(mail.text), "Html": _utf8(mail.html)},
                        "Headers": [{"Name": k, "Value": v} for k, v in mail.headers.items()],
                    }
                },
                EmailTags=[{"Name": "kind", "Value": str(notice.announcement.kind)}],
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _BUSY:
                raise TryAgainLater(code) from None
            if code in _REFUSALS:
                raise Refused(f"SES refused the mail ({code})") from None
            raise
        message_id: str = answer["MessageId"]
        return message_id


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
