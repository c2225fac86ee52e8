"""Finds customers by a phone number in any spelling; the cost doesn't grow with the orders.

The search index finds orders by their number. The results are compared with the whole number, since
the index also finds prefixes. Several customers may have one number, as in a household.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from milepost.orders.order import OrderKey
from milepost.orders.search_terms import phone_ids
from milepost.queries.order_finder import FoundOrders
from milepost.queries.order_list import Listed
from milepost.queries.phone_words import FEWEST_DIGITS, phone_readings, phone_words
from milepost.queries.search_words import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCustomer:
    """A customer (``search_terms.customer_id_of``), with the data of their newest order."""

    id: str
    name: str | None
    orders: int


class Search(Protocol):
    def find_by_words(
        self, readings: Sequence[Reading], *, connections: Iterable[str]
    ) -> FoundOrders: ...
    def orders_of_customer(self, customer_id: str) -> Sequence[OrderKey]: ...


class Lists(Protocol):
    def look_up(self, keys: Sequence[OrderKey]) -> Sequence[Listed]: ...


def is_phone(text: str) -> bool:
    """Whether a text may be a whole phone number: it has enough digits, and no letters."""
    digits = sum(character.isdecimal() for character in text)
    return digits >= FEWEST_DIGITS and not any(character.isalpha() for character in text)


def customers_by_phone(
    phone: str, *, search: Search, lists: Lists, countries: Mapping[str, str]
) -> list[FoundCustomer]:
    """The customers with this number; customers with the most orders come first.

    :param countries: each connection's country (ISO 3166-1), for numbers without a country code
    """
    if not is_phone(phone):
        return []
    every_country = set(countries.values())
    asked = {number for one in every_country for number in _whole(phone, one)}
    readings = phone_readings(phone, countries=every_country)
    found = dict.fromkeys(search.find_by_words(readings, connections=countries).keys)
    # For connections whose settings leave phone numbers out of the index, and for orders of earlier
    # versions:
    # customers of whom only the number is known.
    by_number = {
        one: search.orders_of_customer(one) for one in ids_of_phone(phone, countries=every_country)
    }
    found |= dict.fromkeys(key for keys in by_number.values() for key in keys)
    theirs: dict[str, list[Listed]] = {}
    for one in lists.look_up(list(found)):
        said = one.facts.get("customer", {}).get("phone", "")
        if asked.intersection(_whole(said, countries.get(one.key.connection))):
            theirs.setdefault(one.customer_id, []).append(one)
    for customer_id, keys in by_number.items():
        if keys and not theirs:
            # It was their number before.
            return [FoundCustomer(id=customer_id, name=None, orders=len(keys))]
    customers = [_customer(customer_id, orders) for customer_id, orders in theirs.items()]
    return sorted(customers, key=lambda one: (-one.orders, one.name or "", one.id))


def _customer(customer_id: str, orders: Sequence[Listed]) -> FoundCustomer:
    newest = max(orders, key=lambda one: one.since)
    return FoundCustomer(id=customer_id, name=newest.customer_name, orders=len(orders))


def _whole(phone: str, country: str | None) -> tuple[str, ...]:
    """The number with its country code."""
    return phone_words(phone, country=country)[:1]


def ids_of_phone(phone: str, *, countries: Iterable[str]) -> tuple[str, ...]:
    """The possible ids of a customer of whom only this number is known, one for each spelling."""
    spellings = [
        phone_ids(phone),
        *(phone_ids(phone, country=one) for one in sorted(set(countries))),
    ]
    return tuple(dict.fromkeys(one for ids in spellings for one in ids))
