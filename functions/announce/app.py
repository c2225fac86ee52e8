"""Reads the orders' stream: publishes announcements to SNS and the event bus, and queues a
notice for each recipient."""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.actions.aws.scheduler import OrderFetches
from milepost.aws.clients import client
from milepost.aws.dynamodb_items import from_item
from milepost.aws.logger import open_logger
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import UnusableConnection
from milepost.notifications.aws.publishing import open_dispatcher
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import announced_by, is_erased
from milepost.providers.registry import REGISTRY

logger = open_logger()

dynamodb = client("dynamodb")
table_name = os.environ["NOTICES_TABLE"]
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
subscriptions = SubscriptionsTable(dynamodb, table_name=table_name)
teller = open_dispatcher(
    os.environ,
    dynamodb=dynamodb,
    sns=client("sns"),
    sqs=client("sqs"),
    events=lambda: client("events"),
    fetches=OrderFetches(
        cache(lambda: client("lambda")), function=os.environ["PERFORM_ACTION_ARN"]
    ),
)


@fail_without_message
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Process the records in order; stop at the first that fails, so that the order is preserved.

    An announcement of a connection whose settings can't be used doesn't block others: it is left to
    ``watch_deadlines``, which sends it once they can be used.
    """
    known = subscriptions.all()
    for record in event["Records"]:
        try:
            dispatch_record(record, known)
        except UnusableConnection as unusable:
            logger.warning(
                "left to watch_deadlines", event_id=record.get("eventID"), why=str(unusable)
            )
        except Exception:
            logger.exception("failed to announce", event_id=record.get("eventID"))
            return {"batchItemFailures": [{"itemIdentifier": _sequence_number(record)}]}
    return {"batchItemFailures": []}


def dispatch_record(record: Mapping[str, Any], known: Sequence[Subscription]) -> None:
    """Publish everything that this write announces; a deletion or any other write announces
    nothing."""
    image = record["dynamodb"].get("NewImage", {})
    if "announce" not in image:
        return
    found = announced_by(from_item(image))
    # A record may arrive a day late, or by a redrive: erased data must not get into the log again.
    if found and is_erased(dynamodb, found[0].key, table_name=os.environ["ORDERS_TABLE"]):
        logger.info("not announced: its customer was erased", order=str(found[0].key))
        return
    for announced in found:
        teller.tell(
            announced,
            subscriptions=known,
            connection=connections.get(announced.key.connection),
            now=datetime.now(UTC),
        )
        logger.info("announced", announcement=announced.id, kind=announced.announcement.kind)


def _sequence_number(record: Mapping[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number
