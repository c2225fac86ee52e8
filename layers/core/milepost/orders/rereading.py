"""Reading every stored order again, after what raw statuses mean has changed. Nobody is notified.

Until an order has been read again, whatever is reported of it reads it as it should be first
(``recording.read_again``); this brings what lists and filters show in line at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from milepost.connections.connection import (
    Connection,
    Connections,
    UnknownConnection,
    UnusableConnection,
)
from milepost.orders.deadlines import overdue_at
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.recording import OrderStore, fold_again, write_until_won
from milepost.orders.rules import Rules

FIRST_PLACE: Final = "0@0"
"""Where a walk begins."""


@dataclass(frozen=True, slots=True)
class Walked:
    """An order of the index, and the place after which a walk goes on behind it."""

    key: OrderKey
    place: str


class Walk(Protocol):
    """Every order that is in some list."""

    def walk(self, *, after: str | None) -> Iterator[Walked]:
        """From this place on, the orders of its very place once more; None: from the beginning.

        :raises ValueError: when it is no place
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """Reads orders again. Safe to repeat: what is as it should be isn't written."""

    index: Walk
    connections: Connections
    orders_of: Callable[[Connection], OrderStore]
    rules_of: Callable[[Connection], Rules]

    def read_again(self, key: OrderKey, *, now: datetime) -> bool:
        """Write one order as it is to be read now; whether it was another one before.

        :raises LostRace: after many; repeat it
        """
        try:
            connection = self.connections.get(key.connection)
        except (UnknownConnection, UnusableConnection):
            return False
        orders, rules = self.orders_of(connection), self.rules_of(connection)

        def attempt(before: TrackedOrder | None) -> bool:
            after = _as_it_should_be(before, connection, rules, now=now)
            if after is None:
                return False
            orders.write(after, new=())
            return True

        return write_until_won(attempt, orders.read(key))


def _as_it_should_be(
    before: TrackedOrder | None, connection: Connection, rules: Rules, *, now: datetime
) -> TrackedOrder | None:
    """The next version of an order; None when it is as it should be, gone, or erased."""
    if before is None or before.erased_at is not None:
        return None
    after = fold_again(before, rules)
    due = overdue_at(after.order, connection)
    if after.overdue is not None and (due is None or due > now):
        after = replace(after, overdue=None)
    return None if after == before else replace(after, version=before.version + 1)
