"""Runs on a schedule: polls all pages of one connection and records changes."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, count_for_connection, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.common.side_by_side import Threads
from milepost.connections.aws.drift import DriftWatch
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
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
    count_failure=partial(count_for_connection, metrics, "PollFailures"),
    clock=now,
)


@fail_without_message
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Poll a connection, or fetch orders that its webhooks named; see ``ScheduledPolls.run``."""
    return scheduled.run(
        event,
        request_id=context.aws_request_id,
        remaining=context.get_remaining_time_in_millis,
    )
