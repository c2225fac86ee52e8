"""Touched orders: marks of orders that were not recorded by a poll, so the next poll reads them.

A poll skips what it has seen before. That is only right if nothing else has recorded the order
meanwhile: a webhook, a refresh, an action or a replay. Each of them writes a mark before it writes
the order. Marks are never deleted, they expire: a poll reads the marks since the last poll, and
some minutes more (``MARGIN``), so that none is missed between a mark and its write.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import OrderStore

MARGIN: Final = timedelta(minutes=5)
"""How far before the start of the last poll marks are read. This is longer than any other function
may run between its mark and its write, and longer than clocks differ."""
TRUSTED_FOR: Final = timedelta(days=7)
"""How long the page cache is trusted; marks expire later than that."""
MOST_KEYS: Final = 100_000
"""Maximum number of marked orders of one connection between two polls; beyond it, every order is
read."""


class Touched(Protocol):
    """The marks of all connections."""

    def mark(self, connection_id: str, order_ids: Iterable[str], *, at: datetime) -> None:
        """Make the next poll read these orders of a connection."""
        ...

    def mark_all(self, connection_id: str, *, at: datetime) -> None:
        """Make the next poll read every order of this connection again."""
        ...

    def since(self, connection_id: str, instant: datetime) -> set[bytes] | None:
        """Keys (``page_cache.key_of``) of the orders marked after this time; None for all
        orders."""
        ...


class MarkedOrders:
    """Marks orders before they are written. Implements ``recording.OrderStore``."""

    def __init__(self, orders: OrderStore, *, mark: Callable[[OrderKey], None]) -> None:
        self._orders = orders
        self._mark = mark

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self._orders.read(key)

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        self._mark(tracked.order.key)
        self._orders.write(tracked, new=new)
