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
from milepost.forecasts.aws.recent_tables import RecentTables
from milepost.forecasts.aws.store import ForecastStore
from milepost.notifications.aws.counted_failures import CountedNotices, counted_and_logged
from milepost.notifications.aws.messages import NoticeQueue
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.eligibility_check import Judge
from milepost.notifications.mail.aws.mail_tests import SesTestMails
from milepost.notifications.mail.aws.queued_mails import open_queued_mails
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.mail.aws.ses import Mailbox
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.mail.aws.unsubscribe import LinkKeysStore
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.mail.sender import Sender
from milepost.notifications.mail.unsubscribe import UnsubscribeLinks
from milepost.orders.aws.consistent_reads import ConsistentOrders
from milepost.providers.registry import REGISTRY
from milepost.tracking_page.aws.link_versions import LinkVersionsTable
from milepost.tracking_page.link import TrackingLinks

FOR_ONE: Final = timedelta(seconds=50)
"""The remaining time that is needed to start with a mail: SES's slowest response (17 s), and slow
reads and writes around it."""

logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb")
orders_table, table_name = os.environ["ORDERS_TABLE"], os.environ["NOTICES_TABLE"]
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
subscriptions = SubscriptionsTable(dynamodb, table_name=table_name)
notices = CountedNotices(
    dynamodb,
    table_name=table_name,
    failed=counted_and_logged(lambda: count_failures(metrics, "NoticeFailures")),
)
suppressions = SuppressionsTable(dynamodb, table_name=table_name)
ses = client("sesv2", config=FOR_MAIL)
link_keys = LinkKeysStore(
    client("secretsmanager"),
    secret_id=os.environ["UNSUBSCRIBE_SECRET_ARN"],
    clock=time.monotonic,
)
sender = Sender(
    claims=notices,
    judge=Judge(
        suppressions=suppressions,
        subscriptions=subscriptions,
        orders=ConsistentOrders(dynamodb, table_name=orders_table),
        connections=connections,
    ),
    renderer=MailRenderer(
        connections,
        OverridesTable(dynamodb, table_name=table_name, clock=time.monotonic),
        console_url=os.environ["CONSOLE_URL"],
        forecasts=RecentTables(
            ForecastStore(dynamodb, table_name=os.environ["FIGURES_TABLE"]), clock=time.monotonic
        ),
        tracking=TrackingLinks(
            keys=link_keys,
            versions=LinkVersionsTable(dynamodb, table_name=table_name),
            public_url=os.environ["PUBLIC_URL"],
        ),
    ),
    links=UnsubscribeLinks(link_keys, public_url=os.environ["PUBLIC_URL"]),
    mailer=Mailbox(
        ses,
        sender=os.environ["SENDER_ADDRESS"],
        configuration_set=os.environ["CONFIGURATION_SET"],
        records=MailsTable(dynamodb, table_name=table_name),
    ),
)
mails = open_queued_mails(
    sender,
    dynamodb=dynamodb,
    orders_table=orders_table,
    notices_table=table_name,
    log=notices,
    queue=NoticeQueue(client("sqs"), queue_url=os.environ["EMAIL_QUEUE_URL"]),
    connections=connections,
    subscriptions=subscriptions,
    test_mails=SesTestMails(
        ses,
        sender=os.environ["SENDER_ADDRESS"],
        configuration_set=os.environ["CONFIGURATION_SET"],
        subscriptions=subscriptions,
        suppressions=suppressions,
    ),
    clock=lambda: datetime.now(UTC),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send a batch of notices; SQS retries those that fail."""
    return take_each(event, mails.send, clock=context, least=FOR_ONE, put_back=mails.put_back)
