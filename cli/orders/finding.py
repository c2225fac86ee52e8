"""Which orders an operator means, however they are named."""

from collections.abc import Iterator
from typing import Final

from cli.api import NoSuchThing, OrdersApi
from cli.faults import CannotDo, WrongUse
from milepost.order import BadOrderId, OrderKey

_MOST_FOUND: Final = 20
_PARTS_OF_ORDER: Final = 3
_PARTS_OF_GROUP: Final = 2


def find_orders(api: OrdersApi, text: str, *, connection: str | None) -> list[str]:
    """The API's ids of the items that are meant: a whole order, or one item of it.

    :param text: ``connection:order:item`` or ``connection:order`` (slashes do as well), the
        provider's id, a reference, or a customer's email
    :param connection: with it, ``text`` is the provider's id, whatever stands in it
    :raises NoSuchThing: when there is none
    """
    if connection is not None:
        return _items_of_group(api, _group_id(connection, text))
    found = list(_by_id(api, text)) or list(_by_provider_id(api, text)) or _by_search(api, text)
    if not found:
        raise NoSuchThing(
            f"There is no order {text}: no such id at any connection, and no such reference."
        )
    return found


def find_one(api: OrdersApi, text: str, *, connection: str | None) -> str:
    """The id of the one item that is meant.

    :raises WrongUse: when it could be one of several
    """
    found = find_orders(api, text, connection=connection)
    if len(found) > 1:
        lines = "\n".join(f"  {one}" for one in found)
        raise WrongUse(f"{text} names several. Which one?\n{lines}")
    return found[0]


def short_id(order_id: str) -> str:
    """The shortest text that names it: without the item, where that is called as the order."""
    group, _, item = order_id.rpartition(":")
    return group if group.rpartition(":")[2] == item else f"{group}:{item}"


def _by_id(api: OrdersApi, text: str) -> Iterator[str]:
    parts = text.replace("/", ":").split(":")
    try:
        if len(parts) == _PARTS_OF_ORDER:
            yield str(api.get(f"/orders/{OrderKey.parse(text).path_id}")["id"])
        elif len(parts) == _PARTS_OF_GROUP:
            key = OrderKey.parse(f"{text}:-")
            yield from _items_of_group(api, _group_id(key.connection, key.order_id))
    except (NoSuchThing, BadOrderId):
        # A reference may look like an id.
        return


def _by_provider_id(api: OrdersApi, text: str) -> Iterator[str]:
    if "@" in text:
        return
    for connection in api.get("/connections")["items"]:
        try:
            yield from _items_of_group(api, _group_id(connection["id"], text))
        except NoSuchThing:
            continue


def _by_search(api: OrdersApi, text: str) -> list[str]:
    found = api.get("/orders", q=text, limit=_MOST_FOUND)
    if found["next"] is not None:
        raise CannotDo(f"{text} is found in more than {_MOST_FOUND} orders: name more of it.")
    return [str(one["id"]) for one in found["orders"]]


def _items_of_group(api: OrdersApi, group_id: str) -> list[str]:
    return [str(item["id"]) for item in api.get(f"/groups/{group_id}")["items"]]


def _group_id(connection: str, order_id: str) -> str:
    return OrderKey(connection, order_id, "-").path_id.rpartition(":")[0]
