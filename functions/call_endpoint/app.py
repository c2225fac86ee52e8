"""Reads the endpoint queue: claims notices, posts them to endpoints and chats, logs outcomes."""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import FOR_MAIL, client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.aws.sqs_batches import take_each
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.aws.counted_failures import counted_and_logged
from milepost.notifications.aws.messages import NoticeQueue
from milepost.notifications.aws.overdue import open_overdue
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.chat.aws.posting import ChatPosting
from milepost.notifications.chat.disclosing_judge import DisclosingJudge
from milepost.notifications.endpoints.aws.call_log import CountedCalls, EndpointRetries
from milepost.notifications.endpoints.aws.endpoints import (
    EndpointOwners,
    EndpointSecretsStore,
    EndpointsTable,
)
from milepost.notifications.endpoints.aws.http import EndpointHttp
from milepost.notifications.endpoints.aws.queued_calls import QueuedCalls
from milepost.notifications.endpoints.delivery import Caller
from milepost.orders.aws.consistent_reads import ConsistentOrders
from milepost.providers.registry import REGISTRY

FOR_ONE: Final = timedelta(seconds=45)
"""The remaining time that is needed to start a call: the endpoint's slowest response (15 s), the
mail to its owner (17 s), and slow reads and writes around them."""

logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb")
orders_table, table_name = os.environ["ORDERS_TABLE"], os.environ["NOTICES_TABLE"]
suppressions = SuppressionsTable(dynamodb, table_name=table_name)
subscriptions = SubscriptionsTable(dynamodb, table_name=table_name)
queue = NoticeQueue(client("sqs"), queue_url=os.environ["ENDPOINT_QUEUE_URL"])
retries = EndpointRetries(dynamodb, table_name=table_name, queue=queue)
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
failed = counted_and_logged(lambda: count_failures(metrics, "NoticeFailures"))
chats = ChatPosting(
    dynamodb,
    notices_table=table_name,
    connections=connections,
    console_url=os.environ["CONSOLE_URL"],
    failed=failed,
    overdue=open_overdue(
        dynamodb, orders_table=orders_table, notices_table=table_name, subscriptions=subscriptions
    ),
    retries=retries,
)
caller = Caller(
    log=CountedCalls(dynamodb, table_name=table_name, failed=failed),
    endpoints=EndpointsTable(dynamodb, table_name=table_name),
    judge=DisclosingJudge(
        suppressions=suppressions,
        subscriptions=subscriptions,
        orders=ConsistentOrders(dynamodb, table_name=orders_table),
        connections=connections,
    ),
    secrets=EndpointSecretsStore(
        client("secretsmanager"),
        secret_id=os.environ["ENDPOINT_SECRETS_ARN"],
        clock=time.monotonic,
    ),
    http=EndpointHttp(allow_private=os.environ["ALLOW_PRIVATE_ENDPOINTS"] == "true"),
    retries=retries,
    owners=EndpointOwners(
        lambda: client("sesv2", config=FOR_MAIL),
        sender=os.environ["SENDER_ADDRESS"],
        configuration_set=os.environ["CONFIGURATION_SET"],
        suppressions=suppressions,
    ),
    writer_of=chats.writer_of,
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Call the endpoint of each notice; a message that fails by an internal error is retried by
    SQS."""
    calls = QueuedCalls(
        caller=caller,
        open_chat_batches=lambda: chats.batches(caller),
        queue=queue,
        clock=lambda: datetime.now(UTC),
    )
    return take_each(event, calls.call, clock=context, least=FOR_ONE, put_back=calls.put_back)
