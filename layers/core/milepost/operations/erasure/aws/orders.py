"""Orders of an erased customer: writes tombstones, and cancels planned actions."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from milepost.actions.action import PlannedCall, Plans
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.connections.connection import Connection
from milepost.orders.action_results import current_plan
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import OrdersReader, order_item, tracked_order
from milepost.orders.order import TrackedOrder
from milepost.orders.recording import LostRace

_NOT_OF_TOMBSTONES: Final = ("status_shard", "next_date", "expected_by", "track")
"""Without these attributes an item is in no list, and never due."""


class ErasableOrders(OrdersReader):
    """Implements ``erase.OrdersToErase``, for any connection, including removed ones."""

    def read_group(self, connection_id: str, order_id: str) -> list[TrackedOrder]:
        # Read consistently: an overlooked write would stay.
        return self._read_group(connection_id, order_id, consistent=True)

    def write_tombstone(self, tombstone: TrackedOrder) -> None:
        nobody_wrote_since_we_read = "version = :seen"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(self._tombstone_item(tombstone)),
                ConditionExpression=nobody_wrote_since_we_read,
                ExpressionAttributeValues=to_item({":seen": tombstone.version - 1}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            winner = tracked_order(from_item(item_in_the_way(error)))
            if winner != tombstone:
                raise LostRace(winner) from None

    def _tombstone_item(self, tombstone: TrackedOrder) -> dict[str, Any]:
        key = tombstone.order.key
        provider = self._client.get_item(
            TableName=self._table, Key=to_item(item_key(key)), ProjectionExpression="provider"
        )["Item"]["provider"]["S"]
        # Deadlines are not stored, so the settings that they depend on make no difference.
        bare = Connection(id=key.connection, provider=provider, base_url="")
        item = order_item(tombstone, connection=bare, new=())
        return {name: value for name, value in item.items() if name not in _NOT_OF_TOMBSTONES}


class PlannedActions:
    """Implements ``erase.Plans``."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    def planned(self, tracked: TrackedOrder) -> Sequence[str]:
        return [f"{one.order.path_id} {one.action}" for one in _calls(tracked)]

    def call_off(self, tracked: TrackedOrder) -> Sequence[str]:
        for one in _calls(tracked):
            self._plans.drop(one)
        return self.planned(tracked) if tracked.erased_at is None else ()


def _calls(tracked: TrackedOrder) -> Iterator[PlannedCall]:
    order = tracked.order
    named = (entry.report.details.get("action") for entry in order.timeline)
    for action in sorted({one for one in named if one}):
        if plan := current_plan(order, action):
            yield PlannedCall(order=order.key, action=action, key=plan.key)
