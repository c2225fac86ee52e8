"""Reads the email queue: claims a notice, renders and sends its mail, logs the outcome."""

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import FOR_MAIL, client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.aws.sqs_batches import Message, take_each
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.forecasts.aws.recent_tables import RecentTables
from milepost.forecasts.aws.store import ForecastStore
from milepost.notifications.aws.counted_failures import CountedNotices
from milepost.notifications.aws.held import HoldsTable
from milepost.notifications.aws.messages import NoticeQueue, batch_of, mail_test_of, notice_of
from milepost.notifications.aws.overdue import SubscribersOverdue
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.claims import AlreadyClaimed, batch_id
from milepost.notifications.dispatch import Notifier
from milepost.notifications.eligibility_check import Judge
from milepost.notifications.mail.awaited_contact import AwaitedContacts, awaits_contact
from milepost.notifications.mail.aws.mail_tests import SesTestMails
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.mail.aws.ses import Mailbox
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.mail.aws.unsubscribe import LinkKeysStore
from milepost.notifications.mail.batch_sender import BatchSender
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.mail.sender import NEWS_WITHIN, OutcomeUnknown, Sender, TryAgainLater
from milepost.notifications.mail.unsubscribe import UnsubscribeLinks
from milepost.notifications.notice import Notice
from milepost.orders.aws.consistent_reads import ConsistentOrders
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.providers.registry import REGISTRY
from milepost.tracking_page.aws.link_versions import LinkVersionsTable
from milepost.tracking_page.link import TrackingLinks

LATER: Final = timedelta(seconds=60)
"""The delay before a mail is retried after SES throttled it, or after its order could not be
read."""

FOR_ONE: Final = timedelta(seconds=50)
"""The remaining time that is needed to start with a mail: SES's slowest response (17 s), and slow
reads and writes around it."""

logger = open_logger()
metrics = open_metrics()


def note_failed(notice: Notice) -> None:
    """Count a failed notice; the delivery log has the reason."""
    count_failures(metrics, "NoticeFailures")
    logger.error("notice failed", notice=notice.id, kind=notice.announcement.kind)


dynamodb = client("dynamodb")
table_name = os.environ["NOTICES_TABLE"]
emails = NoticeQueue(client("sqs"), queue_url=os.environ["EMAIL_QUEUE_URL"])
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
subscriptions = SubscriptionsTable(dynamodb, table_name=table_name)
notices = CountedNotices(dynamodb, table_name=table_name, failed=note_failed)
holds = HoldsTable(dynamodb, table_name=table_name)
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
        orders=ConsistentOrders(dynamodb, table_name=os.environ["ORDERS_TABLE"]),
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
batch_sender = BatchSender(
    claims=sender.claims,
    holds=holds,
    judge=sender.judge,
    renderer=sender.renderer,
    links=sender.links,
    mailer=sender.mailer,
    overdue=SubscribersOverdue(
        OrdersIndex(
            dynamodb,
            table_name=os.environ["ORDERS_TABLE"],
            earlier_partitions=IndexLayout(dynamodb, table_name=table_name).earlier_partitions,
        ),
        subscriptions,
    ),
)
test_mails = SesTestMails(
    ses,
    sender=os.environ["SENDER_ADDRESS"],
    configuration_set=os.environ["CONFIGURATION_SET"],
    subscriptions=subscriptions,
    suppressions=suppressions,
)
awaited_contacts = AwaitedContacts(
    orders=sender.judge.orders,
    connections=connections,
    subscriptions=subscriptions.all,
    notifier=Notifier(emails=emails, holds=holds, log=notices),
    log=notices,
    outbox=emails,
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send a batch of notices; SQS retries those that fail."""
    return take_each(event, send, clock=context, least=FOR_ONE, put_back=put_back)


def put_back(message: Message) -> None:
    """Make a message visible again, for another worker."""
    emails.put_message(json.loads(message["body"]))


def send(message: Message) -> None:
    """Send one message's mail."""
    try:
        send_once(json.loads(message["body"]))
    except (TryAgainLater, AlreadyClaimed) as later:
        # As a new message: neither throttling by SES nor the claim of a killed worker may use up
        # this message's retries.
        emails.put_message(json.loads(message["body"]), delay=LATER)
        why = "claimed" if isinstance(later, AlreadyClaimed) else str(later)
        logger.info("comes back", message_id=message["messageId"], why=why)
    except OutcomeUnknown as unknown:
        # It may have been sent. Its SES event is in the log before this message is retried.
        emails.put_message(json.loads(message["body"]), delay=NEWS_WITHIN)
        logger.warning("may have been sent", message_id=message["messageId"], why=str(unknown))
    except Exception:
        logger.exception("failed to send", message_id=message["messageId"])
        raise


def send_once(content: Mapping[str, Any]) -> None:
    """Send one notice, or the notices held for one recipient, once; or a test mail."""
    if batch := batch_of(content):
        batch_sender.send(batch, now=datetime.now(UTC))
        logger.info("handled", batch=batch_id(batch))
        return
    if subscription := mail_test_of(content):
        logger.info("test mail", subscription=subscription, failure=test_mails.send(subscription))
        return
    notice = notice_of(content)
    if awaits_contact(notice):
        outcome = awaited_contacts.look(notice, now=datetime.now(UTC))
        logger.info("checked for contact data", notice=notice.id, outcome=outcome)
        return
    state = sender.send(notice, now=datetime.now(UTC))
    after = datetime.now(UTC) - notice.announcement.announced_at
    logger.info(
        "handled",
        notice=notice.id,
        kind=notice.announcement.kind,
        state=state,
        after_seconds=round(after.total_seconds(), 1),
    )
