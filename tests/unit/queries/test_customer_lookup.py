"""Customers by phone number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of_email, number_id, phone_ids, phone_part
from milepost.queries.customer_lookup import customers_by_phone
from milepost.queries.order_finder import FoundOrders
from milepost.queries.order_list import Listed
from milepost.queries.search_words import Reading
from tests.builders import KEY
from tests.unit.queries.listed_orders import listed

COUNTRIES = {KEY.connection: "AU", "rabot": "DE"}


@dataclass
class Stored:
    """Orders by what they say of their customer, found as the index finds them."""

    orders: list[Listed] = field(default_factory=list)
    by_customer: dict[str, list[OrderKey]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def keep(self, number: int, customer: dict[str, Any], connection: str = "rabot") -> None:
        key = OrderKey(connection, f"o-{number}", "i")
        self.orders.append(listed("2026-03-05", key=key, facts={"customer": customer}))

    def find_by_words(
        self, readings: Sequence[Reading], *, connections: Iterable[str]
    ) -> FoundOrders:
        begun = tuple(one for reading in readings for word in reading for one in word)
        names = set(connections)
        self.asked += begun
        found = [
            one.key
            for one in self.orders
            if one.key.connection in names
            and _e164(one).startswith(begun)
            and not one.facts["customer"].get("hidden")
        ]
        return FoundOrders(found, more=False)

    def orders_of_customer(self, customer_id: str) -> list[OrderKey]:
        return self.by_customer.get(customer_id, [])

    def look_up(self, keys: Sequence[OrderKey]) -> list[Listed]:
        return [one for one in self.orders if one.key in keys]

    def find(self, phone: str) -> list[tuple[str, str | None, int]]:
        found = customers_by_phone(phone, search=self, lists=self, countries=COUNTRIES)
        return [(one.id, one.name, one.orders) for one in found]


def _e164(one: Listed) -> str:
    digits = "".join(c for c in one.facts["customer"].get("phone", "") if c.isdigit())
    return "49" + digits.lstrip("0") if digits.startswith("03") else digits


ANNA = {"name": "Anna", "email": "anna@example.org", "phone": "030 1234567"}


@pytest.mark.parametrize(
    "phone",
    [
        "030 1234567",
        "+49 (0)30 1234567",
        "0049301234567",
        "+49\u00a030\u20111234567",
        "(030) 123 45-67",
    ],
)
def test_a_number_finds_its_customer_however_both_are_written(phone: str) -> None:
    stored = Stored()
    stored.keep(1, ANNA)
    stored.keep(2, {**ANNA, "phone": "+49 30 1234567"})
    assert stored.find(phone) == [(customer_id_of_email("anna@example.org"), "Anna", 2)]


def test_a_longer_number_and_that_of_another_country_are_others() -> None:
    stored = Stored()
    stored.keep(1, {**ANNA, "phone": "+49 30 12345678"})
    stored.keep(2, {"name": "Ida", "email": "ida@example.org", "phone": "+43 30 1234567"})
    assert stored.find("+49 30 1234567") == []


def test_everybody_with_one_number_is_named() -> None:
    stored = Stored()
    stored.keep(1, {"name": "Ida", "number": "K-1", "phone": "+49301234567"})
    stored.keep(2, ANNA)
    stored.keep(3, ANNA)
    assert stored.find("0301234567") == [
        (customer_id_of_email("anna@example.org"), "Anna", 2),
        (number_id("rabot", "K-1"), "Ida", 1),
    ]


def test_who_is_not_in_the_index_of_words_is_found_by_the_number_alone() -> None:
    stored = Stored()
    stored.keep(1, {"name": "Uwe", "phone": "030 1234567", "hidden": "yes"})
    (written, *_) = phone_ids("030 1234567")
    stored.by_customer[written] = [stored.orders[0].key]
    (theirs,) = {one.customer_id for one in stored.orders}
    assert stored.find("+49 30 1234567") == [(theirs, "Uwe", 1)]
    assert phone_part(theirs) == written


def test_who_had_the_number_before_is_found_by_it() -> None:
    stored = Stored()
    stored.keep(1, {"name": "Uwe", "phone": "+49 40 7654321"})
    (before, *_) = phone_ids("+49301234567")
    stored.by_customer[before] = [stored.orders[0].key]
    assert stored.find("+49 30 1234567") == [(before, None, 1)]


@pytest.mark.parametrize("text", ["123456", "ord-1234567", "", "n/a"])
def test_what_is_no_number_is_not_looked_for(text: str) -> None:
    stored = Stored()
    assert stored.find(text) == []
    assert stored.asked == []
