"""Runs on a schedule: polls all pages of one connection and records changes."""

import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.common.side_by_side import Threads
from milepost.common.timestamps import parse_instant
from milepost.connections.aws.drift import DriftWatch
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
from milepost.connections.poll_request import PollRequest
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.polling.aws.lease import PollsTable
from milepost.polling.aws.named_orders import NamedOrdersTable
from milepost.polling.aws.order_sinks import OrderSinks
from milepost.polling.aws.page_cache import PageCacheBucket
from milepost.polling.aws.scheduled_polls import ScheduledPolls
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.providers.http import ProviderPool
from milepost.providers.registry import REGISTRY
from milepost.quarantine.aws.store import Quarantine

WRITERS: Final = 8
"""How many orders of a page are recorded at a time. More would only wait for the processor: a write
takes it for 2 ms, and waits 5 ms for its answer."""

logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb")
s3 = client("s3")
polls_table, orders_table = os.environ["POLLS_TABLE"], os.environ["ORDERS_TABLE"]


def now() -> datetime:
    return datetime.now(UTC)


def count_failed_poll(connection_id: str) -> None:
    """Count a failed poll, in total and for this connection."""
    metrics.add_metric(name="PollFailures", unit=MetricUnit.Count, value=1)
    with single_metric(name="PollFailures", unit=MetricUnit.Count, value=1) as metric:
        metric.add_dimension(name="connection", value=connection_id)


sinks = OrderSinks(
    dynamodb=dynamodb,
    orders_table=orders_table,
    erasures=ErasedCustomers(
        dynamodb, table_name=os.environ["ERASURES_TABLE"], orders_table=orders_table
    ),
    touched=TouchedTable(dynamodb, table_name=os.environ["TOUCHED_TABLE"]),
    drift=DriftWatch(dynamodb, table_name=polls_table, clock=now),
    quarantine=Quarantine(lambda: s3, bucket=os.environ["QUARANTINE_BUCKET"]),
    count_quarantined=lambda: count_failures(metrics, "Quarantined"),
    clock=now,
)
scheduled = ScheduledPolls(
    connections=ConnectionSettings(
        client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
    ),
    credentials=ApiCredentials(
        client("secretsmanager"), secret_id=os.environ["API_CREDENTIALS_ARN"], clock=time.monotonic
    ),
    polls=PollsTable(dynamodb, table_name=polls_table),
    requests=PollRequests(dynamodb, table_name=polls_table),
    named_orders=NamedOrdersTable(dynamodb, table_name=polls_table),
    hashes=PageCacheBucket(s3, bucket=os.environ["DIGESTS_BUCKET"]),
    touched=sinks.touched,
    sinks=sinks,
    side_by_side=Threads(WRITERS),
    pool=ProviderPool(maxsize=2),
    count_failure=count_failed_poll,
    clock=now,
)


@fail_without_message
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Poll the connection that the schedule's input names: ``{"connection": "<id>"}``.

    Stored requests for the connection are fulfilled as well. With ``since`` (an instant) the input
    is such a request itself: everything that changed since then is read again, and announced only
    if ``announce`` is true. With ``fetch`` only the orders that webhooks named are fetched; each
    poll that ends fetches those that are left.
    """
    name, remaining = str(event["connection"]), context.get_remaining_time_in_millis
    try:
        if "fetch" in event:
            return {"connection": name, **asdict(scheduled.fetch_named(name, remaining))}
        if "since" in event:
            scheduled.requests.keep(name, request_of(event, context))
        return {
            "connection": name,
            **asdict(scheduled.poll_until_none_is_requested(name, remaining)),
        }
    finally:
        sinks.drift.store()


def request_of(event: Mapping[str, Any], context: LambdaContext) -> PollRequest:
    """The request in the event; it is the same when Lambda retries the invocation."""
    return PollRequest(
        id=context.aws_request_id,
        requested_at=now(),
        since=parse_instant(event["since"]),
        announce=event.get("announce", False),
    )
