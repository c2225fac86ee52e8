"""The destinations of orders that a poll finds: the stored orders, and the quarantine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from milepost.common.side_by_side import SideBySide, in_turn
from milepost.orders.order import OrderKey
from milepost.orders.report import Report
from milepost.providers.base import Json

MOST_UNAVAILABLE: Final = 3
"""After how many orders in a row that can't be written now no further one is tried, and after how
many items of an order no further item. A single one may be written by many others at this time."""


class StoreUnavailable(Exception):
    """No order can be read or written now: the poll fails, and no order is quarantined."""


class Record(Protocol):
    """Records a report, with or without notifications; True if that changed its order.

    :raises LostRace: when too many other writers change the order
    :raises StoreUnavailable: when this order can't be written now, and perhaps no other

    Any other exception concerns only this order.
    """

    def __call__(self, report: Report, /, *, announce: bool) -> bool: ...


def look_at_nothing(_order: Json, _reports: Sequence[Report]) -> None:
    """For polls that don't compare orders with earlier versions."""


def expect_nothing(_keys: Sequence[OrderKey]) -> None:
    """For polls that read each order when it is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinks:
    """The destinations of orders that a poll finds."""

    record: Record
    """May be called for several orders at a time, if ``side_by_side`` does so."""
    expect: Callable[[Sequence[OrderKey]], None] = expect_nothing
    """Reads the orders that are recorded next. Raises ``StoreUnavailable`` when no order can be
    read now; after any other exception, each is read when it is recorded."""
    side_by_side: SideBySide = in_turn
    """Runs tasks, each of which records one order."""
    look: Callable[[Json, Sequence[Report]], None] = look_at_nothing
    """Compares an order, as the provider wrote it, with earlier ones. It doesn't raise."""
    quarantine: Callable[[bytes, str], None]
    """Quarantines an order that could not be read or recorded, unchanged, with the reason."""
