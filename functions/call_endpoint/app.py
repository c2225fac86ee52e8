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
from milepost.notifications.chat.aws.call_drivers import CallDrivers
from milepost.providers.registry import REGISTRY

FOR_ONE: Final = timedelta(seconds=45)
"""The remaining time that is needed to start a call: the endpoint's slowest response (15 s), the
mail to its owner (17 s), and slow reads and writes around them."""

logger = open_logger()
metrics = open_metrics()

drivers = CallDrivers(
    os.environ,
    dynamodb=client("dynamodb"),
    connections=ConnectionSettings(
        client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
    ),
    count_failure=lambda: count_failures(metrics, "NoticeFailures"),
)
calls = drivers.open_queued_calls(
    sqs=client("sqs"),
    secrets=client("secretsmanager"),
    ses=lambda: client("sesv2", config=FOR_MAIL),
    clock=lambda: datetime.now(UTC),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Call the endpoint of each notice; a message that fails by an internal error is retried by
    SQS."""
    return take_each(event, calls.call, clock=context, least=FOR_ONE, put_back=calls.put_back)
