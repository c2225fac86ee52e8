"""Reads all orders of a batch in one call, instead of one call for each order."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from milepost.aws.dynamodb_batches import MOST_READ_AT_ONCE
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import AWS_FAILED
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import OrdersTable, tracked_order
from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import OrderStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ReadAhead:
    """The orders of a batch. Orders that it doesn't have are read one by one, as usual."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name
        self._known: dict[OrderKey, TrackedOrder | None] = {}

    def expect(self, keys: Iterable[OrderKey]) -> None:
        """Read these orders now, with ``read``. After an error, each order is read when it is
        needed.
        """
        with suppress(*AWS_FAILED):
            self.read(keys)

    def read(self, keys: Iterable[OrderKey]) -> None:
        """Read these orders now, replacing those that were read before. An order may be slightly
        out of date, since each write checks the version.

        :raises botocore.exceptions.ClientError: one of ``AWS_FAILED``, when they can't be read
        """
        self._known = {}
        wanted = sorted(set(keys))[:MOST_READ_AT_ONCE]
        if len(wanted) < 2:
            return
        keys_of_items: list[Any] = [to_item(item_key(key)) for key in wanted]
        asked: Any = {self._table: {"Keys": keys_of_items}}
        answer: Any = self._client.batch_get_item(RequestItems=asked)
        of_item = {tuple(item_key(key).values()): key for key in wanted}
        unread = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        for one in unread:
            del of_item[_ids_of(one)]
        known: dict[OrderKey, TrackedOrder | None] = dict.fromkeys(of_item.values())
        items = answer["Responses"][self._table]
        while items:
            # Removed from the answer, since large orders take much memory in both forms.
            item = items.pop()
            key = of_item[_ids_of(item)]
            try:
                known[key] = tracked_order(from_item(item))
            except (LookupError, TypeError, ValueError):
                # It fails by itself, when its own report is recorded.
                del known[key]
        self._known = known

    def of(self, orders: OrdersTable) -> OrderStore:
        """The orders of one connection, which are looked up here first.

        Several threads may use it, if each order is recorded by one of them.
        """
        return _AheadOrders(orders, self)

    def find(
        self, key: OrderKey, otherwise: Callable[[OrderKey], TrackedOrder | None]
    ) -> TrackedOrder | None:
        """The order as it was last read or written; if it was neither, it is read by
        ``otherwise``."""
        return self._known[key] if key in self._known else otherwise(key)

    def note(self, tracked: TrackedOrder) -> None:
        """Keep the order as it was written, since the batch may have more reports of it."""
        self._known[tracked.order.key] = tracked


def _ids_of(item: Mapping[str, Any]) -> tuple[str, ...]:
    return item["pk"]["S"], item["sk"]["S"]


class _AheadOrders:
    """Implements ``recording.OrderStore``."""

    def __init__(self, orders: OrdersTable, ahead: ReadAhead) -> None:
        self._orders = orders
        self._ahead = ahead

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self._ahead.find(key, self._orders.read)

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        self._orders.write(tracked, new=new)
        self._ahead.note(tracked)
