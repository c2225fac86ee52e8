"""Runs on a schedule: polls all pages of one connection and records changes."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from milepost.aws.clients import client
from milepost.aws.errors import name_of, refuses_item
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.common.timestamps import parse_instant
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.connections.health import NOT_APPLIED
from milepost.connections.poll_request import PollRequest
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import RecordOutcome, record
from milepost.orders.report import Report
from milepost.polling.aws.lease import PollsTable
from milepost.polling.aws.page_cache import DigestsBucket
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.polling.lease import LeaseHeld
from milepost.polling.page_recording import Record, Sinks, StoreUnavailable
from milepost.polling.poll import Poll, run_poll
from milepost.polling.result import PollOutcome, PollResult
from milepost.providers.base import Provider, rules_of
from milepost.providers.http import ProviderHttp, ProviderPool
from milepost.providers.registry import REGISTRY, adapter_of
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.redaction import without_secrets

logger = open_logger()
metrics = open_metrics()

SPARE_FOR_PAGE: Final = 100_000
"""Remaining milliseconds that are needed for one more page: a request that hangs, and its
changes."""
SPARE_FOR_ORDER: Final = 30_000
"""Remaining milliseconds that are needed for one more order, and to save the progress."""

MOST_POLLS: Final = 5
"""Maximum number of polls in one invocation: its own, and those for requests that arrived
meanwhile."""

dynamodb = client("dynamodb")
s3 = client("s3")
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
credentials = ApiCredentials(
    client("secretsmanager"),
    secret_id=os.environ["API_CREDENTIALS_ARN"],
    clock=time.monotonic,
)
polls = PollsTable(dynamodb, table_name=os.environ["POLLS_TABLE"])
requests = PollRequests(dynamodb, table_name=os.environ["POLLS_TABLE"])
touched = TouchedTable(dynamodb, table_name=os.environ["TOUCHED_TABLE"])
digests = DigestsBucket(s3, bucket=os.environ["DIGESTS_BUCKET"])
erased_customers = ErasedCustomers(
    dynamodb, table_name=os.environ["ERASURES_TABLE"], orders_table=os.environ["ORDERS_TABLE"]
)
quarantine = Quarantine(lambda: s3, bucket=os.environ["QUARANTINE_BUCKET"])
pool = ProviderPool(maxsize=2)


@fail_without_message
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Poll the connection that the schedule's input names: ``{"connection": "<id>"}``.

    Stored requests for the connection are fulfilled as well. With ``since`` (an instant) the input
    is such a request itself: everything that changed since then is read again, and announced only
    if ``announce`` is true.
    """
    name = str(event["connection"])
    if "since" in event:
        requests.keep(name, request_of(event, context))
    for _ in range(MOST_POLLS):
        result, is_requested = poll_once(name, context)
        if not is_requested or context.get_remaining_time_in_millis() < SPARE_FOR_PAGE:
            break
    return {"connection": name, **asdict(result)}


def poll_once(name: str, context: LambdaContext) -> tuple[PollResult, bool]:
    """Poll; also returns whether another poll was requested meanwhile."""
    is_requested = False
    try:
        result, is_requested = poll(connections.get(name), context)
    except UnknownConnection:
        result = fail_unusable(name, why=NOT_APPLIED)
    except UnusableConnection as unusable:
        result = fail_unusable(name, why=str(unusable))
    if result.outcome is PollOutcome.FAILED:
        # A credential that was just replaced is read again, instead of being refused for minutes.
        credentials.forget()
        count_failed_poll(name)
    logger.info("polled", connection=name, **asdict(result))
    return result, is_requested


def fail_unusable(connection_id: str, *, why: str) -> PollResult:
    """Record a poll that can't start as failed, so that health and alarm name its connection."""
    try:
        lease = polls.lease(connection_id, now=now(), duration=timedelta(seconds=5))
        lease.fail(error=why, at=now(), not_before=None)
    except LeaseHeld as held:
        return PollResult(PollOutcome.LEASED, error=str(held))
    return PollResult(PollOutcome.FAILED, error=why)


def count_failed_poll(connection_id: str) -> None:
    """Count a failed poll, in total and for this connection."""
    metrics.add_metric(name="PollFailures", unit=MetricUnit.Count, value=1)
    with single_metric(name="PollFailures", unit=MetricUnit.Count, value=1) as metric:
        metric.add_dimension(name="connection", value=connection_id)


def request_of(event: Mapping[str, Any], context: LambdaContext) -> PollRequest:
    """The request in the event; it is the same when Lambda retries the invocation."""
    return PollRequest(
        id=context.aws_request_id,
        requested_at=now(),
        since=parse_instant(event["since"]),
        announce=event.get("announce", False),
    )


def poll(connection: Connection, context: LambdaContext) -> tuple[PollResult, bool]:
    """Poll under the connection's lease; it is no failure if another poll is in progress.

    :returns: the result, and whether another poll was requested meanwhile
    :raises UnusableConnection: when its credentials can't be used
    """
    shown = credentials.get(connection.id)
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())

    def make_poll() -> Poll:
        return Poll(
            connection=connection,
            provider=(provider := adapter_of(connection)),
            credentials=shown,
            http=ProviderHttp(
                pool, allowed=filter(None, (connection.base_url, connection.token_url))
            ),
            digests=digests,
            touched=touched,
            sinks=Sinks(record=recorder(connection, provider), quarantine=put_aside(connection)),
            clock=now,
            has_time=lambda: context.get_remaining_time_in_millis() > SPARE_FOR_PAGE,
            has_time_for_order=lambda: context.get_remaining_time_in_millis() > SPARE_FOR_ORDER,
        )

    try:
        lease = polls.lease(connection.id, now=now(), duration=left + timedelta(seconds=5))
        result = run_poll(lease, make_poll, clock=now)
    except LeaseHeld as held:
        return PollResult(PollOutcome.LEASED, error=str(held)), False
    is_over = result.outcome in (PollOutcome.COMPLETE, PollOutcome.UNCHANGED)
    return result, is_over and lease.requested_meanwhile


def recorder(connection: Connection, provider: Provider) -> Record:
    """A function that records a report in its order and returns whether that changed it."""
    orders = OrdersTable(dynamodb, table_name=os.environ["ORDERS_TABLE"], connection=connection)
    changed = {RecordOutcome.TRANSITION, RecordOutcome.RECORDED}

    def take_in(report: Report, /, *, announce: bool) -> bool:
        try:
            recorded = record(
                report,
                orders=orders,
                rules=rules_of(provider, connection),
                now=now(),
                announce=announce,
                erasures=erased_customers,
            )
        except (BotoCoreError, ClientError) as error:
            if refuses_item(error):
                raise
            raise StoreUnavailable(f"DynamoDB: {name_of(error)}") from None
        return recorded.outcome in changed

    return take_in


def put_aside(connection: Connection) -> Callable[[bytes, str], None]:
    """A function that quarantines an unreadable order, unchanged except for secrets that must not
    be stored."""

    def keep(order: bytes, reason: str) -> None:
        key = quarantine.keep(
            without_secrets(order),
            connection_id=connection.id,
            source="poll",
            reason=reason,
            at=now(),
        )
        count_failures(metrics, "Quarantined")
        logger.warning("quarantined", connection=connection.id, reason=reason, key=key)

    return keep


def now() -> datetime:
    return datetime.now(UTC)
