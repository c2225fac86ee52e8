"""Reads the endpoint queue: claims notices, posts them to endpoints and chats, logs outcomes."""

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import FOR_MAIL, client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.aws.sqs_batches import Message, take_each
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.aws.counted_failures import CountedChatNotices
from milepost.notifications.aws.held import HoldsTable
from milepost.notifications.aws.messages import NoticeQueue, batch_of, notice_of
from milepost.notifications.aws.overdue import SubscribersOverdue
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.chat.batches import ChatBatches, ChatPoster, NoLinks
from milepost.notifications.chat.disclosed_overdue import DisclosedOverdue
from milepost.notifications.chat.disclosing_judge import DisclosingJudge
from milepost.notifications.chat.platforms import PLATFORM_OF, ChatWriter
from milepost.notifications.claims import AlreadyClaimed, Batch, batch_id
from milepost.notifications.endpoints.aws.delivery_log import (
    CountedCalls,
    EndpointRetries,
    attempt_of,
)
from milepost.notifications.endpoints.aws.endpoints import (
    EndpointOwners,
    EndpointSecretsStore,
    EndpointsTable,
)
from milepost.notifications.endpoints.aws.http import EndpointHttp
from milepost.notifications.endpoints.delivery import Caller
from milepost.notifications.endpoints.signed_message import SignedJson, Writer
from milepost.notifications.mail.batch_sender import BatchSender
from milepost.notifications.notice import Channel, Notice
from milepost.orders.aws.consistent_reads import ConsistentOrders
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.providers.registry import REGISTRY

if TYPE_CHECKING:
    from milepost.notifications.chat.rendering import ChatRenderer

FOR_ONE: Final = timedelta(seconds=45)
"""The remaining time that is needed to start a call: the endpoint's slowest response (15 s), the
mail to its owner (17 s), and slow reads and writes around them."""
LATER: Final = timedelta(seconds=60)
"""The delay of a message whose notice another worker has claimed."""

logger = open_logger()
metrics = open_metrics()


def note_failed(notice: Notice) -> None:
    """Count a failed notice; the delivery log has the reason."""
    count_failures(metrics, "NoticeFailures")
    logger.error("notice failed", notice=notice.id, kind=notice.announcement.kind)


dynamodb = client("dynamodb")
table_name = os.environ["NOTICES_TABLE"]
suppressions = SuppressionsTable(dynamodb, table_name=table_name)
subscriptions = SubscriptionsTable(dynamodb, table_name=table_name)
orders = ConsistentOrders(dynamodb, table_name=os.environ["ORDERS_TABLE"])
queue = NoticeQueue(client("sqs"), queue_url=os.environ["ENDPOINT_QUEUE_URL"])
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)


@cache
def chat_renderer() -> "ChatRenderer":
    """What renders messages to chats. Endpoints don't need it, nor the templates that it loads."""
    from milepost.notifications.chat.rendering import ChatRenderer  # noqa: PLC0415 - see above

    return ChatRenderer(connections=connections, console_url=os.environ["CONSOLE_URL"])


def writer_of(channel: Channel) -> Writer:
    """What writes the requests of a channel."""
    if channel is Channel.HTTPS:
        return SignedJson()
    return ChatWriter(renderer=chat_renderer(), platform=PLATFORM_OF[channel])


caller = Caller(
    log=CountedCalls(dynamodb, table_name=table_name, failed=note_failed),
    endpoints=EndpointsTable(dynamodb, table_name=table_name),
    judge=DisclosingJudge(
        suppressions=suppressions,
        subscriptions=subscriptions,
        orders=orders,
        connections=connections,
    ),
    secrets=EndpointSecretsStore(
        client("secretsmanager"),
        secret_id=os.environ["ENDPOINT_SECRETS_ARN"],
        clock=time.monotonic,
    ),
    http=EndpointHttp(allow_private=os.environ["ALLOW_PRIVATE_ENDPOINTS"] == "true"),
    retries=EndpointRetries(dynamodb, table_name=table_name, queue=queue),
    owners=EndpointOwners(
        lambda: client("sesv2", config=FOR_MAIL),
        sender=os.environ["SENDER_ADDRESS"],
        configuration_set=os.environ["CONFIGURATION_SET"],
        suppressions=suppressions,
    ),
    writer_of=writer_of,
)

overdue = SubscribersOverdue(
    OrdersIndex(
        dynamodb,
        table_name=os.environ["ORDERS_TABLE"],
        earlier_partitions=IndexLayout(dynamodb, table_name=table_name).earlier_partitions,
    ),
    subscriptions,
)


def chat_batches() -> ChatBatches:
    """What sends digests to chats, by the same webhooks as single notices."""
    log = CountedChatNotices(dynamodb, table_name=table_name, failed=note_failed)
    poster = ChatPoster(
        log=log,
        secrets=caller.secrets,
        http=caller.http,
        switching_off=caller.switching_off,
        chance=caller.chance,
    )
    return ChatBatches(
        sender=BatchSender(
            claims=log,
            holds=HoldsTable(dynamodb, table_name=table_name),
            judge=caller.judge,
            renderer=chat_renderer(),
            links=NoLinks(),
            mailer=poster,
            overdue=DisclosedOverdue(overdue=overdue, orders=orders),
        ),
        poster=poster,
        retries=EndpointRetries(dynamodb, table_name=table_name, queue=queue),
    )


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Call the endpoint of each notice; a message that fails by an internal error is retried by
    SQS."""
    return take_each(event, call, clock=context, least=FOR_ONE, put_back=put_back)


def put_back(message: Message) -> None:
    """Make a message visible again, for another worker."""
    queue.put_message(json.loads(message["body"]))


def call(message: Message) -> None:
    """Call the endpoint for one message."""
    try:
        call_once(json.loads(message["body"]))
    except AlreadyClaimed:
        # As a new message: the claim of a killed worker must not use up this message's retries.
        queue.put_message(json.loads(message["body"]), delay=LATER)
        logger.info("comes back", message_id=message["messageId"], why="AlreadyClaimed")
    except Exception:
        logger.exception("failed to call", message_id=message["messageId"])
        raise


def call_once(content: Mapping[str, Any]) -> None:
    """Call the endpoint of one notice, or of the notices held for one chat, once."""
    if batch := batch_of(content):
        send_batch(batch, attempt=attempt_of(content))
        return
    notice, attempt = notice_of(content), attempt_of(content)
    called = caller.call(notice, attempt=attempt, now=datetime.now(UTC))
    after = datetime.now(UTC) - notice.announcement.announced_at
    logger.info(
        "handled",
        notice=notice.id,
        after_seconds=round(after.total_seconds(), 1),
        subscription=notice.subscription,
        attempt=attempt + 1,
        state=called.state if called else "settled before",
        failure=called.failure if called else None,
        switched_off=called.switched_off if called else False,
    )


def send_batch(batch: Batch, *, attempt: int) -> None:
    """Post what was held for one chat as one message."""
    again = chat_batches().send(batch, attempt=attempt, now=datetime.now(UTC))
    logger.info("handled", batch=batch_id(batch), attempt=attempt + 1, comes_back=again)
