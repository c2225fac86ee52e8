"""Orders and customers in memory, for tests of an erasure."""

from collections.abc import Sequence
from dataclasses import dataclass

from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.search_terms import phone_part
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
        """Like the index: an entry of a phone number is found with any name."""
        ids = [one for one in self.known if phone_part(one) == phone_part(customer_id)]
        return [key for one in ids for key in self.known[one]]

    def forget(self, customer_id: str, key: OrderKey) -> None:
        for one, keys in self.known.items():
            if phone_part(one) == phone_part(customer_id) and key in keys:
                keys.remove(key)
