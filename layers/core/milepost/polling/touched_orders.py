"""Marks that an order was recorded by another way than a poll, so that the next poll looks at it.

A poll skips what it has seen before. That is right only as long as nobody else has recorded
something for the order meanwhile: a webhook, a refresh, an action or a replay. Each of them leaves
a mark before it writes the order. Marks are never removed, they expire: a poll reads those since
the last one, and some minutes more (``MARGIN``), so that none is lost between a mark and its write.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import OrderStore

MARGIN: Final = timedelta(minutes=5)
"""How much longer ago than the last poll's beginning marks are read: longer than any function
other than a poll runs, which leaves its mark before it writes, and than clocks differ."""
TRUSTED_FOR: Final = timedelta(days=7)
"""After how long a poll's memory is not trusted any more; marks expire after that."""
MOST_KEYS: Final = 100_000
"""Marked orders of one connection between two polls, beyond which it looks at every order."""


class Touched(Protocol):
    """The marks of all connections."""

    def mark(self, connection_id: str, order_ids: Iterable[str], *, at: datetime) -> None:
        """Have the next poll look at these orders of a provider."""
        ...

    def mark_all(self, connection_id: str, *, at: datetime) -> None:
        """Have the next poll look at every order of this connection."""
        ...

    def since(self, connection_id: str, instant: datetime) -> set[bytes] | None:
        """Keys (``page_cache.key_of``) of the orders marked after this time; None for all
        orders."""
        ...


class MarkedOrders:
    """Orders that are marked before they are written. Implements ``recording.OrderStore``."""

    def __init__(self, orders: OrderStore, *, mark: Callable[[OrderKey], None]) -> None:
        self._orders = orders
        self._mark = mark

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self._orders.read(key)

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        self._mark(tracked.order.key)
        self._orders.write(tracked, new=new)
