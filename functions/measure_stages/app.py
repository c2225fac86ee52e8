"""Reads the orders' stream: updates figures, stage durations and the search index. Once a day it
makes the forecasts and scorecards."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.forecasts.aws.daily_run import DailyForecasts
from milepost.forecasts.aws.store import ForecastStore
from milepost.orders.aws.erased_customers import LateOrders
from milepost.orders.aws.scan import OrderPages
from milepost.providers.registry import REGISTRY
from milepost.queries.aws.projector import MeasuredOrders
from milepost.queries.aws.stream_counting import StreamCounting

logger = open_logger()

dynamodb = client("dynamodb")
orders = OrderPages(dynamodb, table_name=os.environ["ORDERS_TABLE"])
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)


def connection_of(connection_id: str) -> Connection | None:
    """The settings of a connection; None if it was removed or its settings are invalid."""
    try:
        return connections.get(connection_id)
    except (UnknownConnection, UnusableConnection):
        return None


counting = StreamCounting(
    measured=MeasuredOrders(
        dynamodb,
        figures_table=os.environ["FIGURES_TABLE"],
        search_table=os.environ["SEARCH_TABLE"],
    ),
    late_orders=LateOrders(dynamodb, table_name=os.environ["ERASURES_TABLE"]),
    orders=orders,
    connection_of=connection_of,
)
forecasts = DailyForecasts(
    orders=orders,
    store=ForecastStore(dynamodb, table_name=os.environ["FIGURES_TABLE"]),
    sns=client("sns"),
    alarms_topic=os.environ["ALARMS_TOPIC_ARN"],
    connection_of=connection_of,
)


@fail_without_message
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Process the stream's records; or with ``{"backfill": {}}`` the orders in the table.

    ``{"forecasts": {}}`` makes the forecasts of every connection.
    """
    remaining = context.get_remaining_time_in_millis
    if "forecasts" in event:
        return forecasts.run(now=datetime.now(UTC), remaining=remaining)
    if "backfill" in event:
        return counting.backfill(event["backfill"].get("after"), remaining=remaining)
    failed = counting.count_all(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}
