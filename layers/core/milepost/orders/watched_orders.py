"""What the index shows of an order. Short: the watches and the index share it."""

from dataclasses import dataclass
from datetime import datetime

from milepost.common.status import Status
from milepost.orders.order import OrderKey, Overdue


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An open order whose next date is past, as the index shows it."""

    key: OrderKey
    status: Status
    appointment: str | None = None
    overdue: Overdue | None = None
    is_acknowledged: bool = False
    """Whether it has the mark, and a person has acknowledged it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """An order and its next date, as the index shows them."""

    key: OrderKey
    date: datetime
    appointment: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class LastAnnounced:
    """When something was last announced of an order, as the index shows it."""

    at: datetime
    key: OrderKey
