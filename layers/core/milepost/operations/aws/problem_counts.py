"""Counts problems that need a person, and emits a metric for each."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit

from milepost.connections.aws.settings import Unusable
from milepost.connections.connection import Connection
from milepost.connections.health import Contact, poll_lags

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

LATE: Final = timedelta(minutes=30)
"""How much later than its schedule a connection's next successful poll may be before it counts as
late."""


def count_late_polls(
    connections: Iterable[Connection], known: Mapping[str, Contact], *, now: datetime
) -> int:
    """The number of connections whose polls are late; a metric has the delay in seconds."""
    lags = poll_lags(connections, known, now=now)
    late = {name: lag for name, lag in lags.items() if lag > LATE}
    for name, lag in late.items():
        seconds = lag.total_seconds()
        logger.warning("polls are late", extra={"connection": name, "seconds": int(seconds)})
        _emit("PollLag", seconds, unit=MetricUnit.Seconds, connection=name)
    return len(late)


def count_unusable(unusable: Mapping[str, Unusable]) -> int:
    """The number of connections whose settings are invalid."""
    for name, one in unusable.items():
        logger.error("connection can't be used", extra={"connection": name, "why": one.why})
        _emit("UnusableConnections", 1, connection=name)
    return len(unusable)


def count_dead_letters(sqs: "SQSClient", urls: Mapping[str, str]) -> int:
    """The number of dead-letter queues that have messages.

    :param urls: the URL of each queue, by its name
    :raises ClientError, BotoCoreError: when SQS can't be asked
    """
    waiting = {name: _count_waiting(sqs, queue_url=url) for name, url in urls.items()}
    full = {name: number for name, number in waiting.items() if number}
    for name, number in full.items():
        logger.warning("dead letters wait", extra={"queue": name, "number": number})
        _emit("DeadLetters", number, queue=name)
    return len(full)


def _count_waiting(sqs: "SQSClient", *, queue_url: str) -> int:
    """The approximate number of messages in a queue, which SQS updates within about a minute."""
    answer = sqs.get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _emit(
    metric: str, value: float, *, unit: MetricUnit = MetricUnit.Count, **dimension: str
) -> None:
    with single_metric(name=metric, unit=unit, value=value) as one:
        for name, of in dimension.items():
            one.add_dimension(name=name, value=of)
