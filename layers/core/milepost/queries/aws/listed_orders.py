"""Orders in the form of lists: read from an item of the index, or from the orders themselves."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_batches import MOST_READ_AT_ONCE, get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status
from milepost.common.timestamps import if_in_range
from milepost.orders.aws.items import last_seen, wait_of
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.order import Attention, OrderKey
from milepost.queries.order_list import LISTED_FACTS, Listed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_AT_ONCE: Final = 8
"""Number of parallel requests."""
_OF_THE_INDEX: Final = (
    "connection",
    "provider",
    "order_id",
    "item_id",
    "status",
    "raw_status",
    "since",
    "next_date",
    "reference",
    "service_type",
    "appointment",
    "attention",
    "waiting",
    "waiting_since",
)
_FACTS: Final = ("connection", "order_id", "item_id", "updated_at", "raw_since")
_EARLIER: Final = ("connection", "order_id", "item_id", "timeline")
"""For an order that was written before ``updated_at`` was stored."""


class ListedOrders:
    """Reads orders, a hundred at a time."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def look_up(self, keys: Sequence[OrderKey]) -> list[Listed]:
        """These orders with their facts, without deleted ones, in any order."""
        names = dict.fromkeys((*_OF_THE_INDEX, *_FACTS))
        items = list(self._get(keys, [*names], details=LISTED_FACTS))
        # The search index may still name an order that was erased: a tombstone is in no list.
        listed = [item for item in items if "next_date" in item]
        return self._dated([_with_facts(listed_order(item), item) for item in listed])

    def with_facts(self, orders: Sequence[Listed]) -> list[Listed]:
        """The same orders with their facts; orders that were deleted in the meantime have none."""
        items = self._get([one.key for one in orders], _FACTS, details=LISTED_FACTS)
        found = {_key(item): item for item in items}
        return self._dated(
            [_with_facts(one, found[one.key]) if one.key in found else one for one in orders]
        )

    def _dated(self, orders: list[Listed]) -> list[Listed]:
        """The same orders; for orders without ``updated_at``, it is read from their timeline."""
        undated = [one.key for one in orders if one.updated_at is None]
        if not undated:
            return orders
        earlier = {_key(item): last_seen(item) for item in self._get(undated, _EARLIER)}
        return [
            replace(one, updated_at=earlier[one.key]) if one.key in earlier else one
            for one in orders
        ]

    def _get(
        self, keys: Iterable[OrderKey], names: Sequence[str], *, details: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """These attributes of orders, without deleted ones, in any order."""
        wanted = [to_item(item_key(key)) for key in dict.fromkeys(keys)]
        together = [
            wanted[i : i + MOST_READ_AT_ONCE] for i in range(0, len(wanted), MOST_READ_AT_ONCE)
        ]
        inner = [f"#details.#{name}" for name in details]
        request = {
            "ProjectionExpression": ", ".join([*(f"#{name}" for name in names), *inner]),
            "ExpressionAttributeNames": {
                f"#{name}": name for name in (*names, *details, *(["details"] if details else []))
            },
        }
        if len(together) < 2:
            return [one for keys in together for one in self._batch(keys, request)]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            read = readers.map(lambda keys: self._batch(keys, request), together)
            return [one for items in read for one in items]

    def _batch(self, keys: list[Any], request: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [from_item(item) for item in get_items(self._client, self._table, keys, **request)]


def _with_facts(one: Listed, item: Mapping[str, Any]) -> Listed:
    return replace(
        one,
        facts=item.get("details", {}),
        updated_at=item.get("updated_at"),
        raw_since=item.get("raw_since"),
    )


def listed_order(item: Mapping[str, Any]) -> Listed:
    """The order in an item of the index, or of the table."""
    return Listed(
        key=_key(item),
        provider=item["provider"],
        status=Status(item["status"]),
        raw_status=item.get("raw_status"),
        since=item["since"],
        next_date=item["next_date"],
        reference=item.get("reference"),
        service_type=item.get("service_type"),
        appointment=if_in_range(item.get("appointment")),
        attention=_attention(item.get("attention", ())),
        waiting=wait_of(item),
    )


def _attention(reasons: Iterable[Mapping[str, str]]) -> tuple[Attention, ...]:
    return tuple(Attention(one["code"], one["text"]) for one in reasons)


def _key(item: Mapping[str, Any]) -> OrderKey:
    return OrderKey(item["connection"], item["order_id"], item["item_id"])
