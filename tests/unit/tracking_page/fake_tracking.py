"""Fakes of the data that the tracking page reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from milepost.connections.connection import Connection, TrackingPage, UnknownConnection
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.tracking_page.link import NEVER_REVOKED


@dataclass(frozen=True)
class FixedKeys:
    """Keys that never change."""

    found: Sequence[bytes]

    def keys(self) -> Sequence[bytes]:
        return self.found


@dataclass(frozen=True)
class Versions:
    """Versions of links in memory."""

    by_order: dict[OrderKey, int] = field(default_factory=dict)

    def current(self, key: OrderKey) -> int:
        return self.by_order.get(key, NEVER_REVOKED)

    def revoke(self, key: OrderKey, *, at: datetime) -> None:
        self.by_order[key] = round(at.timestamp() * 1_000)


@dataclass(frozen=True)
class StoredOrders:
    """Orders in memory; ``read_keys`` are the requested ones."""

    by_key: Mapping[OrderKey, TrackedOrder]
    read_keys: list[OrderKey] = field(default_factory=list)

    def read(self, key: OrderKey) -> TrackedOrder | None:
        self.read_keys.append(key)
        return self.by_key.get(key)


@dataclass(frozen=True)
class Applied:
    """Connections in memory."""

    by_id: Mapping[str, Connection]

    def get(self, connection_id: str) -> Connection:
        try:
            return self.by_id[connection_id]
        except KeyError:
            raise UnknownConnection(connection_id) from None


def with_tracking(connection: Connection, page: TrackingPage | None = None) -> Connection:
    """The connection with a tracking page."""
    return replace(connection, tracking=page or TrackingPage())
