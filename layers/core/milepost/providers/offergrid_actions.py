"""Offergrid's action on an order: cancel. Short: each adapter's actions have a module."""

from collections.abc import Mapping
from typing import Final

from milepost.orders.lifecycle import OPEN
from milepost.orders.order import Order as TrackedItem
from milepost.providers.base import Call, Json, ProviderAction
from milepost.providers.envelopes import one_segment


def _cancel(item: TrackedItem, arguments: Json) -> Call:
    """Cancels only this item: other items of the order have other suppliers and continue."""
    path = f"/reseller/orders/{one_segment(item.key.order_id)}/cancel"
    body = {"itemId": item.key.item_id, **arguments}
    return Call(method="PATCH", path=path, body=body)


ACTIONS: Final[Mapping[str, ProviderAction]] = {
    "cancel": ProviderAction(
        statuses=OPEN, make_call=_cancel, arguments=frozenset({"reason"}), is_final=True
    ),
}
"""Source: Offergrid's reseller API, ``PATCH /reseller/orders/{id}/cancel``. The project defined
that an item can be cancelled by itself and in any open status (docs/providers/offergrid.md)."""
