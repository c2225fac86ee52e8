"""Reads the batch queue: runs a batch's action on its orders one by one, until time is up."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.actions.aws.batches import BatchesTable, BatchWork
from milepost.actions.aws.context import open_action_tools
from milepost.actions.batch_run import BatchWorker
from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.aws.sqs_batches import Message, take_each
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.aws.resend import open_resender
from milepost.notifications.resend import Resender
from milepost.providers.registry import REGISTRY

FOR_ONE: Final = timedelta(seconds=60)
"""The remaining time that is needed to start with an order: a provider's slowest responses, and
slow reads and writes around them."""

logger = open_logger()

dynamodb, sqs = client("dynamodb"), client("sqs")
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)


def present_time() -> datetime:
    return datetime.now(UTC)


@cache
def resender() -> Resender:
    """The dependencies to resend a mail."""
    return open_resender(
        dynamodb=dynamodb,
        sqs=sqs,
        connections=connections,
        orders_table=os.environ["ORDERS_TABLE"],
        notices_table=os.environ["NOTICES_TABLE"],
        email_queue_url=os.environ["EMAIL_QUEUE_URL"],
    )


worker = BatchWorker(
    batches=BatchesTable(dynamodb, table_name=os.environ["BATCHES_TABLE"]),
    queue=BatchWork(sqs, queue_url=os.environ["BATCH_QUEUE_URL"]),
    acting=open_action_tools(
        os.environ, dynamodb=dynamodb, connections=connections, clock=present_time
    ),
    open_resender=resender,
    clock=present_time,
    pause=time.sleep,
)


@fail_without_message
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the batch of each message; a message that fails by an internal error is retried by
    SQS."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() >= FOR_ONE.total_seconds() * 1000

    def work(message: Message) -> None:
        try:
            batch_id = str(json.loads(message["body"])["batch"])
            state = worker.work(batch_id, has_time=has_time)
            logger.info("worked", batch=batch_id, state=state or "unknown")
        except Exception:
            logger.exception("failed to work", message_id=message["messageId"])
            raise

    return take_each(event, work, clock=context, least=timedelta(0))
