"""A notice of the email queue: claim it, render the mail, send it, log what became of it."""

import json
import os
import time
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.notice_messages import Mailbox, notice_of
from milepost.aws.notices_table import NoticesTable
from milepost.aws.orders_table import OrdersReader
from milepost.aws.settings import ConnectionSettings
from milepost.rendering import MailRenderer
from milepost.sending import Sender

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

dynamodb = client("dynamodb")
sender = Sender(
    claims=NoticesTable(dynamodb, table_name=os.environ["NOTICES_TABLE"]),
    orders=OrdersReader(dynamodb, table_name=os.environ["ORDERS_TABLE"]),
    renderer=MailRenderer(
        ConnectionSettings(client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic)
    ),
    mailer=Mailbox(client("sesv2"), sender=os.environ["SENDER_ADDRESS"]),
)


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Send a batch of notices; those that fail come back by themselves."""
    return process_partial_response(
        event=event, record_handler=send, processor=processor, context=context
    )


def send(message: SQSRecord) -> None:
    """Send one notice, once."""
    notice = notice_of(json.loads(message.body))
    state = sender.send(notice, now=datetime.now(UTC))
    logger.info("handled", notice=notice.id, kind=notice.announcement.kind, state=state)
