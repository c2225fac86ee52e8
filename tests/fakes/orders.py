"""Orders in memory, like those in OrdersTable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from milepost.common.errors import OrdersUnavailable
from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import LostRace, OrdersRead


@dataclass
class MemoryOrders:
    """Implements ``recording.OrderStore`` and ``eligibility_facts.CurrentOrders``."""

    kept: dict[OrderKey, TrackedOrder] = field(default_factory=dict)
    written: list[tuple[TrackedOrder, tuple[Announcement, ...]]] = field(default_factory=list)
    before_write: Callable[[], None] = field(default_factory=lambda: _nothing)
    """Called once before the next write: the place where another worker gets ahead."""
    unreadable: dict[OrderKey, str] = field(default_factory=dict)
    unavailable: bool = False

    def read_all(self, keys: Sequence[OrderKey]) -> OrdersRead:
        if self.unavailable:
            raise OrdersUnavailable("OrdersTable is throttled")
        return OrdersRead(
            found={key: self.kept[key] for key in keys if key in self.kept},
            unreadable={key: self.unreadable[key] for key in keys if key in self.unreadable},
        )

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self.kept.get(key)

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        meanwhile, self.before_write = self.before_write, _nothing
        meanwhile()
        key = tracked.order.key
        known = self.kept.get(key)
        if (known.version if known else 0) != tracked.version - 1:
            if known is None:
                raise KeyError(key)
            if known == tracked:
                return
            raise LostRace(known)
        self.kept[key] = tracked
        self.written.append((tracked, new))

    @property
    def announced(self) -> list[Announcement]:
        return [one for _, new in self.written for one in new]


def _nothing() -> None:
    pass
