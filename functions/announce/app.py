"""A change of the stream that announces something: tell SNS, and queue a mail a recipient."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.items import from_item
from milepost.aws.notice_messages import AnnouncementsTopic, EmailQueue
from milepost.aws.notices_table import NoticesTable
from milepost.aws.orders_table import announced_by
from milepost.notices import tell

logger = Logger()

notices = NoticesTable(client("dynamodb"), table_name=os.environ["NOTICES_TABLE"])
topic = AnnouncementsTopic(client("sns"), topic_arn=os.environ["ANNOUNCEMENTS_TOPIC_ARN"])
emails = EmailQueue(client("sqs"), queue_url=os.environ["EMAIL_QUEUE_URL"])


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Tell of each record in turn; stop at the first that fails, so that none overtakes another."""
    for record in event["Records"]:
        try:
            tell_of(record)
        except Exception:
            logger.exception("failed to announce", event_id=record.get("eventID"))
            return {"batchItemFailures": [{"itemIdentifier": _sequence_number(record)}]}
    return {"batchItemFailures": []}


def tell_of(record: Mapping[str, Any]) -> None:
    """Tell of everything that this write announces; a removal or another write tells nothing."""
    image = record["dynamodb"].get("NewImage", {})
    if "announce" not in image:
        return
    for announced in announced_by(from_item(image)):
        tell(
            announced,
            topic=topic,
            topic_name=os.environ["ANNOUNCEMENTS_TOPIC_ARN"],
            subscriptions=notices.all(),
            emails=emails,
            log=notices,
            now=datetime.now(UTC),
        )
        logger.info("announced", announcement=announced.id, kind=announced.announcement.kind)


def _sequence_number(record: Mapping[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number
