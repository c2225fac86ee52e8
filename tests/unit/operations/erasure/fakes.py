"""Orders and customers in memory, for tests of an erasure."""

from collections.abc import Sequence
from dataclasses import dataclass

from milepost.orders.order import OrderKey, TrackedOrder
from tests.fakes.orders import MemoryOrders


@dataclass
class Graves(MemoryOrders):
    """Implements ``erase.OrdersToErase``."""

    def read_group(self, connection_id: str, order_id: str) -> Sequence[TrackedOrder]:
        group = (connection_id, order_id)
        return [one for key, one in self.kept.items() if (key.connection, key.order_id) == group]

    def write_tombstone(self, tombstone: TrackedOrder) -> None:
        self.write(tombstone, new=())


@dataclass
class Customers:
    """Implements ``find_orders.Customers``."""

    known: dict[str, list[OrderKey]]

    def orders_of_customer(self, customer_id: str) -> list[OrderKey]:
        return list(self.known.get(customer_id, []))

    def forget(self, customer_id: str, key: OrderKey) -> None:
        self.known[customer_id].remove(key)
