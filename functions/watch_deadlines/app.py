"""Every 15 minutes: marks overdue orders and commissions, announces reminders and follow-ups, sends
missing notices, and counts what waits for a person."""

import os
import time
from collections.abc import Iterable, Mapping
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
from milepost.connections.connection import Connection, UnusableConnection
from milepost.connections.health import Contact
from milepost.notifications.aws.announcement_log import AnnouncementLogTable
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held import HoldsTable
from milepost.notifications.aws.messages import NoticeQueue
from milepost.notifications.aws.publishing import open_bus, open_topic
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.dispatch import AnnouncementDispatcher
from milepost.notifications.reconciliation import AnnouncementWatch
from milepost.operations.aws.problem_counts import (
    count_dead_letters,
    count_late_polls,
    count_unusable,
)
from milepost.operations.aws.timed_run import TimedRun
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.aws.table import OrdersReader, OrdersTable
from milepost.orders.order import Announcement, Kind, OrderKey
from milepost.orders.overdue import DeadlineWatch
from milepost.orders.refold import FIRST_PLACE, Refold
from milepost.orders.rules import Rules
from milepost.orders.timed_announcements import TimedWatch
from milepost.providers.base import rules_of
from milepost.providers.registry import REGISTRY, adapter_of
from milepost.queries.aws.commission_checkpoint import CommissionCheckpoint
from milepost.queries.commission_watch import CommissionWatch

RESERVE_MILLISECONDS: Final = 20_000
"""Time reserved for work that has started; the next run finds the rest."""

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
    run = TimedRun(
        names=(*COUNTED_AS.values(), "told", "moved"), has_time=lambda: has_time(context)
    )
    # A run with a later time must not cause anything to be missed, nor raise an alarm early.
    until = min(now, datetime.now(UTC))
    announce_missing(run, now=now, until=until)
    run.each(
        (one.key for one in deadlines.candidates(now=now)),
        lambda key: names_of(deadlines.judge(key, now=now)),
    )
    run.each(timed.candidates(now=now), lambda key: names_of(timed.judge(key, now=now)))
    judge_commissions(run, now=now, until=until)
    move_orders_of_earlier_versions(run)
    known = contacts.all()
    announce_drift(known, run)
    if any(run.done.values()):
        logger.info("watched", extra=dict(run.done))
    problems = (
        count_late_polls(connections.all().values(), known, now=until)
        + count_unusable(connections.unusable())
        + count_dead_letters(sqs, dead_letters)
    )
    if problems:
        metrics.add_metric(name="OpenProblems", unit=MetricUnit.Count, value=problems)
    if run.done["failed"]:
        raise SomeFailed(f"{run.done['failed']} orders could not be processed")
    return run.done


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


def names_of(new: Iterable[Announcement]) -> list[str]:
    """The names under which announcements are counted."""
    return [COUNTED_AS[one.kind] for one in new]


def announce_missing(run: TimedRun, *, now: datetime, until: datetime) -> None:
    """Send notices that were never sent, the oldest first."""

    def announce(key: OrderKey) -> list[str]:
        return ["told" for _ in announcements.announce_missing(key, now=now)]

    # An order whose connection can't be used, which has an alarm of its own, is processed by the
    # first run after the settings were corrected.
    left = run.each_or_left(
        announcements.candidates(now=now), announce, postponed_by=(UnusableConnection,)
    )
    announcements.finish(left, now=until)


def judge_commissions(run: TimedRun, *, now: datetime, until: datetime) -> None:
    """Announce overdue commissions, the longest overdue first."""
    left = run.each_or_left(
        money.candidates(now=now), lambda key: names_of(money.judge(key, now=now))
    )
    # Commissions of a connection whose settings can't be used now are checked again later.
    if not connections.unusable():
        money.finish(left, now=until)


def move_orders_of_earlier_versions(run: TimedRun) -> None:
    """Move orders to the partitions from which lists read them; when none is left to move, lists
    read no other partitions any more."""
    is_settled = True
    for one in index.misplaced():
        is_settled = False
        if not run.has_time():
            return
        run.done["moved"] += index.move(one)
    if is_settled:
        layout.settle()


def announce_drift(known: Mapping[str, Contact], run: TimedRun) -> None:
    """Notify the team of providers whose payloads have changed, at most once a day for each."""
    applied = connections.all()
    for name, contact in known.items():
        if name not in applied or not contact.drift.untold:
            continue
        try:
            drift_notices.tell(name, contact.drift, now=datetime.now(UTC))
        except Exception:
            run.fail("failed to announce changed payloads", connection=name)


def has_time(context: LambdaContext) -> bool:
    """Whether there is time to start with one more order."""
    return context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS
