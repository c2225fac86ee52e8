"""Finds a customer's orders: by id, and by the identifiers in those orders."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from milepost.operations.erasure.subject import is_same_person
from milepost.orders.details import Customer
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.search_terms import (
    email_ids,
    name_key,
    number_id,
    phone_ids,
    phone_part,
)

MOST_IDS: Final = 50
"""Maximum number of ids of one customer by which orders are searched."""

ANOTHER_CUSTOMER: Final = "it named them before, but has another customer now"
FORMER_ADDRESS: Final = (
    "its customer has an address that one of their orders had before, and nothing else in common"
)
SAME_PHONE: Final = "its customer has their phone number and another name"
NAMED: Final = (
    "its customer has this phone number, which others may have too: erase them by this order"
)
SHARED_PHONE: Final = (
    "its customer has no name, and a phone number that they share with somebody of another name"
)
ITEM_OF_ANOTHER: Final = "it is an item of their order that names another customer"


CountryOf: TypeAlias = Callable[[str], str | None]
"""The country of a connection (ISO 3166-1); None when it isn't known."""


class Customers(Protocol):
    """Orders by ids of customers (``search_terms``)."""

    def orders_of_customer(self, customer_id: str) -> Sequence[OrderKey]:
        """The orders of the customer, including orders that were theirs before. Reads are
        consistent.
        """
        ...

    def forget(self, customer_id: str, key: OrderKey) -> None:
        """Remove the entry by which this order is found as the customer's."""
        ...


class Groups(Protocol):
    def read_group(self, connection_id: str, order_id: str) -> Sequence[TrackedOrder]: ...


@dataclass(slots=True)
class FoundOrders:
    """The result of the search. ``ids`` has, for each order, the ids by which it is indexed."""

    theirs: dict[OrderKey, TrackedOrder] = field(default_factory=dict)
    """Includes tombstones: an interrupted erasure is completed by the next."""
    doubtful: dict[OrderKey, str] = field(default_factory=dict)
    """Orders that a person has to check, with the reason."""
    unconfirmed: set[str] = field(default_factory=set)
    """Ids of addresses that one of their orders had before, and that may be somebody else's."""
    ids: dict[OrderKey, set[str]] = field(default_factory=dict)


def find_orders(
    customer_id: str,
    *,
    customers: Customers,
    orders: Groups,
    country_of: CountryOf,
    also: Collection[tuple[str, str]] = (),
) -> FoundOrders:
    """The customer's orders.

    :param country_of: the country for phone numbers without a country code
    :param also: provider orders that are known to be theirs (connection, order id)
    """
    return _Search(customer_id, customers, orders, country_of).run(also)


class _Search:
    def __init__(
        self, customer_id: str, customers: Customers, orders: Groups, country_of: CountryOf
    ) -> None:
        self._customer_id = customer_id
        self._customers = customers
        self._orders = orders
        self._country_of = country_of
        self._found = FoundOrders()
        self._looked_for: set[str] = set()
        self._nameless: set[OrderKey] = set()
        """Orders of which only the customer's phone number is known."""

    def run(self, also: Collection[tuple[str, str]]) -> FoundOrders:
        for group in also:
            self._take_group(*group, sure=None)
        waiting = [self._customer_id]
        while waiting and len(self._looked_for) < MOST_IDS:
            one = waiting.pop(0)
            self._looked_for.add(one)
            self._look_for(one)
            waiting = [other for other in self._their_ids() if other not in self._looked_for]
        if not {SAME_PHONE, NAMED}.intersection(self._found.doubtful.values()):
            for key in self._nameless:
                self._take_group(key.connection, key.order_id, sure=key)
        for key in self._found.theirs:
            self._found.doubtful.pop(key, None)
        return self._found

    def _look_for(self, customer_id: str) -> None:
        for key in self._customers.orders_of_customer(customer_id):
            self._found.ids.setdefault(key, set()).add(customer_id)
            if key not in self._found.theirs:
                self._judge(key, customer_id)

    def _judge(self, key: OrderKey, customer_id: str) -> None:
        group = self._orders.read_group(key.connection, key.order_id)
        tracked = next((one for one in group if one.order.key == key), None)
        if tracked is None or tracked.erased_at is not None:
            # A tombstone names nobody; the other items are erased by their own identifiers.
            if tracked is not None:
                self._found.theirs[key] = tracked
            return
        if why := self._why_not(tracked, customer_id):
            self._found.doubtful[key] = why
        else:
            self._take_group(key.connection, key.order_id, sure=key, known=group)

    def _why_not(self, tracked: TrackedOrder, customer_id: str) -> str | None:
        """The reason why an order that was found by this id isn't known to be theirs; None if it is
        known.
        """
        key, now = tracked.order.key, _customer(tracked)
        if self._has_id(now, key, customer_id):
            return self._why_not_by_id(now, key, customer_id)
        before = [
            one
            for details in tracked.order.said_of_it
            if self._has_id(one := details.get("customer", {}), key, customer_id)
        ]
        theirs = [one for one in before if not self._has_another_name(one, key)]
        if not self._owner_ids(now, key):
            return ANOTHER_CUSTOMER if before and not theirs else None
        # Found by an outdated entry of the index, or by a former address of theirs.
        return None if any(is_same_person(now, one) for one in theirs) else ANOTHER_CUSTOMER

    def _why_not_by_id(self, now: Customer, key: OrderKey, customer_id: str) -> str | None:
        is_asked = customer_id == self._customer_id
        if self._has_another_name(now, key):
            return SAME_PHONE if self._found.theirs or self._has_name() else NAMED
        is_exactly = self._customer_id in self._owner_ids(now, key)
        if _is_known_by_phone(now) and not name_key(now) and not is_exactly:
            self._nameless.add(key)
            return SHARED_PHONE
        if is_asked or self._is_like_theirs(now):
            return None
        if not now.get("email"):
            # A customer number belongs to one customer.
            return None if now.get("number") else SAME_PHONE
        self._found.unconfirmed.add(customer_id)
        return FORMER_ADDRESS

    def _has_id(self, customer: Customer, key: OrderKey, customer_id: str) -> bool:
        """Whether a customer is known by this id, or has the phone number of the id."""
        owned = map(phone_part, self._owner_ids(customer, key))
        return phone_part(customer_id) in owned

    def _has_name(self) -> bool:
        """Whether the requested id is one of a phone number and a name."""
        return self._customer_id != phone_part(self._customer_id)

    def _has_another_name(self, customer: Customer, key: OrderKey) -> bool:
        """Whether only the phone number of a customer matches, and the name doesn't: the people of
        a household often share a number."""
        name = name_key(customer)
        if not (name and _is_known_by_phone(customer)):
            return False
        return self._customer_id not in self._owner_ids(customer, key) and not any(
            name == name_key(details.get("customer", {}))
            for one in self._found.theirs.values()
            for details in one.order.said_of_it
        )

    def _take_group(
        self,
        connection: str,
        order_id: str,
        *,
        sure: OrderKey | None,
        known: Sequence[TrackedOrder] | None = None,
    ) -> None:
        """Every item of a provider order, except one that names another customer."""
        group = self._orders.read_group(connection, order_id) if known is None else known
        for one in group:
            key = one.order.key
            if key == sure or one.erased_at or not self._is_anothers(one, group):
                self._found.theirs[key] = one
            else:
                self._found.doubtful[key] = ITEM_OF_ANOTHER

    def _is_anothers(self, item: TrackedOrder, group: Sequence[TrackedOrder]) -> bool:
        its = _customer(item)
        if not its.get("email"):
            return False
        ids = self._owner_ids(its, item.order.key)
        if self._customer_id in ids or ids & set(self._their_ids()):
            return False
        return not any(
            is_same_person(its, _customer(one))
            for one in group
            if one is not item and one.order.key in self._found.theirs
        )

    def _is_like_theirs(self, customer: Customer) -> bool:
        return any(
            is_same_person(customer, details.get("customer", {}))
            for one in self._found.theirs.values()
            for details in one.order.said_of_it
        )

    def _their_ids(self) -> Iterator[str]:
        """Ids by which more of their orders may be indexed."""
        seen = dict[str, None]()
        for one in list(self._found.theirs.values()):
            for details in one.order.said_of_it:
                customer = details.get("customer", {})
                if email := customer.get("email"):
                    seen |= dict.fromkeys(email_ids(email))
                if number := customer.get("number"):
                    seen[number_id(one.order.key.connection, number)] = None
                if phone := customer.get("phone"):
                    seen |= dict.fromkeys(self._phone_ids(phone, one.order.key))
        return iter(seen)

    def _owner_ids(self, customer: Customer, key: OrderKey) -> set[str]:
        """Ids of the customer of an order; empty if nothing identifies the customer."""
        if email := customer.get("email"):
            return set(email_ids(email))
        if number := customer.get("number"):
            return {number_id(key.connection, number)}
        return set(self._phone_ids(customer.get("phone", ""), key, name=name_key(customer)))

    def _phone_ids(self, phone: str, key: OrderKey, *, name: str = "") -> tuple[str, ...]:
        return phone_ids(phone, country=self._country_of(key.connection), name=name)


def _is_known_by_phone(customer: Customer) -> bool:
    return not (customer.get("email") or customer.get("number"))


def _customer(tracked: TrackedOrder) -> Customer:
    return tracked.order.details.get("customer", {})
