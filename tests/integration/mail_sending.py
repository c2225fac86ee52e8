"""Notices to be sent, and the mails that were sent."""

import json
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from botocore.exceptions import ClientError

from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.topic_and_queues import notice_of
from milepost.notifications.notice import Notice
from milepost.notifications.recipients import Choice
from tests.stack import Context, Stack, aws, event


class Mailer:
    """A fake of SES: records sent mails, or responds with a given error."""

    def __init__(self, client: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.error: str | None = None
        self._client = client

    def send_email(self, **mail: Any) -> Any:
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "SendEmail")
        answer = self._client.send_email(**mail)
        self.sent.append(mail)
        return answer


def prepare(stack: Stack, name: str) -> dict[str, Any]:
    """The event, after announce has stored the order and the log."""
    (record,) = event("announce", name)["Records"]
    aws("dynamodb").put_item(
        TableName=stack.resources["OrdersTable"], Item=record["dynamodb"]["NewImage"]
    )
    batch: dict[str, Any] = event("send_notice", name)
    enter(stack, notice_in(batch))
    return batch


def notice_in(batch: dict[str, Any]) -> Notice:
    return notice_of(json.loads(batch["Records"][-1]["body"]))


def enter(stack: Stack, notice: Notice) -> None:
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    log.enter(Choice(notice=notice), at=datetime.now(UTC))


def invoke(app: ModuleType, batch: dict[str, Any]) -> list[str]:
    answer = app.handler(batch, Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]
