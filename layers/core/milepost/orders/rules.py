"""The rules that a provider adds to the lifecycle."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.orders.order import Attention, Order
from milepost.orders.restating import StatusReader


def nothing_to_examine(_status: Status, _details: Details) -> Iterable[Attention]:
    """For providers whose orders need no check of their own."""
    return ()


def nothing_to_wait_for(_status: Status, _details: Details) -> str | None:
    """For providers whose orders never stand still until the customer has done something."""
    return None


def nothing_to_look_at(_order: Order) -> Iterable[Attention]:
    """For rules that don't judge an order as a whole."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one provider adds to the lifecycle.

    ``continues`` and ``recovers`` map a raw status to the statuses it may be left for although it
    is terminal: the usual way on, or the taking back of a decision. ``examine`` looks at an open
    order's facts for what a person should see to. ``waits`` says what an open order waits for from
    its customer, in one word, or None; of the notes it sees those that the provider said last.
    ``event_facts`` are details that only events carry: a snapshot that leaves them out says nothing
    of them, while every other fact that it leaves out holds no more. ``examine_closed`` looks at
    the facts of an order that is closed, such as a payment that failed. ``read_status`` gives the
    canonical status of a raw one and what came with it (None: a word that isn't known); with it, a
    stored report is read as the provider's table has it now. ``look_at`` judges a whole open order.
    """

    continues: Mapping[str, frozenset[Status]] = field(default_factory=dict)
    recovers: Mapping[str, frozenset[Status]] = field(default_factory=dict)
    examine: Callable[[Status, Details], Iterable[Attention]] = nothing_to_examine
    waits: Callable[[Status, Details], str | None] = nothing_to_wait_for
    event_facts: frozenset[str] = frozenset()
    examine_closed: Callable[[Status, Details], Iterable[Attention]] = nothing_to_examine
    read_status: StatusReader | None = None
    look_at: Callable[[Order], Iterable[Attention]] = nothing_to_look_at
