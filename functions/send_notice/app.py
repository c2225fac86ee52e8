"""Reads the email queue: claims a notice, renders and sends its mail, logs the outcome."""

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
from milepost.notifications.mail.aws.mail_drivers import MailDrivers
from milepost.notifications.mail.aws.unsubscribe import LinkKeysStore
from milepost.providers.registry import REGISTRY
from milepost.tracking_page.aws.link_versions import LinkVersionsTable
from milepost.tracking_page.link import TrackingLinks

FOR_ONE: Final = timedelta(seconds=50)
"""The remaining time that is needed to start with a mail: SES's slowest response (17 s), and slow
reads and writes around it."""

logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb")
drivers = MailDrivers(
    os.environ,
    dynamodb=dynamodb,
    connections=ConnectionSettings(
        client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
    ),
    count_failure=lambda: count_failures(metrics, "NoticeFailures"),
)
link_keys = LinkKeysStore(
    client("secretsmanager"),
    secret_id=os.environ["UNSUBSCRIBE_SECRET_ARN"],
    clock=time.monotonic,
)
mails = drivers.open_queued_mails(
    ses=client("sesv2", config=FOR_MAIL),
    sqs=client("sqs"),
    link_keys=link_keys,
    tracking=TrackingLinks(
        keys=link_keys,
        versions=LinkVersionsTable(dynamodb, table_name=os.environ["NOTICES_TABLE"]),
        public_url=os.environ["PUBLIC_URL"],
    ),
    clock=lambda: datetime.now(UTC),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send a batch of notices; SQS retries those that fail."""
    return take_each(event, mails.send, clock=context, least=FOR_ONE, put_back=mails.put_back)
