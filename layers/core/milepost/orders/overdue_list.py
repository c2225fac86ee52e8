"""Orders that are overdue now, as digests list them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from milepost.common.status import Status
from milepost.orders.order import OrderKey

MOST_MENTIONED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueOrder:
    """An overdue order: its stage, and since when."""

    key: OrderKey
    reference: str | None
    status: Status
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueNow:
    """The longest overdue orders, and whether there are more."""

    orders: tuple[OverdueOrder, ...] = ()
    more: bool = False


def merged(found: Iterable[OverdueNow]) -> OverdueNow:
    """The results of several lookups as one list: each order once, the longest overdue first."""
    every = tuple(found)
    orders = {order.key: order for one in every for order in one.orders}
    longest = sorted(orders.values(), key=lambda order: (order.since, order.key))
    return OverdueNow(
        orders=tuple(longest[:MOST_MENTIONED]),
        more=any(one.more for one in every) or len(longest) > MOST_MENTIONED,
    )


class OverdueOrders(Protocol):
    """Where senders look up overdue orders."""

    def covered_by(self, subscription_id: str, *, now: datetime) -> OverdueNow:
        """Overdue orders of the connections and service types of this subscription."""
        ...
