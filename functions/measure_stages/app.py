"""Reads the orders' stream: updates figures, stage durations and the search index. Once a day it
makes the forecasts and scorecards."""

import os
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.dynamodb_items import from_item
from milepost.aws.logger import open_logger
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.forecasts.aws.daily_run import DailyForecasts
from milepost.forecasts.aws.store import ForecastStore
from milepost.orders.aws.erased_customers import LateOrders
from milepost.orders.aws.scan import OrderPages
from milepost.orders.aws.table import tracked_order
from milepost.orders.order import Order, OrderKey, TrackedOrder
from milepost.providers.registry import REGISTRY
from milepost.queries.aws.projector import MeasuredOrders, read_change
from milepost.queries.indexed_words import IndexedWords, Indexing, indexed_words
from milepost.queries.stage_durations import change_of

PAGE: Final = 50
ENOUGH_FOR_A_PAGE: Final = 20_000
"""The maximum milliseconds that a page of the backfill takes."""

logger = open_logger()

dynamodb = client("dynamodb")
orders = OrderPages(dynamodb, table_name=os.environ["ORDERS_TABLE"])
measured = MeasuredOrders(
    dynamodb,
    figures_table=os.environ["FIGURES_TABLE"],
    search_table=os.environ["SEARCH_TABLE"],
)
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
late_orders = LateOrders(dynamodb, table_name=os.environ["ERASURES_TABLE"])


def connection_of(connection_id: str) -> Connection | None:
    """The settings of a connection; None if it was removed or they can't be used."""
    try:
        return connections.get(connection_id)
    except (UnknownConnection, UnusableConnection):
        return None


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
    if "forecasts" in event:
        now, remaining = datetime.now(UTC), context.get_remaining_time_in_millis
        return forecasts.run(now=now, remaining=remaining)
    if "backfill" in event:
        return backfill(event["backfill"].get("after"), context)
    failed = count_all(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}


def count_all(records: list[Mapping[str, Any]]) -> str | None:
    """Process the records together; if that fails, one by one. Returns the sequence number of the
    first failure."""
    try:
        take(records)
    except Exception:
        logger.warning(
            "could not count a batch in one write, counting each record separately", exc_info=True
        )
        return next((number for one in records if (number := count_one(one))), None)
    return None


def count_one(record: Mapping[str, Any]) -> str | None:
    """Process one record; returns its sequence number if that fails."""
    try:
        take([record])
    except Exception:
        logger.exception("could not count a change", event_id=record.get("eventID"))
        number: str = record["dynamodb"]["SequenceNumber"]
        return number
    return None


def take(records: list[Mapping[str, Any]]) -> None:
    """Process changes. Orders that become findable are noted if their customer was erased
    meanwhile."""
    measured.take([read_change(record, words_of=words_of) for record in records])
    images = (record["dynamodb"].get("NewImage") for record in records)
    note_erased(tracked_order(from_item(image)) for image in images if image)


def words_of(order: Order) -> IndexedWords:
    """The search words of an order. If its connection was removed or can't be used, all its words
    are indexed."""
    connection = connection_of(order.key.connection)
    if connection is None:
        return indexed_words(order, Indexing())
    return indexed_words(
        order, Indexing(fields=connection.search_fields, country=connection.country)
    )


def note_erased(orders: Iterable[TrackedOrder]) -> None:
    """Note orders of erased customers, so that finish_erasures erases them."""
    for key in late_orders.note(orders):
        logger.info("found after its customer was erased", order=str(key))


def backfill(after: str | None, context: LambdaContext) -> dict[str, Any]:
    """Process the table's orders after ``after``, for as long as the time allows."""
    place = OrderKey.parse(after) if after else None
    number = 0
    while True:
        page, place = orders.read(after=place, limit=PAGE)
        measured.take(change_of(None, one, words_of=words_of) for one in page)
        note_erased(page)
        number += len(page)
        if place is None or context.get_remaining_time_in_millis() < ENOUGH_FOR_A_PAGE:
            logger.info("backfilled", orders=number)
            return {"counted": number, "after": str(place) if place else None}
