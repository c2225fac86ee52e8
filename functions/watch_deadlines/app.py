"""Every 15 minutes: marks overdue orders and commissions, announces reminders and follow-ups, sends
missing notices, and counts what waits for a person."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import single_metric
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
from milepost.connections.connection import Connection, UnusableConnection
from milepost.connections.health import Contact, poll_lags
from milepost.notifications.aws.announcement_log import AnnouncementLogTable
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held import HoldsTable
from milepost.notifications.aws.messages import NoticeQueue
from milepost.notifications.aws.publishing import open_bus, open_topic
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.dispatch import AnnouncementDispatcher
from milepost.notifications.reconciliation import AnnouncementWatch
from milepost.operations.aws.dead_letter_counts import count_waiting
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.aws.table import OrdersReader, OrdersTable
from milepost.orders.indexed_orders import LastAnnounced
from milepost.orders.order import Announcement, Kind
from milepost.orders.overdue import DeadlineWatch
from milepost.orders.refold import FIRST_PLACE, Refold
from milepost.orders.rules import Rules
from milepost.orders.timed_announcements import TimedWatch
from milepost.providers.base import rules_of
from milepost.providers.registry import REGISTRY, adapter_of
from milepost.queries.aws.commission_checkpoint import CommissionCheckpoint
from milepost.queries.commission_watch import CommissionWatch, Due

RESERVE_MILLISECONDS: Final = 20_000
"""Time reserved for work that has started; the next run finds the rest."""

LATE: Final = timedelta(minutes=30)
"""How much later than its schedule a connection's next successful poll may be before it counts as
late."""

COUNTED_AS: Final = {
    Kind.OVERDUE: "marked",
    Kind.ESCALATED: "escalated",
    Kind.REMINDER: "reminded",
    Kind.DELAYED: "delayed",
    Kind.FOLLOW_UP: "followed_up",
    Kind.COMMISSION_OVERDUE: "commissions_overdue",
}

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
drift_notices = DriftNotices(
    dynamodb, table_name=os.environ["POLLS_TABLE"],
    sns=sns, topic_arn=os.environ["ALARMS_TOPIC_ARN"],
)  # fmt: skip
dead_letters = dead_letter_urls(os.environ)
index = OrdersIndex(dynamodb, table_name=orders_table)
layout = IndexLayout(dynamodb, table_name=notices_table)


def orders_of(connection: Connection) -> OrdersTable:
    return OrdersTable(dynamodb, table_name=orders_table, connection=connection)


def own_rules_of(connection: Connection) -> Rules:
    return rules_of(adapter_of(connection), connection)


deadlines = DeadlineWatch(
    watch_list=index, connections=connections, orders_of=orders_of, rules_of=own_rules_of
)
timed = TimedWatch(index=index, connections=lambda: connections.all().values(), orders_of=orders_of)
money = CommissionWatch(
    index=index,
    connections=lambda: connections.all().values(),
    orders_of=orders_of,
    checkpoint=CommissionCheckpoint(dynamodb, table_name=notices_table),
)
stored_orders = Refold(
    index=index, connections=connections, orders_of=orders_of, rules_of=own_rules_of
)
announcements = AnnouncementWatch(
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
    if "reread" in event:
        return reread(event["reread"].get("after"), context)
    now = parse_instant(event["now"]) if "now" in event else datetime.now(UTC)
    names = (*COUNTED_AS.values(), "told", "moved", "failed", "left")
    done = dict.fromkeys(names, 0)
    announce_missing_announcements(now, context, done)
    judge_what_is_past(now, context, done)
    judge_what_is_due(now, context, done)
    judge_commissions(now, context, done)
    move_orders_of_earlier_versions(context, done)
    # A run with a later time must not raise the alarm for polls that are not due yet.
    known = contacts.all()
    problems = count_late_polls(known, min(now, datetime.now(UTC))) + count_unusable()
    tell_of_drift(known, done)
    if any(done.values()):
        logger.info("watched", extra=dict(done))
    problems += count_dead_letters()
    if problems:
        metrics.add_metric(name="OpenProblems", unit=MetricUnit.Count, value=problems)
    if done["failed"]:
        raise SomeFailed(f"{done['failed']} orders could not be processed")
    return done


def reread(after: str | None, context: LambdaContext) -> dict[str, Any]:
    """Fold stored orders again from a place on, while there is time. In the result, ``after`` is
    the place to continue from, None at the end."""
    done = {"read": 0, "changed": 0, "failed": 0}
    now, place = datetime.now(UTC), after
    for one in stored_orders.index.walk(after=after):
        if not has_time(context):
            logger.info("read again", extra=dict(done))
            return {**done, "after": place or FIRST_PLACE}
        done["read"] += 1
        try:
            done["changed"] += stored_orders.read_again(one.key, now=now)
        except Exception:
            logger.exception("failed to read again", order=str(one.key))
            done["failed"] += 1
        place = one.place
    logger.info("read again", extra=dict(done))
    if done["failed"]:
        raise SomeFailed(f"{done['failed']} orders could not be read again: repeat it")
    return {**done, "after": None}


def judge_what_is_past(now: datetime, context: LambdaContext, done: dict[str, int]) -> None:
    """Mark and escalate orders one by one, while there is time."""
    for one in deadlines.candidates(now=now):
        if not has_time(context):
            done["left"] += 1
            return
        try:
            new = deadlines.judge(one.key, now=now)
        except Exception:
            logger.exception("failed to judge", order=str(one.key))
            done["failed"] += 1
        else:
            count(new, done)


def judge_what_is_due(now: datetime, context: LambdaContext, done: dict[str, int]) -> None:
    """Announce reminders and follow-ups one by one, while there is time."""
    for key in timed.candidates(now=now):
        if not has_time(context):
            done["left"] += 1
            return
        try:
            new = timed.judge(key, now=now)
        except Exception:
            logger.exception("failed to judge by time", order=str(key))
            done["failed"] += 1
        else:
            count(new, done)


def judge_commissions(now: datetime, context: LambdaContext, done: dict[str, int]) -> None:
    """Announce overdue commissions, the longest overdue first, while there is time."""
    left: list[Due] = []
    for one in money.candidates(now=now):
        if not has_time(context):
            left.append(one)
            done["left"] += 1
            continue
        try:
            new = money.judge(one.key, now=now)
        except Exception:
            logger.exception("failed to judge a commission", order=str(one.key))
            left.append(one)
            done["failed"] += 1
        else:
            count(new, done)
    # Commissions of a connection whose settings can't be used now are checked again later.
    if not connections.unusable():
        # A run with a later time must not cause commissions to be missed.
        money.finish(left, now=min(now, datetime.now(UTC)))


def move_orders_of_earlier_versions(context: LambdaContext, done: dict[str, int]) -> None:
    """Move orders to the partitions from which lists read them, while there is time; when none is
    left to move, lists are told to read no others."""
    is_settled = True
    for one in index.misplaced():
        is_settled = False
        if not has_time(context):
            done["left"] += 1
            return
        done["moved"] += index.move(one)
    if is_settled:
        layout.settle()


def count(new: Iterable[Announcement], done: dict[str, int]) -> None:
    """Add announcements to the run's counts."""
    for kind, number in Counter(one.kind for one in new).items():
        done[COUNTED_AS[kind]] += number


def announce_missing_announcements(
    now: datetime, context: LambdaContext, done: dict[str, int]
) -> None:
    """Send notices that were never sent, the oldest first, while there is time."""
    left: list[LastAnnounced] = []
    for one in announcements.candidates(now=now):
        if not has_time(context):
            left.append(one)
            done["left"] += 1
            continue
        try:
            told = announcements.announce_missing(one.key, now=now)
        except UnusableConnection:
            # Sent by the first run after the settings were corrected: they have their own alarm.
            left.append(one)
            done["left"] += 1
        except Exception:
            logger.exception("failed to tell what is missing", order=str(one.key))
            left.append(one)
            done["failed"] += 1
        else:
            done["told"] += len(told)
    # A run with a later time must not cause announcements to be missed.
    announcements.finish(left, now=min(now, datetime.now(UTC)))


def tell_of_drift(known: Mapping[str, Contact], done: dict[str, int]) -> None:
    """Tell the team which providers' payloads have changed, at most once a day for each."""
    applied = connections.all()
    for name, contact in known.items():
        if name not in applied or not contact.drift.untold:
            continue
        try:
            drift_notices.tell(name, contact.drift, now=datetime.now(UTC))
        except Exception:
            logger.exception("failed to tell of changed payloads", connection=name)
            done["failed"] += 1


def count_late_polls(known: Mapping[str, Contact], now: datetime) -> int:
    """Count connections whose polls are late, and emit by how many seconds each is late."""
    lags = poll_lags(connections.all().values(), known, now=now)
    late = {name: lag for name, lag in lags.items() if lag > LATE}
    for name, lag in late.items():
        logger.warning("polls are late", connection=name, seconds=int(lag.total_seconds()))
        count_by("connection", name, metric="PollLag", value=lag.total_seconds())
    return len(late)


def count_unusable() -> int:
    """Count connections whose settings can't be used."""
    unusable = connections.unusable()
    for name, one in unusable.items():
        logger.error("connection can't be used", connection=name, why=one.why)
        count_by("connection", name, metric="UnusableConnections", value=1)
    return len(unusable)


def count_dead_letters() -> int:
    """Count dead-letter queues with messages, and emit the number of messages in each."""
    waiting = {name: count_waiting(sqs, queue_url=url) for name, url in dead_letters.items()}
    full = {name: number for name, number in waiting.items() if number}
    for name, number in full.items():
        logger.warning("dead letters wait", queue=name, number=number)
        count_by("queue", name, metric="DeadLetters", value=number)
    return len(full)


def count_by(dimension: str, name: str, *, metric: str, value: float) -> None:
    """Emit a metric of one connection or queue. Lags are in seconds, all others are counts."""
    unit = MetricUnit.Seconds if metric == "PollLag" else MetricUnit.Count
    with single_metric(name=metric, unit=unit, value=value) as one:
        one.add_dimension(name=dimension, value=name)


def has_time(context: LambdaContext) -> bool:
    """Whether there is time to start with one more order."""
    return context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS
