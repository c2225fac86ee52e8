"""Consistent reads of OrdersTable, many orders in one call."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import is_outage
from milepost.common.errors import OrdersUnavailable
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import tracked_order
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.recording import OrdersRead

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchGetItemOutputTypeDef

_FRUITLESS_ROUNDS: Final = 5
"""How often DynamoDB may return none of the requested items before the read fails."""
_FIRST_WAIT: Final = 0.05


class ConsistentOrders:
    """Implements ``eligibility_facts.CurrentOrders``."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table_name: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._table = table_name
        self._sleep = sleep

    def read_all(self, keys: Sequence[OrderKey]) -> OrdersRead:
        found: dict[OrderKey, TrackedOrder] = {}
        unreadable: dict[OrderKey, str] = {}
        wanted = {tuple(item_key(key).values()): key for key in keys}
        for item in self._get([to_item(item_key(key)) for key in keys]):
            key = wanted[item["pk"]["S"], item["sk"]["S"]]
            try:
                found[key] = tracked_order(from_item(item))
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
                # The message may quote stored data.
                unreadable[key] = type(error).__name__
        return OrdersRead(found=found, unreadable=unreadable)

    def _get(self, keys: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = []
        waiting: list[Any] = list(keys)
        fruitless = 0
        while waiting:
            answer = self._ask(waiting)
            items += answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table, {"Keys": []})["Keys"]
            fruitless = fruitless + 1 if len(left) == len(waiting) else 0
            if fruitless == _FRUITLESS_ROUNDS:
                raise OrdersUnavailable("OrdersTable is throttled")
            if fruitless:
                self._sleep(_FIRST_WAIT * 2**fruitless)
            waiting = list(left)
        return items

    def _ask(self, keys: Sequence[Mapping[str, Any]]) -> "BatchGetItemOutputTypeDef":
        request: dict[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        try:
            return self._client.batch_get_item(RequestItems=request)
        except Exception as error:
            if is_outage(error):
                raise OrdersUnavailable(type(error).__name__) from None
            raise
