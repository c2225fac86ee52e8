"""Finds the orders that an operator names, by the API's lookup."""

from cli.api import OrdersApi
from cli.errors import WrongUse


def find_orders(api: OrdersApi, text: str, *, connection: str | None) -> list[str]:
    """The API's ids of the named items: all items of an order, or one item.

    :param text: ``connection:order:item`` or ``connection:order`` (slashes do as well), the
        provider's id, a reference, or a customer's email
    :param connection: with it, ``text`` is the provider's id, whatever is in it
    :raises NoSuchThing: when there is none
    """
    found: list[str] = api.get("/order-ids", order=text, connection=connection)["orders"]
    return found


def find_one(api: OrdersApi, text: str, *, connection: str | None) -> str:
    """The id of the single named item.

    :raises NoSuchThing: when there is none
    :raises WrongUse: when it could be one of several
    """
    found = find_orders(api, text, connection=connection)
    if len(found) > 1:
        lines = "\n".join(f"  {one}" for one in found)
        raise WrongUse(f"{text} matches several orders. Which one?\n{lines}")
    return found[0]


def short_id(order_id: str) -> str:
    """The shortest text that identifies the item: without the item id, if it equals the order
    id.
    """
    group, _, item = order_id.rpartition(":")
    return group if group.rpartition(":")[2] == item else f"{group}:{item}"
