"""What is overdue now, as a digest mentions it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from milepost.common.status import Status
from milepost.orders.order import OrderKey

MOST_MENTIONED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueOrder:
    """One order that is overdue, and in which stage since when."""

    key: OrderKey
    reference: str | None
    status: Status
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueNow:
    """The longest overdue orders, and whether there are more of them."""

    orders: tuple[OverdueOrder, ...] = ()
    more: bool = False


def merged(found: Iterable[OverdueNow]) -> OverdueNow:
    """What several lookups found, as one list: each order once, the longest overdue first."""
    every = tuple(found)
    orders = {order.key: order for one in every for order in one.orders}
    longest = sorted(orders.values(), key=lambda order: (order.since, order.key))
    return OverdueNow(
        orders=tuple(longest[:MOST_MENTIONED]),
        more=any(one.more for one in every) or len(longest) > MOST_MENTIONED,
    )


class OverdueOrders(Protocol):
    """Where a sender looks up what is overdue."""

    def covered_by(self, subscription_id: str, *, now: datetime) -> OverdueNow:
        """What is overdue of the connections and service types of this subscription."""
        ...
