"""Connections in memory, like the settings in Parameter Store."""

from dataclasses import dataclass, field

from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection


@dataclass
class MemoryConnections:
    """Implements ``connection.Connections``."""

    kept: dict[str, Connection] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, *connections: Connection) -> "MemoryConnections":
        return cls({one.id: one for one in connections})

    def get(self, connection_id: str) -> Connection:
        if connection_id in self.unusable:
            raise UnusableConnection(connection_id)
        try:
            return self.kept[connection_id]
        except KeyError:
            raise UnknownConnection(connection_id) from None
