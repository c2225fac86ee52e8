"""TouchedTable: marks of orders that were not recorded by a poll, until the marks expire."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.connections.connection import Connection
from milepost.orders.order import OrderKey
from milepost.polling.page_cache import KEY_BYTES, key_of
from milepost.polling.touched_orders import MARGIN, MOST_KEYS, TRUSTED_FOR, Touched

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_FOR: Final = TRUSTED_FOR + timedelta(days=1)
_KEYS_AN_ITEM: Final = 1_000
"""Maximum number of keys in one item: 16 KB of the 400 KB limit."""


class TouchedTable:
    """Implements ``touched_orders.Touched``.

    Each write is one item, with its time as sort key: a poll reads the items since the last poll.
    Items are never changed or deleted, so writers and polls don't conflict.
    """

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def mark(self, connection_id: str, order_ids: Iterable[str], *, at: datetime) -> None:
        keys = b"".join(sorted({key_of(one) for one in order_ids}))
        size = _KEYS_AN_ITEM * KEY_BYTES
        for start in range(0, len(keys), size):
            self._put(connection_id, at, {"keys": keys[start : start + size].hex()})

    def mark_all(self, connection_id: str, *, at: datetime) -> None:
        self._put(connection_id, at, {"all": True})

    def _put(self, connection_id: str, at: datetime, content: dict[str, Any]) -> None:
        item = {
            "pk": _partition(connection_id),
            "sk": f"{_sortable(at)}#{uuid4().hex[:12]}",
            "expires_at": int((at + KEPT_FOR).timestamp()),
            **content,
        }
        self._client.put_item(TableName=self._table, Item=to_item(item))

    def since(self, connection_id: str, instant: datetime) -> set[bytes] | None:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk > :since",
            ExpressionAttributeValues=to_item(
                {":pk": _partition(connection_id), ":since": _sortable(instant)}
            ),
            # A poll that starts now has to see a mark that was just written.
            ConsistentRead=True,
        )
        keys: set[bytes] = set()
        for page in pages:
            for item in map(from_item, page["Items"]):
                if item.get("all"):
                    return None
                joined = bytes.fromhex(item["keys"])
                keys.update(
                    joined[start : start + KEY_BYTES] for start in range(0, len(joined), KEY_BYTES)
                )
            if len(keys) > MOST_KEYS:
                return None
        return keys


class BatchMarks:
    """Marks the orders of one batch of deliveries, with one write per connection.

    The write comes before the first order of the connection is written; a batch without changes
    leaves no mark. For connections that aren't polled, all orders are marked at most once a minute,
    in case they are polled manually or later. Several threads may mark: no order is written before
    the mark of its connection.
    """

    EVERY: Final = MARGIN / 5

    def __init__(self, touched: Touched, *, clock: Callable[[], datetime]) -> None:
        self._touched = touched
        self._clock = clock
        self._orders: dict[str, set[str]] = {}
        self._marked_all_at: dict[str, datetime] = {}
        self._marking = Lock()

    def expect(self, keys: Iterable[OrderKey]) -> None:
        """Set the orders of this batch, replacing those of the previous batch."""
        self._orders = {}
        for key in keys:
            self._orders.setdefault(key.connection, set()).add(key.order_id)

    def mark(self, connection: Connection, *, is_replay: bool) -> None:
        """Mark the connection's orders, unless they were already marked for this batch."""
        with self._marking:
            orders = self._orders.get(connection.id)
            if not orders:
                return
            if connection.poll_minutes is not None or is_replay:
                self._touched.mark(connection.id, orders, at=self._clock())
            else:
                self._mark_all(connection.id)
            del self._orders[connection.id]

    def _mark_all(self, connection_id: str) -> None:
        now = self._clock()
        last = self._marked_all_at.get(connection_id)
        if last is None or now - last >= self.EVERY:
            self._touched.mark_all(connection_id, at=now)
            self._marked_all_at[connection_id] = now


def _partition(connection_id: str) -> str:
    return f"touched#{connection_id}"


def _sortable(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
