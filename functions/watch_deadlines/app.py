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
from milepost.connections.aws.settings import ConnectionSettings
from milepost.operations.aws.deadline_drivers import DeadlineDrivers
from milepost.operations.aws.problem_counts import (
    count_dead_letters,
    count_late_polls,
    count_unusable,
)
from milepost.operations.aws.reread_run import read_again
from milepost.providers.registry import REGISTRY

RESERVE_MILLISECONDS: Final = 20_000
"""Time reserved for work that has started; the next run finds the rest."""

logger = open_logger()
metrics = open_metrics()


def clock() -> datetime:
    return datetime.now(UTC)


dynamodb = client("dynamodb")
sqs = client("sqs")
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
contacts = ContactsTable(dynamodb, table_name=os.environ["POLLS_TABLE"])
dead_letters = dead_letter_urls(os.environ)
drivers = DeadlineDrivers(os.environ, dynamodb=dynamodb, connections=connections)
stored_orders = drivers.open_refold()
due = drivers.open_run(sns=client("sns"), sqs=sqs, events=lambda: client("events"), clock=clock)


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
