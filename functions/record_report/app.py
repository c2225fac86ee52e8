"""Reads the inbox: parses a delivery with the provider's adapter and records it in its order."""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client, open_connections
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.common.side_by_side import Threads
from milepost.connections.aws.activity import LastWebhooks
from milepost.connections.aws.drift import DriftWatch
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ConnectionSettings
from milepost.deliveries.aws.queued_deliveries import QueuedDeliveries
from milepost.deliveries.aws.recorder import DeliveryRecorder
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.orders.aws.table import OrdersReader
from milepost.orders.order import OrderKey
from milepost.polling.aws.named_orders import NamedOrdersTable
from milepost.polling.aws.poll_starts import FetchStarts, NamedOrderRequests
from milepost.polling.aws.touched_orders import BatchMarks, TouchedTable
from milepost.providers.registry import REGISTRY
from milepost.quarantine.aws.store import Quarantine

FOR_ONE: Final = timedelta(seconds=12)
"""The remaining time that is needed to start recording a delivery: a large order, with a slow read
and a slow write."""
FOR_SOME: Final = timedelta(seconds=20)
"""The remaining time that is needed to start reading a delivery, which then also has to be
recorded."""

WRITERS: Final = 4
"""How many orders of a batch are recorded at a time. With more, threads wait for each other: eight
take a twentieth more of the processor for an event, and save a batch little."""

logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb")
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
fetches = FetchStarts(lambda: client("lambda"), function=os.environ["POLL_ORDERS_FUNCTION"])


def clock() -> datetime:
    return datetime.now(UTC)


marks = BatchMarks(TouchedTable(dynamodb, table_name=os.environ["TOUCHED_TABLE"]), clock=clock)
recorder = DeliveryRecorder(
    dynamodb=dynamodb,
    orders_table=os.environ["ORDERS_TABLE"],
    connections=connections,
    last_webhooks=LastWebhooks(dynamodb, table_name=os.environ["POLLS_TABLE"]),
    drift=DriftWatch(dynamodb, table_name=os.environ["POLLS_TABLE"], clock=clock),
    named_orders=NamedOrderRequests(
        NamedOrdersTable(dynamodb, table_name=os.environ["POLLS_TABLE"]),
        starts=fetches,
        polls=PollRequests(dynamodb, table_name=os.environ["POLLS_TABLE"]),
        clock=clock,
    ),
    marks=marks,
    erasures=ErasedCustomers(
        dynamodb, table_name=os.environ["ERASURES_TABLE"], orders_table=os.environ["ORDERS_TABLE"]
    ),
    quarantine=Quarantine(lambda: client("s3"), bucket=os.environ["QUARANTINE_BUCKET"]),
    count_quarantined=lambda: count_failures(metrics, "Quarantined"),
    clock=clock,
)
deliveries = QueuedDeliveries(recorder=recorder, side_by_side=Threads(WRITERS))
nobodys_order = OrderKey("-", "-", "-")
open_connections(
    connections.all,
    lambda: OrdersReader(dynamodb, table_name=os.environ["ORDERS_TABLE"]).read(nobodys_order),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Record a batch of deliveries; SQS retries those that fail, or that there is no time for."""
    return deliveries.record(event, clock=context, to_read=FOR_SOME, to_record=FOR_ONE)
