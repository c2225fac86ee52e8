"""A change of the orders' stream: update figures, stage durations and the search index."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.dynamodb_items import from_item
from milepost.aws.logger import open_logger
from milepost.common.exception_summary import fail_without_message
from milepost.orders.aws.erased_customers import LateOrders
from milepost.orders.aws.scan import OrderPages
from milepost.orders.aws.table import tracked_order
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.queries.aws.projector import MeasuredOrders, read_change
from milepost.queries.stage_durations import change_of

PAGE: Final = 50
ENOUGH_FOR_A_PAGE: Final = 20_000
"""Milliseconds that a page of the backfill takes at most."""

logger = open_logger()

dynamodb = client("dynamodb")
orders = OrderPages(dynamodb, table_name=os.environ["ORDERS_TABLE"])
measured = MeasuredOrders(
    dynamodb,
    figures_table=os.environ["FIGURES_TABLE"],
    search_table=os.environ["SEARCH_TABLE"],
)
late_orders = LateOrders(dynamodb, table_name=os.environ["ERASURES_TABLE"])


@fail_without_message
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count the stream's records; or with ``{"backfill": {}}`` the orders that are in the table."""
    if "backfill" in event:
        return backfill(event["backfill"].get("after"), context)
    failed = count_all(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}


def count_all(records: list[Mapping[str, Any]]) -> str | None:
    """Count the records together; the first one that can't be, after all before it are."""
    try:
        take(records)
    except Exception:
        logger.warning("could not count a batch as one, counting each alone", exc_info=True)
        return next((number for one in records if (number := count_one(one))), None)
    return None


def count_one(record: Mapping[str, Any]) -> str | None:
    """Count a record alone; its sequence number if that fails."""
    try:
        take([record])
    except Exception:
        logger.exception("could not count a change", event_id=record.get("eventID"))
        number: str = record["dynamodb"]["SequenceNumber"]
        return number
    return None


def take(records: list[Mapping[str, Any]]) -> None:
    """Count changes. What can be found by that is noted if its customer was erased meanwhile."""
    measured.take([read_change(record) for record in records])
    images = (record["dynamodb"].get("NewImage") for record in records)
    note_erased(tracked_order(from_item(image)) for image in images if image)


def note_erased(orders: Iterable[TrackedOrder]) -> None:
    """Note orders of erased customers, so that finish_erasures erases them."""
    for key in late_orders.note(orders):
        logger.info("found after its customer was erased", order=str(key))


def backfill(after: str | None, context: LambdaContext) -> dict[str, Any]:
    """Count the table's orders from the one after ``after`` on, for as long as the time allows."""
    place = OrderKey.parse(after) if after else None
    number = 0
    while True:
        page, place = orders.read(after=place, limit=PAGE)
        measured.take(change_of(None, one) for one in page)
        note_erased(page)
        number += len(page)
        if place is None or context.get_remaining_time_in_millis() < ENOUGH_FOR_A_PAGE:
            logger.info("backfilled", orders=number)
            return {"counted": number, "after": str(place) if place else None}
