"""Erasing a customer: their orders become tombstones, and what else names them is removed.

A tombstone keeps what happened when, so that figures stay true and a late event is answered
(``recording.Outcome.ERASED``) instead of bringing anything back.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

from milepost.order import Entry, Order, OrderKey, TrackedOrder
from milepost.recording import MOST_LOST_RACES, LostRace
from milepost.report import Customer, Details, Status

ERASED_RECIPIENT: Final = "erased"
"""What the delivery log has in place of a customer's address."""

KEPT: Final = frozenset(
    {
        *("service_type", "track", "cause", "commission"),
        *("ordered_at", "signed_at", "appointment", "fulfilment_at"),
        *("delivery_start", "delivery_end"),
        *("action", "action_key", "person", "planned_for", "acknowledged"),
    }
)
"""Details that a tombstone keeps. All others go, also those that are yet to be thought of: any text
may name somebody."""

_SHORTEST_WORD: Final = 6
"""Of numbers: shorter ones would be found in what is somebody else's."""


class Customers(Protocol):
    """Which orders are whose."""

    def orders_of_customer(self, customer_id: str) -> Sequence[OrderKey]: ...
    def forget(self, customer_id: str) -> None: ...


class Orders(Protocol):
    """Where orders are kept."""

    def read_group(self, connection_id: str, order_id: str) -> Sequence[TrackedOrder]: ...

    def bury(self, tombstone: TrackedOrder) -> None:
        """Keep it in place of the version before it; it announces nothing.

        :raises LostRace: when the version kept is not the one before
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is erased: their orders, and the words by which they are found in what can't be read."""

    orders: frozenset[OrderKey]
    words: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def groups(self) -> frozenset[tuple[str, str]]:
        """Connection and id of each provider order."""
        return frozenset((key.connection, key.order_id) for key in self.orders)

    @property
    def connections(self) -> frozenset[str]:
        return frozenset(key.connection for key in self.orders)

    def is_named_in(self, raw: bytes) -> bool:
        """Whether one of the words stands there, whole and however it is capitalised."""
        if not self.words:
            return False
        forms = {form for word in self.words for form in (word, json.dumps(word)[1:-1])}
        found = "|".join(re.escape(form) for form in sorted(forms))
        pattern = rf"(?<![\w-])(?:{found})(?![\w-])"
        return re.search(pattern, raw.decode(errors="replace"), re.IGNORECASE) is not None


class Trace(Protocol):
    """A place that may hold something of a customer."""

    name: str

    def erase(self, subject: Subject) -> int:
        """Remove it; how many were removed.

        :raises InOtherHands: when a part of it can't be looked at just now
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure came to; ``traces`` counts what was removed, by place."""

    orders: int
    traces: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erases customers. Done again, also after it broke off, it finishes what is left.

    What is found by words alone goes before the orders, which know the words; what is found by the
    orders' keys goes after them, when nothing can be told of them any more.
    """

    customers: Customers
    orders: Orders
    found_by_words: Sequence[Trace]
    found_by_order: Sequence[Trace]

    def erase(self, customer_id: str, *, now: datetime) -> Erased:
        """Erase every order of a customer, and all else of them. Nobody is told.

        :raises LostRace: when others write an order again and again; ask once more
        :raises InOtherHands: when somebody is looking at dead letters; ask once more in a minute
        """
        groups = {
            (key.connection, key.order_id) for key in self.customers.orders_of_customer(customer_id)
        }
        found = [one for group in sorted(groups) for one in self.orders.read_group(*group)]
        subject = subject_of(found, groups)
        counts = {one.name: one.erase(subject) for one in self.found_by_words}
        buried = sum(self._bury(one, now) for one in found)
        counts |= {one.name: one.erase(subject) for one in self.found_by_order}
        self.customers.forget(customer_id)
        return Erased(orders=buried, traces=counts)

    def _bury(self, tracked: TrackedOrder, now: datetime) -> bool:
        for attempt in range(MOST_LOST_RACES + 1):
            if tracked.erased_at is not None:
                return False
            try:
                self.orders.bury(tombstone_of(tracked, at=now))
            except LostRace as race:
                if attempt == MOST_LOST_RACES:
                    raise
                tracked = race.winner
            else:
                return True
        raise AssertionError("the loop returns or raises")


def subject_of(found: Iterable[TrackedOrder], groups: Iterable[tuple[str, str]]) -> Subject:
    """Who is erased, with every email, number and order id that their orders name."""
    orders = list(found)
    words = {word for one in orders for said in _details(one.order) for word in _words(said)}
    return Subject(
        orders=frozenset(one.order.key for one in orders),
        words=frozenset(words | {order_id for _, order_id in groups}),
    )


def tombstone_of(tracked: TrackedOrder, *, at: datetime) -> TrackedOrder:
    """The order without anything of its customer: status, dates, and what moved it when."""
    order = tracked.order
    bare = replace(
        order,
        raw_status=None if order.status is Status.UNKNOWN else order.raw_status,
        details=_bare(order.details),
        timeline=tuple(_bare_entry(entry) for entry in order.timeline),
        attention=(),
        waiting=None,
        summary=order.summary and replace(order.summary, details=_bare(order.summary.details)),
    )
    return replace(tracked, order=bare, version=tracked.version + 1, erased_at=at, overdue=None)


def _bare_entry(entry: Entry) -> Entry:
    report = entry.report
    # A raw status that no table knows is any text; one that is known is one of a few words.
    raw = None if report.has_unknown_status else report.raw_status
    return replace(entry, report=replace(report, raw_status=raw, details=_bare(report.details)))


def _bare(details: Details) -> Details:
    kept = {name: value for name, value in details.items() if name in KEPT}
    bare: Details = Details(**kept)  # type: ignore[typeddict-item]
    return bare


def _details(order: Order) -> Iterator[Details]:
    yield order.details
    yield from (entry.report.details for entry in order.timeline)
    if order.summary:
        yield order.summary.details


def _words(details: Details) -> Iterator[str]:
    customer: Customer = details.get("customer", {})
    if email := customer.get("email"):
        yield email
    numbers = (customer.get("phone"), customer.get("number"), details.get("reference"))
    yield from (word for word in numbers if word and len(word) >= _SHORTEST_WORD)
