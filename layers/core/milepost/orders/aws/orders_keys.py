"""The primary keys of OrdersTable; no other module builds or parses them. Short: the table has one
kind of item. Keys of its index are in ``index_keys``."""

from collections.abc import Mapping
from typing import Any, Final

from milepost.orders.order import OrderKey

_ITEM: Final = "item#"


def item_key(key: OrderKey) -> dict[str, str]:
    """The primary key of an item of an order."""
    return {"pk": f"order#{key.connection}#{key.order_id}", "sk": f"{_ITEM}{key.item_id}"}


def order_of(item: Mapping[str, Any]) -> OrderKey:
    """The order whose item has this primary key.

    :raises ValueError: if it isn't one
    """
    _, connection, order_id = item["pk"].split("#", 2)
    return OrderKey(connection, order_id, item["sk"].removeprefix(_ITEM))
