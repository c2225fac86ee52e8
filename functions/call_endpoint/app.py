"""A notice of the endpoint queue: claim it, post it signed, log what became of it."""

import json
import os
import time
from collections.abc import Mapping
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

from milepost.aws.clients import FOR_MAIL, client
from milepost.aws.endpoint_calls import (
    AnnouncedOrders,
    EndpointCallLog,
    EndpointRetries,
    attempt_of,
)
from milepost.aws.endpoint_http import EndpointHttp
from milepost.aws.endpoint_subscriptions import (
    EndpointOwners,
    EndpointSecretsStore,
    EndpointsTable,
)
from milepost.aws.notice_messages import NoticeQueue, notice_of
from milepost.calling import Caller
from milepost.sending import AlreadyClaimed

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

dynamodb = client("dynamodb")
table_name = os.environ["NOTICES_TABLE"]
caller = Caller(
    log=EndpointCallLog(dynamodb, table_name=table_name),
    endpoints=EndpointsTable(dynamodb, table_name=table_name),
    orders=AnnouncedOrders(dynamodb, table_name=os.environ["ORDERS_TABLE"]),
    secrets=EndpointSecretsStore(
        client("secretsmanager"),
        secret_id=os.environ["ENDPOINT_SECRETS_ARN"],
        clock=time.monotonic,
    ),
    http=EndpointHttp(allow_private=os.environ["ALLOW_PRIVATE_ENDPOINTS"] == "true"),
    retries=EndpointRetries(
        dynamodb,
        table_name=table_name,
        queue=NoticeQueue(client("sqs"), queue_url=os.environ["ENDPOINT_QUEUE_URL"]),
    ),
    owners=EndpointOwners(client("sesv2", config=FOR_MAIL), sender=os.environ["SENDER_ADDRESS"]),
)


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Call the endpoint of each notice; what fails for a reason of ours comes back by itself."""
    return process_partial_response(
        event=event, record_handler=call, processor=processor, context=context
    )


def call(record: SQSRecord) -> None:
    """Call for one message; the name of the parameter is Powertools' choice."""
    try:
        call_once(json.loads(record.body))
    except AlreadyClaimed:
        logger.info("comes back", message_id=record.message_id, why="AlreadyClaimed")
        raise
    except Exception:
        logger.exception("failed to call", message_id=record.message_id)
        raise


def call_once(content: Mapping[str, Any]) -> None:
    """Call the endpoint of one notice, once."""
    notice, attempt = notice_of(content), attempt_of(content)
    called = caller.call(notice, attempt=attempt, now=datetime.now(UTC))
    logger.info(
        "handled",
        notice=notice.id,
        subscription=notice.subscription,
        attempt=attempt + 1,
        state=called.state if called else "settled before",
        failure=called.failure if called else None,
        switched_off=called.switched_off if called else False,
    )
