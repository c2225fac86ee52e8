"""Orders that are overdue now, for digests."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from milepost.common.status import Status
from milepost.orders.order import OrderKey

MOST_MENTIONED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueOrder:
    """An overdue order: its stage, and since when it is overdue."""

    key: OrderKey
    reference: str | None
    status: Status
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueNow:
    """The orders that have been overdue longest, and whether there are more."""

    orders: tuple[OverdueOrder, ...] = ()
    more: bool = False


def merged(found: Iterable[OverdueNow]) -> OverdueNow:
    """The results of several lookups as one list: each order once, those that have been overdue
    longest first.
    """
    every = tuple(found)
    orders = {order.key: order for one in every for order in one.orders}
    longest = sorted(orders.values(), key=lambda order: (order.since, order.key))
    return OverdueNow(
        orders=tuple(longest[:MOST_MENTIONED]),
        more=any(one.more for one in every) or len(longest) > MOST_MENTIONED,
    )


class OverdueOrders(Protocol):
    """Looks up overdue orders for senders."""

    def covered_by(self, subscription_id: str, *, now: datetime) -> OverdueNow:
        """Overdue orders of the subscription's connections and service types."""
        ...
