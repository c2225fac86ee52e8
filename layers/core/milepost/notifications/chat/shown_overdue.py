"""Overdue orders for digests in chats, with references that name nobody. Short: it is one rule."""

from dataclasses import dataclass, replace
from datetime import datetime

from milepost.notifications.eligibility_facts import CurrentOrders
from milepost.orders.disclosure import label_of_nobody
from milepost.orders.order import TrackedOrder
from milepost.orders.overdue_list import OverdueNow, OverdueOrder, OverdueOrders


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedOverdue:
    """Implements ``overdue_list.OverdueOrders`` for chats.

    A reference may contain the customer's name. Only the order says whether it does, so the orders
    are read: at most ``overdue_list.MOST_MENTIONED``, in one call.
    """

    overdue: OverdueOrders
    orders: CurrentOrders

    def covered_by(self, subscription_id: str, *, now: datetime) -> OverdueNow:
        """:raises OrdersUnavailable: when the orders can't be read now"""
        found = self.overdue.covered_by(subscription_id, now=now)
        if not found.orders:
            return found
        read = self.orders.read_all([one.key for one in found.orders]).found
        shown = tuple(_disclosed(one, read.get(one.key)) for one in found.orders)
        return replace(found, orders=shown)


def _disclosed(one: OverdueOrder, tracked: TrackedOrder | None) -> OverdueOrder:
    """The order with its id in place of a reference that may contain a name."""
    if tracked is None or tracked.erased_at is not None:
        return replace(one, reference=None)
    details = tracked.order.details
    return replace(one, reference=label_of_nobody(details.get("reference"), details))
