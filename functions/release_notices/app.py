"""Every minute: sends held notices that are due to the queue of their channel."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.common.exception_summary import fail_without_message
from milepost.common.timestamps import parse_instant
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.topic_and_queues import NoticeQueue
from milepost.notifications.notice import Channel

logger = open_logger()

sqs = client("sqs")
holds = HoldsTable(client("dynamodb"), table_name=os.environ["NOTICES_TABLE"])
queues = {
    Channel.EMAIL: NoticeQueue(sqs, queue_url=os.environ["EMAIL_QUEUE_URL"]),
    Channel.HTTPS: NoticeQueue(sqs, queue_url=os.environ["ENDPOINT_QUEUE_URL"]),
}


@fail_without_message
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """Release what is due; ``{"until": "<instant>"}`` also releases what will be due by then."""
    until = parse_instant(event["until"]) if "until" in event else datetime.now(UTC)
    released = 0
    for due in holds.due(until=until):
        # Queued first: after a stop in between, it is queued again, which is harmless because of
        # its claim.
        queues[due.channel].put_message(due.message)
        holds.done(due)
        released += 1
    if released:
        logger.info("released", count=released)
    return {"released": released}
