"""Orders as the index returns them. Short: the watches and the index share it."""

from dataclasses import dataclass
from datetime import datetime

from milepost.common.status import Status
from milepost.orders.order import OrderKey, Overdue


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDueOrder:
    """An open order whose next date has passed, as the index returns it."""

    key: OrderKey
    status: Status
    appointment: str | None = None
    overdue: Overdue | None = None
    is_acknowledged: bool = False
    """Whether it has the overdue mark and a person has acknowledged it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """An order and its next date, as the index returns them."""

    key: OrderKey
    date: datetime
    appointment: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class LastAnnounced:
    """The time of an order's last announcement, as the index returns it."""

    at: datetime
    key: OrderKey
