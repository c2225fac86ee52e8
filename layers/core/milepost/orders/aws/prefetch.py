"""Reads all orders of a batch in one call instead of one call each."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from milepost.aws.dynamodb_batches import MOST_READ_AT_ONCE
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import AWS_FAILED
from milepost.orders.aws.table import OrdersTable, key_of, tracked_order
from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import OrderStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ReadAhead:
    """What is known of a batch's orders. What it can't say is read one by one, as usual."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name
        self._known: dict[OrderKey, TrackedOrder | None] = {}

    def expect(self, keys: Iterable[OrderKey]) -> None:
        """Read these orders now. An order may be a little out of date, since a write checks."""
        wanted = sorted(set(keys))[:MOST_READ_AT_ONCE]
        if len(wanted) < 2:
            return
        keys_of_items: list[Any] = [to_item(key_of(key)) for key in wanted]
        try:
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": keys_of_items}}
            )
        except AWS_FAILED:
            return
        if answer.get("UnprocessedKeys"):
            return
        known: dict[OrderKey, TrackedOrder | None] = dict.fromkeys(wanted)
        of_item = {tuple(key_of(key).values()): key for key in wanted}
        for item in answer["Responses"][self._table]:
            key = of_item[item["pk"]["S"], item["sk"]["S"]]
            try:
                known[key] = tracked_order(from_item(item))
            except (LookupError, TypeError, ValueError):
                # It fails by itself, when its own message is taken.
                del known[key]
        self._known = known

    def of(self, orders: OrdersTable) -> OrderStore:
        """The orders of one connection, which look here first."""
        return _AheadOrders(orders, self._known)


class _AheadOrders:
    """Implements ``recording.OrderStore``."""

    def __init__(self, orders: OrdersTable, known: dict[OrderKey, TrackedOrder | None]) -> None:
        self._orders = orders
        self._known = known

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self._known[key] if key in self._known else self._orders.read(key)

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        self._orders.write(tracked, new=new)
        # The batch may have more to say of this order.
        self._known[tracked.order.key] = tracked
