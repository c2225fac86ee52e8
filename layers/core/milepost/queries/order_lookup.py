"""Looks up orders by Milepost's id, the provider's id, or a reference."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from milepost.orders.order import BadOrderId, OrderKey, TrackedOrder
from milepost.orders.search_terms import search_text

_PARTS_OF_ORDER: Final = 2


class UnknownOrder(LookupError):
    """No order has this id or reference; the message says what was searched for."""


class AmbiguousOrder(LookupError):
    """The text matches several orders; ``found`` are their keys."""

    def __init__(self, text: str, found: Sequence[OrderKey]) -> None:
        listed = ", ".join(key.path_id for key in found)
        super().__init__(f"{text} matches several orders: {listed}")
        self.found = found


class Orders(Protocol):
    """Reads orders of any connection."""

    def read(self, key: OrderKey) -> TrackedOrder | None: ...
    def read_group(self, connection_id: str, order_id: str) -> Sequence[TrackedOrder]: ...


class Search(Protocol):
    """Finds orders by the values that people know."""

    def find_by_reference(self, text: str, *, connections: Iterable[str]) -> list[OrderKey]: ...
    def find_by_email(self, email: str) -> list[OrderKey]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLookup:
    """Finds the orders that a text names. The first of these that exists is used: one item
    (``connection:order:item``), the items of one order (``connection:order``; slashes are
    equivalent), the provider's id at any connection, a whole reference, or a customer's whole email
    address. If none of them exists, surrounding white space, as added by copying, is ignored.
    """

    orders: Orders
    search: Search
    connections: Iterable[str]

    def find(self, text: str, *, connection: str | None = None) -> list[OrderKey]:
        """All items that match.

        :param connection: with it, ``text`` is the provider's id, whatever characters it has
        :raises UnknownOrder: when there is none
        """
        if connection is not None:
            found = self._of_provider(connection, text)
        else:
            found = self._named(text)
            if not found and text.strip() not in ("", text):
                found = self._named(text.strip())
        if not found:
            where = f"at {connection}" if connection is not None else "at any connection"
            raise UnknownOrder(
                f"there is no order {text}: no such id {where}, and no such reference"
            )
        return found

    def find_one(self, text: str) -> OrderKey:
        """The single item that matches.

        :raises UnknownOrder: when there is none
        :raises AmbiguousOrder: when there are several
        """
        found = self.find(text)
        if len(found) > 1:
            raise AmbiguousOrder(text, found)
        return found[0]

    def _named(self, text: str) -> list[OrderKey]:
        return self._by_id(text) or self._by_provider_id(text) or self._by_search(text)

    def _by_id(self, text: str) -> list[OrderKey]:
        try:
            key = OrderKey.parse(text)
        except BadOrderId:
            return list(self._by_order_id(text))
        return [key] if self.orders.read(key) is not None else []

    def _by_order_id(self, text: str) -> Iterator[OrderKey]:
        if len(text.replace("/", ":").split(":")) != _PARTS_OF_ORDER:
            return
        try:
            key = OrderKey.parse(f"{text}:-")
        except BadOrderId:
            return
        yield from self._of_provider(key.connection, key.order_id)

    def _by_provider_id(self, text: str) -> list[OrderKey]:
        if "@" in text:
            return []
        return [key for one in sorted(self.connections) for key in self._of_provider(one, text)]

    def _of_provider(self, connection: str, order_id: str) -> list[OrderKey]:
        return [one.order.key for one in self.orders.read_group(connection, order_id)]

    def _by_search(self, text: str) -> list[OrderKey]:
        if "@" in text:
            return self.search.find_by_email(text)
        # The search finds beginnings too. Only a whole reference names an order: an action on
        # PP-1 must not be run on PP-12.
        begun = self.search.find_by_reference(text, connections=self.connections)
        return [key for key in begun if self._has_reference(key, search_text(text))]

    def _has_reference(self, key: OrderKey, wanted: str) -> bool:
        tracked = self.orders.read(key)
        reference = tracked.order.details.get("reference") if tracked else None
        return reference is not None and search_text(reference) == wanted
