"""Runs on a schedule: polls all pages of one connection and records changes."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.errors import AWS_FAILED
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.common.timestamps import parse_instant
from milepost.connections.aws.drift import DriftWatch
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.connections.drift import Part
from milepost.connections.health import NOT_APPLIED
from milepost.connections.poll_request import PollRequest
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.orders.report import Report
from milepost.polling.aws.lease import PollsTable
from milepost.polling.aws.named_orders import NamedOrdersTable
from milepost.polling.aws.order_recorder import OrderRecorder
from milepost.polling.aws.page_cache import PageCacheBucket
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.polling.lease import LeaseHeld
from milepost.polling.named_orders import FetchResult, NamedFetch
from milepost.polling.page_recording import Sinks
from milepost.polling.poll import Poll, run_poll
from milepost.polling.result import PollOutcome, PollResult
from milepost.polling.side_by_side import SideBySide, Threads
from milepost.polling.touched_orders import Touched
from milepost.providers.base import Json, Provider, rules_of
from milepost.providers.http import ProviderHttp, ProviderPool
from milepost.providers.registry import REGISTRY, UnknownProvider, adapter_of
from milepost.providers.session import Conversation
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
WRITERS: Final = 8
"""How many orders of a page are recorded at a time. More would only wait for the processor: a write
takes it for 2 ms, and waits 5 ms for its answer."""

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
named_orders = NamedOrdersTable(dynamodb, table_name=os.environ["POLLS_TABLE"])
touched = TouchedTable(dynamodb, table_name=os.environ["TOUCHED_TABLE"])
drift = DriftWatch(dynamodb, table_name=os.environ["POLLS_TABLE"], clock=lambda: datetime.now(UTC))
hashes = PageCacheBucket(s3, bucket=os.environ["DIGESTS_BUCKET"])
erased_customers = ErasedCustomers(
    dynamodb, table_name=os.environ["ERASURES_TABLE"], orders_table=os.environ["ORDERS_TABLE"]
)
quarantine = Quarantine(lambda: s3, bucket=os.environ["QUARANTINE_BUCKET"])
pool = ProviderPool(maxsize=2)
side_by_side: SideBySide = Threads(WRITERS)


@fail_without_message
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Poll the connection that the schedule's input names: ``{"connection": "<id>"}``.

    Stored requests for the connection are fulfilled as well. With ``since`` (an instant) the input
    is such a request itself: everything that changed since then is read again, and announced only
    if ``announce`` is true. With ``fetch`` only the orders that webhooks named are fetched; each
    poll that ends fetches those that are left.
    """
    name = str(event["connection"])
    if "fetch" in event:
        fetched = fetch_named(name, context)
        note_drift(name)
        return {"connection": name, **asdict(fetched)}
    if "since" in event:
        requests.keep(name, request_of(event, context))
    try:
        return poll_until_none_is_requested(name, context)
    finally:
        note_drift(name)


def poll_until_none_is_requested(name: str, context: LambdaContext) -> dict[str, Any]:
    """Poll, and poll again for requests that arrived meanwhile."""
    for _ in range(MOST_POLLS):
        result, goes_on = poll_once(name, context)
        if goes_on.has_named:
            fetch_named(name, context)
        if not goes_on.is_requested or context.get_remaining_time_in_millis() < SPARE_FOR_PAGE:
            break
    return {"connection": name, **asdict(result)}


@dataclass(frozen=True, slots=True)
class GoesOn:
    """What is to be done after a poll."""

    is_requested: bool = False
    """Whether another poll was requested meanwhile."""
    has_named: bool = False
    """Whether webhooks named orders that are still to be fetched."""


def poll_once(name: str, context: LambdaContext) -> tuple[PollResult, GoesOn]:
    """Poll; also returns what is to be done afterwards."""
    goes_on = GoesOn()
    try:
        result, goes_on = poll(connections.get(name), context)
    except UnknownConnection:
        result = fail_unusable(name, why=NOT_APPLIED)
    except UnusableConnection as unusable:
        result = fail_unusable(name, why=str(unusable))
    if result.outcome is PollOutcome.FAILED:
        # A credential that was just replaced is read again, instead of being refused for minutes.
        credentials.forget()
        count_failed_poll(name)
    logger.info("polled", connection=name, **asdict(result))
    return result, goes_on


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


def poll(connection: Connection, context: LambdaContext) -> tuple[PollResult, GoesOn]:
    """Poll under the connection's lease; it is no failure if another poll is in progress.

    :returns: the result, and what is to be done afterwards
    :raises UnusableConnection: when its credentials can't be used
    """
    shown = credentials.get(connection.id)
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())

    def make_poll() -> Poll:
        return Poll(
            connection=connection,
            provider=(provider := adapter_of(connection)),
            credentials=shown,
            http=http_of(connection),
            hashes=hashes,
            touched=touched,
            sinks=Sinks(
                record=(record := recorder(connection, provider)),
                expect=record.expect,
                side_by_side=side_by_side,
                look=compare_with_earlier(connection),
                quarantine=keep_in_quarantine(connection),
            ),
            clock=now,
            has_time=lambda: context.get_remaining_time_in_millis() > SPARE_FOR_PAGE,
            has_time_for_order=lambda: context.get_remaining_time_in_millis() > SPARE_FOR_ORDER,
        )

    try:
        lease = polls.lease(connection.id, now=now(), duration=left + timedelta(seconds=5))
        result = run_poll(lease, make_poll, clock=now)
    except LeaseHeld as held:
        return PollResult(PollOutcome.LEASED, error=str(held)), GoesOn()
    is_over = result.outcome in (PollOutcome.COMPLETE, PollOutcome.UNCHANGED)
    return result, GoesOn(is_over and lease.requested_meanwhile, is_over and lease.has_named)


def fetch_named(name: str, context: LambdaContext) -> FetchResult:
    """Fetch the orders that webhooks of a connection named; what fails is left for later.

    Nothing is done if another process fetches them, or the provider asked to wait.
    """
    try:
        connection = connections.get(name)
        provider, shown = adapter_of(connection), credentials.get(name)
    except (UnknownConnection, UnknownProvider, UnusableConnection) as error:
        logger.warning("named orders can't be fetched", connection=name, reason=str(error))
        return FetchResult(error=str(error))
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    lease = named_orders.lease(name, now=now(), duration=left + timedelta(seconds=5))
    if lease is None:
        return FetchResult()
    result = NamedFetch(
        conversation=Conversation(
            connection=connection, provider=provider, credentials=shown,
            http=http_of(connection), clock=now,
        ),
        sinks=Sinks(
            record=recorder(connection, provider, marks=touched),
            look=compare_with_earlier(connection),
            quarantine=keep_in_quarantine(connection),
        ),
        clock=now,
        has_time=lambda: context.get_remaining_time_in_millis() > SPARE_FOR_ORDER,
    ).run(lease)  # fmt: skip
    if result.not_found:
        # An order that is not there yet is in the list later.
        requests.keep(name, PollRequest(id="not-found", requested_at=now(), announce=True))
    if result.error:
        credentials.forget()
    logger.info("fetched", connection=name, **asdict(result))
    return result


def http_of(connection: Connection) -> ProviderHttp:
    """Requests to the connection's own hosts."""
    return ProviderHttp(pool, allowed=filter(None, (connection.base_url, connection.token_url)))


def recorder(
    connection: Connection, provider: Provider, *, marks: Touched | None = None
) -> OrderRecorder:
    """What records reports in the connection's orders.

    :param marks: for orders that are not found by a poll, so that the next poll reads them
    """
    return OrderRecorder(
        dynamodb,
        table_name=os.environ["ORDERS_TABLE"],
        connection=connection,
        rules=rules_of(provider, connection),
        erasures=erased_customers,
        clock=now,
        touched=marks,
    )


def compare_with_earlier(connection: Connection) -> Callable[[Json, Sequence[Report]], None]:
    """A function that compares an order's fields with those of earlier ones. A failure of this
    doesn't affect the order."""

    def look(order: Json, reports: Sequence[Report]) -> None:
        words = [one.raw_status for one in reports if one.has_unknown_status and one.raw_status]
        try:
            drift.look(connection.id, Part.ORDER, order, words)
        except AWS_FAILED:
            logger.warning("not compared with earlier orders", connection=connection.id)

    return look


def note_drift(name: str) -> None:
    """Store what was learned of a connection's payloads. A failure of this affects nothing else."""
    try:
        for change in drift.flush():
            logger.warning(
                "a provider's payloads changed",
                connection=name,
                kind=change.kind,
                place=change.place,
            )
    except AWS_FAILED:
        logger.warning("not noted how payloads look", connection=name)


def keep_in_quarantine(connection: Connection) -> Callable[[bytes, str], None]:
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
