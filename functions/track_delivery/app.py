"""What became of a mail, as SES tells it through SNS: enter it in the log, suppress, try again."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.mails_table import MailsTable
from milepost.aws.subscriptions_table import SuppressionsTable
from milepost.mail_events import UnknownEvent, read_event
from milepost.tracking import Tracker

logger = Logger()

dynamodb = client("dynamodb")
table_name = os.environ["NOTICES_TABLE"]
tracker = Tracker(
    mails=MailsTable(dynamodb, table_name=table_name),
    suppressions=SuppressionsTable(dynamodb, table_name=table_name),
)


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Track each event; one that is too early fails, and Lambda brings it again in a minute."""
    for record in event["Records"]:
        track(record["Sns"]["Message"])


def track(message: str) -> None:
    """Track one event. What isn't one, such as SES's greeting to a new topic, is only logged."""
    try:
        event = read_event(json.loads(message))
    except (UnknownEvent, ValueError) as error:
        logger.info("ignored", reason=type(error).__name__)
        return
    moved = tracker.track(event, now=datetime.now(UTC))
    logger.info(
        "tracked", mail=event.mail_id, message_id=event.message_id, fate=event.fate, moved=moved
    )
