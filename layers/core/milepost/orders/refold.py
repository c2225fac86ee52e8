"""Folds every stored order again after the meaning of raw statuses has changed; notifies nobody.

A new report of an order does this as well, before it is recorded (``recording.read_again``). This
module does it at once for all orders, so that lists and filters are right.
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
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import OrderStore, fold_again, write_until_won

FIRST_PLACE: Final = "0@0"
"""Where a walk begins."""


@dataclass(frozen=True, slots=True)
class Walked:
    """An order in the index, and the position after it, from which a walk continues."""

    key: OrderKey
    place: str


class Walk(Protocol):
    """Walks through every order that appears in lists."""

    def walk(self, *, after: str | None) -> Iterator[Walked]:
        """The orders from a position on; orders at the position itself are repeated. None starts at
        the beginning.

        :raises ValueError: when the text is not a place
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Refold:
    """Folds orders again. It is safe to repeat: an order that is up to date isn't written."""

    index: Walk
    connections: Connections
    orders_of: Callable[[Connection], OrderStore]
    rules_of: Callable[[Connection], Rules]

    def read_again(self, key: OrderKey, *, now: datetime) -> bool:
        """Write one order according to the current rules; returns whether that changed it.

        :raises LostRace: after many lost races; repeat it
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
    """The next version of an order; None if it is up to date, missing or erased."""
    if before is None or before.erased_at is not None:
        return None
    after = fold_again(before, rules)
    due = overdue_at(after.order, connection)
    if after.overdue is not None and (due is None or due > now):
        after = replace(after, overdue=None)
    return None if after == before else replace(after, version=before.version + 1)
