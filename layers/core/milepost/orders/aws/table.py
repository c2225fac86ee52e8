"""OrdersTable: one item for each order, and one conditional write for each change."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status
from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.connections.connection import Connection
from milepost.orders.announcements import Announced
from milepost.orders.aws.index_keys import partition_of
from milepost.orders.aws.items import (
    instant_of,
    overdue_item,
    overdue_of,
    stage_item,
    summary_item,
    summary_of,
    timeline_items,
    timeline_of,
    wait_item,
    wait_of,
    waited_before_of,
    waited_of,
)
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.deadlines import expected_by, next_date, track_of
from milepost.orders.details import Details
from milepost.orders.order import (
    OVERDUE,
    Announcement,
    Attention,
    Kind,
    Order,
    OrderKey,
    TrackedOrder,
)
from milepost.orders.recording import LostRace, UnstorableOrder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REFUSED: Final = "ValidationException"
_TOP_LEVEL: Final = ("reference", "service_type", "appointment")
"""Details kept as attributes of the item itself, since lists and the index show them."""


class OrdersReader:
    """Reads orders of any connection."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def read(self, key: OrderKey) -> TrackedOrder | None:
        """The order, by an eventually consistent read, at half the price."""
        answer = self._client.get_item(TableName=self._table, Key=to_item(item_key(key)))
        item = answer.get("Item")
        return tracked_order(from_item(item)) if item else None

    def read_group(self, connection_id: str, order_id: str) -> list[TrackedOrder]:
        """Every item of one provider order, by item id; none when there is no such order."""
        return self._read_group(connection_id, order_id, consistent=False)

    def _read_group(
        self, connection_id: str, order_id: str, *, consistent: bool
    ) -> list[TrackedOrder]:
        first = item_key(OrderKey(connection_id, order_id, ""))
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=consistent,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": first["pk"]}),
        )
        return [tracked_order(from_item(item)) for page in pages for item in page["Items"]]


def is_erased(client: "DynamoDBClient", key: OrderKey, *, table_name: str) -> bool:
    """Whether the order is a tombstone by now. False for an order that doesn't exist."""
    answer = client.get_item(
        TableName=table_name,
        Key=to_item(item_key(key)),
        ConsistentRead=True,
        ProjectionExpression="erased_at",
    )
    return "erased_at" in answer.get("Item", {})


class OrdersTable(OrdersReader):
    """Orders of one connection; implements ``recording.OrderStore``."""

    def __init__(
        self, client: "DynamoDBClient", *, table_name: str, connection: Connection
    ) -> None:
        super().__init__(client, table_name=table_name)
        self._connection = connection

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        item = self._item_to_write(tracked, new)
        nobody_created_it_before_us = "attribute_not_exists(pk)"
        nobody_wrote_since_we_read = "version = :seen"
        is_new = tracked.version == 1
        condition: dict[str, Any] = {
            "ConditionExpression": nobody_created_it_before_us
            if is_new
            else nobody_wrote_since_we_read
        }
        if not is_new:
            condition["ExpressionAttributeValues"] = to_item({":seen": tracked.version - 1})
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **condition,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == _REFUSED:
                # The words of DynamoDB may quote the item.
                raise UnstorableOrder(_why_refused(error)) from None
            if code != "ConditionalCheckFailedException":
                raise
            self._see_winner(tracked, error)

    def _item_to_write(
        self, tracked: TrackedOrder, new: tuple[Announcement, ...]
    ) -> dict[str, Any]:
        try:
            return to_item(order_item(tracked, connection=self._connection, new=new))
        except (TypeError, ValueError, ArithmeticError) as error:
            raise UnstorableOrder(
                f"the order holds a value that can't be stored ({type(error).__name__})"
            ) from error

    def _see_winner(self, tracked: TrackedOrder, error: ClientError) -> None:
        winner = tracked_order(from_item(error.response["Item"]))  # type: ignore[typeddict-item]
        if winner == tracked:
            # Our own write: it succeeded, but its answer was lost and the SDK sent it again.
            return
        raise LostRace(winner) from None


def _why_refused(error: ClientError) -> str:
    said = str(error.response["Error"].get("Message", ""))
    if "Item size" in said:
        return "the order is larger than an item of DynamoDB may be, 400 KB"
    if "key" in said:
        return "the order's ids are longer than a key of DynamoDB may be"
    return "DynamoDB refused the order's item as invalid"


def order_item(
    tracked: TrackedOrder, *, connection: Connection, new: tuple[Announcement, ...]
) -> dict[str, Any]:
    """The item of an order. It has ``announce`` only if this write announces something."""
    order = tracked.order
    details = dict(order.details)
    return {
        **item_key(order.key),
        "version": tracked.version,
        "connection": order.key.connection,
        "provider": connection.provider,
        "order_id": order.key.order_id,
        "item_id": order.key.item_id,
        "status": str(order.status),
        "raw_status": order.raw_status,
        "since": format_instant(order.since),
        # Without it an erased order is in no list.
        "status_shard": None if tracked.erased_at else partition_of(order.status, order.key),
        "next_date": sortable(next_date(order, connection)),
        "expected_by": sortable(expected) if (expected := expected_by(order, connection)) else None,
        "track": track_of(order.details, connection),
        **{name: details.pop(name, None) for name in _TOP_LEVEL},
        "details": details or None,
        "timeline": timeline_items(order.timeline, order.details),
        "attention": [{"code": a.code, "text": a.text} for a in tracked.attention] or None,
        "overdue": overdue_item(tracked.overdue) if tracked.overdue else None,
        "summary": summary_item(order.summary),
        **wait_item(order.waited, order.waiting),
        **stage_item(order.raw_since, order.waited_before),
        "announced": [announcement_item(one) for one in tracked.announced] or None,
        "announced_at": sortable(tracked.announced[-1].announced_at) if tracked.announced else None,
        "announce": json.dumps([announcement_item(one) for one in new]) if new else None,
        "erased_at": format_instant(tracked.erased_at) if tracked.erased_at else None,
        "updated_at": sortable(_updated_at(tracked)),
    }


def _updated_at(tracked: TrackedOrder) -> datetime:
    """When anything about an order last became known; being overdue becomes known when it is
    marked.
    """
    marked = [tracked.overdue.marked_at] if tracked.overdue else []
    return max([*(entry.report.seen_at for entry in tracked.order.timeline), *marked])


def tracked_order(item: Mapping[str, Any]) -> TrackedOrder:
    """The order in an item."""
    key = OrderKey(item["connection"], item["order_id"], item["item_id"])
    top_level = {name: item[name] for name in _TOP_LEVEL if name in item}
    details = Details(**item.get("details", {}), **top_level)  # type: ignore[typeddict-item]
    order = Order(
        key=key,
        status=Status(item["status"]),
        raw_status=item.get("raw_status"),
        since=parse_instant(item["since"]),
        details=details,
        timeline=timeline_of(item["timeline"], key, details),
        attention=tuple(
            Attention(a["code"], a["text"])
            for a in item.get("attention", ())
            if a["code"] != OVERDUE
        ),
        summary=summary_of(item.get("summary")),
        waited=waited_of(item),
        waiting=wait_of(item),
        raw_since=instant_of(item.get("raw_since")),
        waited_before=waited_before_of(item),
    )
    return TrackedOrder(
        order=order,
        version=int(item["version"]),
        announced=tuple(announcement_of(one) for one in item.get("announced", ())),
        erased_at=instant_of(item.get("erased_at")),
        overdue=overdue_of(item["overdue"]) if "overdue" in item else None,
    )


def announcement_item(one: Announcement) -> dict[str, Any]:
    """An announcement in the form of items and messages."""
    values = {
        "sequence": one.sequence,
        "kind": str(one.kind),
        "status": str(one.status),
        "previous": one.previous and str(one.previous),
        "occurred_at": format_instant(one.occurred_at),
        "announced_at": format_instant(one.announced_at),
        "correction": one.correction or None,
        "joined": one.joined or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def announcement_of(item: Mapping[str, Any]) -> Announcement:
    """The announcement from the form that ``announcement_item`` wrote."""
    return Announcement(
        sequence=int(item["sequence"]),
        kind=Kind(item["kind"]),
        status=Status(item["status"]),
        previous=Status(item["previous"]) if "previous" in item else None,
        occurred_at=parse_instant(item["occurred_at"]),
        announced_at=parse_instant(item["announced_at"]),
        correction=item.get("correction", False),
        joined=item.get("joined", False),
    )


def announced_by(item: Mapping[str, Any]) -> list[Announced]:
    """The announcements of this write of the item, with the order as the write left it."""
    order = tracked_order(item).order
    return [
        Announced(
            key=order.key,
            provider=item["provider"],
            announcement=announcement_of(one),
            raw_status=order.raw_status,
            details=order.details,
        )
        for one in json.loads(item.get("announce", "[]"))
    ]
