"""Every 15 minutes: marks overdue orders and commissions, announces reminders and follow-ups, sends
missing notices, and counts what waits for a person."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import open_metrics
from milepost.aws.queue_urls import dead_letter_urls
from milepost.common.exception_summary import OwnWords, fail_without_message
from milepost.common.timestamps import parse_instant
from milepost.connections.aws.activity import ContactsTable
from milepost.connections.aws.drift import DriftNotices
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import Connection
from milepost.notifications.aws.announcement_log import AnnouncementLogTable
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held import HoldsTable
from milepost.notifications.aws.messages import NoticeQueue
from milepost.notifications.aws.publishing import open_bus, open_topic
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.dispatch import AnnouncementDispatcher
from milepost.notifications.reconciliation import AnnouncementWatch
from milepost.operations.aws.deadline_run import DeadlineRun
from milepost.operations.aws.problem_counts import (
    count_dead_letters,
    count_late_polls,
    count_unusable,
)
from milepost.operations.aws.reread_run import read_again
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.aws.table import OrdersReader, OrdersTable
from milepost.orders.overdue import DeadlineWatch
from milepost.orders.refold import Refold
from milepost.orders.rules import Rules
from milepost.orders.timed_announcements import TimedWatch
from milepost.providers.base import rules_of
from milepost.providers.registry import REGISTRY, adapter_of
from milepost.queries.aws.commission_checkpoint import CommissionCheckpoint
from milepost.queries.commission_watch import CommissionWatch

RESERVE_MILLISECONDS: Final = 20_000
"""Time reserved for work that has started; the next run finds the rest."""

logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb")
sqs = client("sqs")
orders_table = os.environ["ORDERS_TABLE"]
notices_table = os.environ["NOTICES_TABLE"]
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
contacts = ContactsTable(dynamodb, table_name=os.environ["POLLS_TABLE"])
sns = client("sns")
dead_letters = dead_letter_urls(os.environ)
index = OrdersIndex(dynamodb, table_name=orders_table)


def orders_of(connection: Connection) -> OrdersTable:
    return OrdersTable(dynamodb, table_name=orders_table, connection=connection)


def own_rules_of(connection: Connection) -> Rules:
    return rules_of(adapter_of(connection), connection)


def clock() -> datetime:
    return datetime.now(UTC)


stored_orders = Refold(
    index=index, connections=connections, orders_of=orders_of, rules_of=own_rules_of
)
due = DeadlineRun(
    connections=connections,
    index=index,
    layout=IndexLayout(dynamodb, table_name=notices_table),
    deadlines=DeadlineWatch(
        watch_list=index, connections=connections, orders_of=orders_of, rules_of=own_rules_of
    ),
    timed=TimedWatch(
        index=index, connections=lambda: connections.all().values(), orders_of=orders_of
    ),
    commissions=CommissionWatch(
        index=index,
        connections=lambda: connections.all().values(),
        orders_of=orders_of,
        checkpoint=CommissionCheckpoint(dynamodb, table_name=notices_table),
    ),
    announcements=AnnouncementWatch(
        watch_list=index,
        connections=connections,
        orders=OrdersReader(dynamodb, table_name=orders_table),
        log=AnnouncementLogTable(dynamodb, table_name=notices_table),
        subscriptions=SubscriptionsTable(dynamodb, table_name=notices_table).all,
        teller=AnnouncementDispatcher(
            topic=open_topic(os.environ, sns),
            topic_name=os.environ["ANNOUNCEMENTS_TOPIC_ARN"],
            bus=open_bus(os.environ, lambda: client("events")),
            emails=NoticeQueue(sqs, queue_url=os.environ["EMAIL_QUEUE_URL"]),
            endpoints=NoticeQueue(sqs, queue_url=os.environ["ENDPOINT_QUEUE_URL"]),
            holds=HoldsTable(dynamodb, table_name=notices_table),
            log=NoticesTable(dynamodb, table_name=notices_table),
        ),
    ),
    drift_notices=DriftNotices(
        dynamodb,
        table_name=os.environ["POLLS_TABLE"],
        sns=sns,
        topic_arn=os.environ["ALARMS_TOPIC_ARN"],
    ),
    clock=clock,
)


class SomeFailed(OwnWords):
    """Some orders could not be processed; the log says which and why, and the next run tries
    again."""


@fail_without_message
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Process everything that is due; ``{"now": "<instant>"}`` uses another time.

    ``{"reread": {}}`` folds the stored orders again instead, and notifies nobody.
    """

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS

    if "reread" in event:
        after = event["reread"].get("after")
        return read_again(stored_orders, after=after, now=clock(), has_time=has_time)
    now = parse_instant(event["now"]) if "now" in event else clock()
    known = contacts.all()
    done = due.run(known, now=now, has_time=has_time)
    if any(done.values()):
        logger.info("watched", extra=dict(done))
    # A run with a later time must not raise an alarm early.
    problems = (
        count_late_polls(connections.all().values(), known, now=min(now, clock()))
        + count_unusable(connections.unusable())
        + count_dead_letters(sqs, dead_letters)
    )
    if problems:
        metrics.add_metric(name="OpenProblems", unit=MetricUnit.Count, value=problems)
    if done["failed"]:
        raise SomeFailed(f"{done['failed']} orders could not be processed")
    return done
