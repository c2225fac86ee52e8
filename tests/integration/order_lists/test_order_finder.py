"""Lists with customers and products: filters, sorting and counts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from milepost.operations.erasure.aws.orders import ErasableOrders
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of_email
from milepost.orders.summary import Wait
from milepost.orders.tombstones import tombstone_of
from milepost.queries import order_finder
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.list_choices import Sort
from milepost.queries.order_finder import Count, OrderFinder, TooManyToSort
from milepost.queries.order_list import Listed
from tests.builders import NOON, OFFERGRID, RABOT
from tests.integration.order_lists.listed import ALL, ids, order
from tests.stack import Stack, aws

ANNA = {
    "customer": {"name": "Anna Müller", "email": "anna@example.org", "phone": "+49 30 1234567"},
    "address": {"street": "Hauptstr. 7", "postcode": "10115", "city": "Berlin"},
    "offer": {"name": "Fiber 250", "supplier": "Netz AG"},
    "reference": "PP-1",
}
BEN = {
    "customer": {"name": "Ben Weber", "business": "Äpfel GmbH"},
    "address": {"street": "Am Wall 3", "postcode": "28195", "city": "Bremen"},
    "charge_box": {"model": "Zap 22", "serial_number": "ZAP-9"},
    "reference": "EN-9",
}


def test_orders_of_a_list_have_their_customer_product_and_place(
    finder: OrderFinder, keep: Callable[..., None]
) -> None:
    keep(order(1, **ANNA), order(2, **BEN), order(3))
    anna, ben, nobody = finder.page(ALL).orders
    assert (anna.customer_name, anna.product, anna.supplier, anna.place) == (
        "Anna Müller",
        "Fiber 250",
        "Netz AG",
        "10115 Berlin",
    )
    assert anna.customer_id == customer_id_of_email("ANNA@example.org")
    assert (ben.customer_name, ben.product, ben.place) == ("Äpfel GmbH", "Zap 22", "28195 Bremen")
    assert (nobody.customer_name, nobody.product, nobody.place) == (None, None, None)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"customer": "muel ann"}, [1]),
        ({"customer": "030 1234567"}, [1]),
        ({"customer": customer_id_of_email("anna@example.org")}, [1]),
        ({"customer": "apfel"}, [2]),
        ({"product": "netz"}, [1]),
        ({"product": "zap"}, [2]),
        ({"place": "am wall brem"}, [2]),
        ({"place": "10115", "customer": "ben"}, []),
        ({"reference": "pp"}, [1]),
        ({"reference": "9", "place": "bremen"}, [2]),
        ({"updated_since": NOON + timedelta(minutes=4)}, [3]),
        ({"updated_since": NOON + timedelta(minutes=3), "product": "zap"}, [2]),
        ({"waiting": "any"}, [3]),
        ({"waiting": "payment"}, [3]),
        ({"waiting": "contact"}, []),
    ],
)
def test_filters_find_what_they_say_and_are_combined(
    filters: dict[str, Any], found: list[int], finder: OrderFinder, keep: Callable[..., None]
) -> None:
    waits = order(3)
    waits = replace(waits, order=replace(waits.order, waiting=Wait("payment", NOON)))
    keep(order(1, **ANNA), order(2, **BEN), waits)
    wanted = replace(ALL, **filters)
    assert ids(finder.page(wanted).orders) == [f"ord-{number:04d}" for number in found]
    assert finder.count(wanted) == Count(len(found))


def test_an_order_that_was_erased_and_is_still_in_the_index_is_in_no_list(
    lists: OrderLists, keep: Callable[..., None], stack: Stack
) -> None:
    gone, there = order(1, **ANNA), order(2, **BEN)
    keep(gone, there)
    table = ErasableOrders(aws("dynamodb"), table_name=stack.resources["OrdersTable"])
    table.write_tombstone(tombstone_of(replace(gone, version=1), at=NOON))
    keys = [one.order.key for one in (gone, there)]
    assert ids(lists.look_up(keys)) == ["ord-0002"]


def test_an_order_that_was_written_before_says_when_it_was_updated_too(
    finder: OrderFinder, keep: Callable[..., None], stack: Stack
) -> None:
    keep(order(1), order(2))
    aws("dynamodb").update_item(
        TableName=stack.resources["OrdersTable"],
        Key={"pk": {"S": f"order#{OFFERGRID.id}#ord-0001"}, "sk": {"S": "item#item-1"}},
        UpdateExpression="REMOVE updated_at",
    )
    listed = finder.page(ALL).orders
    assert [one.updated_at for one in listed] == ["2026-03-02T12:02:00Z", "2026-03-02T12:03:00Z"]


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        (Sort.NEXT_DATE, [1, 2, 3, 4]),
        (Sort.SINCE, [4, 1, 2, 3]),
        (Sort.CUSTOMER, [1, 2, 3, 4]),
        (Sort.PROVIDER, [4, 1, 3, 2]),
        (Sort.FORECAST, [3, 1, 4, 2]),
    ],
)
def test_a_list_is_sorted_in_several_ways_page_by_page(
    sort: Sort, found: list[int], finder: OrderFinder, keep: Callable[..., None]
) -> None:
    early = order(4)
    early = replace(early, order=replace(early.order, since=NOON - timedelta(days=9)))
    keep(
        order(1, customer={"name": "anna"}),
        order(2, customer={"name": "Ben"}, connection=RABOT.id),
        order(3, customer={"name": "cem"}),
        early,
    )
    if sort is Sort.NEXT_DATE:
        found = ids_by_next_date(finder)
    shown_so_far: list[str] = []
    after = None
    while True:
        page = finder.page(ALL, sort=sort, after=after, limit=2, ends=likely_ends)
        shown_so_far += ids(page.orders)
        after = page.last
        if after is None:
            break
    assert shown_so_far == [f"ord-{number:04d}" for number in found]


def likely_ends(orders: Sequence[Listed]) -> dict[OrderKey, datetime]:
    """Of the second order nobody knows; the others are asked about with their facts."""
    assert all(one.updated_at for one in orders)
    days = {"ord-0003": 1, "ord-0001": 4, "ord-0004": 9}
    return {
        one.key: NOON + timedelta(days=days[one.key.order_id])
        for one in orders
        if one.key.order_id in days
    }


def ids_by_next_date(finder: OrderFinder) -> list[int]:
    listed = finder.page(ALL).orders
    assert [one.next_date for one in listed] == sorted(one.next_date for one in listed)
    return [int(one.key.order_id.removeprefix("ord-")) for one in listed]


def test_a_list_that_is_too_long_is_not_sorted_and_counted_as_more(
    finder: OrderFinder, keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_finder, "MOST_SORTED", 3)
    keep(*(order(number, **ANNA) for number in range(4)))
    with pytest.raises(TooManyToSort):
        finder.page(ALL, sort=Sort.CUSTOMER)
    assert finder.count(replace(ALL, customer="anna"), most=3) == Count(3, more=True)
    assert finder.count(replace(ALL, customer="anna")) == Count(4)
