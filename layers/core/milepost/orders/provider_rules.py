"""The rules that a provider adds to the lifecycle."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.orders.order import Attention, Order
from milepost.orders.status_remapping import StatusReader


def nothing_to_examine(_status: Status, _details: Details) -> Iterable[Attention]:
    """No reasons: for providers whose orders need no check of their own."""
    return ()


def nothing_to_wait_for(_status: Status, _details: Details) -> str | None:
    """No wait: for providers whose orders never wait for the customer."""
    return None


def nothing_to_look_at(_order: Order) -> Iterable[Attention]:
    """No reasons: for rules that don't judge an order as a whole."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules that one provider adds to the lifecycle.

    ``continues`` and ``recovers`` map a terminal raw status to the statuses that may follow it: as
    the usual continuation, or because a decision was taken back. ``examine`` finds reasons for
    attention in the facts of an open order, ``examine_closed`` in those of a closed order, such as
    a payment that failed; ``look_at`` finds them in a whole open order. ``waits`` gives in one word
    what an open order waits for from its customer, or None; it gets only the latest notes.
    ``event_facts`` are details that only events carry: if a snapshot leaves them out, they stay
    valid, while every other fact that it leaves out does not. ``read_status`` gives the canonical
    status for a raw status and its details (None: an unknown word); stored reports are read again
    with it, so that they follow the provider's present table.
    """

    continues: Mapping[str, frozenset[Status]] = field(default_factory=dict)
    recovers: Mapping[str, frozenset[Status]] = field(default_factory=dict)
    examine: Callable[[Status, Details], Iterable[Attention]] = nothing_to_examine
    waits: Callable[[Status, Details], str | None] = nothing_to_wait_for
    event_facts: frozenset[str] = frozenset()
    examine_closed: Callable[[Status, Details], Iterable[Attention]] = nothing_to_examine
    read_status: StatusReader | None = None
    look_at: Callable[[Order], Iterable[Attention]] = nothing_to_look_at
