"""The words by which an order is found, according to its connection's settings.

An entry is a word and, for names and addresses, the words next to it: ``schmidt anna`` and ``anna
schmidt``. So the index finds orders with both names, without comparing all orders that have one.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from milepost.connections.connection import SEARCH_FIELDS
from milepost.orders.details import Details
from milepost.orders.order import Order, OrderKey
from milepost.queries.phone_words import phone_words
from milepost.queries.search_words import (
    phrases_of,
    words_of_email,
    words_of_id,
    words_of_street,
)

MOST_ENTRIES: Final = 60
"""Maximum number of entries of one order; fields that come first take precedence."""
MOST_INVOICES: Final = 10
"""Maximum number of invoices by whose numbers an order is found: the last ones."""
_SHORTEST_ITEM: Final = 4
"""Minimum length of an item's id by which it is found: shorter ids are only numbers within an
order."""
_HOUSE_NUMBER: Final = re.compile(r"\d{1,4}[a-z]?")
_EVERY_FIELD: Final = frozenset(SEARCH_FIELDS)


@dataclass(frozen=True, slots=True)
class IndexedWords:
    """``entries`` are searched as prefixes; ``others``, house numbers, only select among orders
    that were found by another word."""

    entries: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """A digest that is the same for the same words."""
        text = "\n".join((*self.entries, "", *self.others))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.entries, *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """The indexed fields of a connection's orders, and the country of their telephone numbers."""

    fields: frozenset[str] = _EVERY_FIELD
    country: str | None = None


def indexed_words(order: Order, indexing: Indexing) -> IndexedWords:
    """The words by which an order is found."""
    entries: dict[str, None] = {}
    others: dict[str, None] = {}
    for name, words in _WORDS.items():
        if name in indexing.fields:
            for word in words(order.details, order.key, indexing):
                first = word.partition(" ")[0]
                if name == "street" and is_house_number(first):
                    others[first] = None
                else:
                    entries[word] = None
    found = tuple(entries)[:MOST_ENTRIES]
    # Sorted, so that another order in the provider's payload is not a change.
    return IndexedWords(tuple(sorted(found)), tuple(sorted(others))[:MOST_ENTRIES])


def is_house_number(word: str) -> bool:
    """Whether the word may be a house number; these get no entries."""
    return _HOUSE_NUMBER.fullmatch(word) is not None


def _invoices(details: Details, *_: object) -> Iterator[str]:
    for invoice in details.get("invoices", ())[-MOST_INVOICES:]:
        yield from words_of_id(invoice.get("number") or invoice.get("id") or "")


def _phone(details: Details, _key: OrderKey, indexing: Indexing) -> Sequence[str]:
    phone = details.get("customer", {}).get("phone")
    return phone_words(phone, country=indexing.country) if phone else ()


def _place(details: Details, *_: object) -> Iterator[str]:
    address = details.get("address", {})
    return phrases_of(f"{address.get('postcode', '')} {address.get('city', '')}")


def _item(_details: Details, key: OrderKey, _indexing: Indexing) -> Iterator[str]:
    is_of_its_own = key.item_id != key.order_id
    if is_of_its_own and sum(map(str.isalnum, key.item_id)) >= _SHORTEST_ITEM:
        yield from words_of_id(key.item_id)


def _customers(name: str, words: Callable[[str], Iterator[str]]) -> "_Words":
    return lambda details, *_: words(str(details.get("customer", {}).get(name, "")))


def _number(name: str) -> "_Words":
    return lambda details, *_: words_of_id(str(details.get(name, "")))


_Words = Callable[[Details, OrderKey, Indexing], "Iterator[str] | Sequence[str]"]
_WORDS: Final[Mapping[str, _Words]] = {
    "order_id": lambda _, key, __: words_of_id(key.order_id),
    "reference": _number("reference"),
    "name": _customers("name", phrases_of),
    "business": _customers("business", phrases_of),
    "email": _customers("email", words_of_email),
    "phone": _phone,
    "customer_number": _customers("number", words_of_id),
    "meter_number": _number("meter_number"),
    "malo": _number("malo"),
    "melo": _number("melo"),
    "spn": _number("spn"),
    "account_number": _number("account_number"),
    "serial_number": lambda details, *_: words_of_id(
        details.get("charge_box", {}).get("serial_number", "")
    ),
    "street": lambda details, *_: words_of_street(details.get("address", {}).get("street", "")),
    "place": _place,
    "invoice_number": _invoices,
    "item_id": _item,
}
"""Values by field, in the order of precedence."""
