"""A scan of OrdersTable, page by page. Short: apart from the table, which is never scanned."""

from typing import TYPE_CHECKING, Any

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import tracked_order
from milepost.orders.order import OrderKey, TrackedOrder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class OrderPages:
    """Scans the whole table. A page consumes read units according to the size of its orders."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def read(
        self, *, after: OrderKey | None, limit: int
    ) -> tuple[list[TrackedOrder], OrderKey | None]:
        """Some orders, in no particular order, and the key after which to continue; None at the
        table's end.
        """
        start: dict[str, Any] = {"ExclusiveStartKey": to_item(item_key(after))} if after else {}
        answer = self._client.scan(TableName=self._table, Limit=limit, **start)
        orders = [tracked_order(from_item(item)) for item in answer["Items"]]
        return orders, orders[-1].order.key if "LastEvaluatedKey" in answer else None
