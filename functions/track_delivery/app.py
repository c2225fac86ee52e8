"""Reads SES events of mails: updates the delivery log, suppresses addresses, retries."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.aws.sqs_batches import Message, take_each
from milepost.common.exception_summary import fail_without_message
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.mail.bounces_and_complaints import NotLoggedYet, Tracker
from milepost.notifications.mail.ses_events import UnknownEvent, read_event
from milepost.notifications.notice import State

FOR_ONE: Final = timedelta(seconds=60)
"""The remaining time that is needed to start with an event: that of a digest may need thousands of
reads and writes."""

logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb")
table_name = os.environ["NOTICES_TABLE"]
tracker = Tracker(
    mails=MailsTable(dynamodb, table_name=table_name),
    suppressions=SuppressionsTable(dynamodb, table_name=table_name),
    subscriptions=SubscriptionsTable(dynamodb, table_name=table_name),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Track a batch of events; SQS retries an event that arrives too early."""
    return take_each(event, track, clock=context, least=FOR_ONE)


def track(message: Message) -> None:
    """Track one event. Other messages, such as the one SES sends to a new topic, are only
    logged."""
    try:
        event = read_event(json.loads(message["body"]))
    except (UnknownEvent, ValueError) as error:
        logger.info("ignored", reason=type(error).__name__)
        return
    try:
        moved = tracker.track(event, now=datetime.now(UTC))
    except NotLoggedYet:
        logger.info("comes back", mail=event.mail_id, why="not logged yet")
        raise
    except Exception:
        logger.exception("failed to track", mail=event.mail_id)
        raise
    count_failures(metrics, "NoticeFailures", list(moved.values()).count(State.FAILED))
    logger.info(
        "tracked", mail=event.mail_id, message_id=event.message_id, fate=event.fate, moved=moved
    )
