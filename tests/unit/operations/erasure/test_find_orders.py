"""Which orders are a customer's, by what the index and the orders themselves say."""

from dataclasses import dataclass, replace
from typing import Any

from milepost.common.status import Status
from milepost.operations.erasure.find_orders import (
    ANOTHER_CUSTOMER,
    FORMER_ADDRESS,
    ITEM_OF_ANOTHER,
    NAMED,
    SAME_PHONE,
    SHARED_PHONE,
    FoundOrders,
    find_orders,
)
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.search_terms import (
    customer_id_of,
    customer_id_of_email,
    number_id,
    phone_ids,
)
from milepost.orders.tombstones import tombstone_of
from tests.builders import KEY, NOON, report, tracked
from tests.unit.operations.erasure.fakes import Customers, Graves

NEW, OLD = "charlotte@example.com", "lotte@example.net"
LENA: dict[str, Any] = {"name": "Charlotte Nguyen", "email": NEW, "phone": "+49 30 1234567"}


def key(number: int) -> OrderKey:
    return replace(KEY, order_id=f"order-{number}", item_id=f"item-{number}")


@dataclass
class Shelf:
    """Orders, and the index as it would be."""

    orders: dict[OrderKey, TrackedOrder]
    index: dict[str, list[OrderKey]]

    def find(self, email: str) -> FoundOrders:
        return find_orders(
            customer_id_of_email(email),
            customers=Customers(self.index),
            orders=Graves(dict(self.orders)),
            country_of=lambda _: "DE",
        )


def shelf(*lives: list[dict[str, Any]]) -> Shelf:
    """An order for each list of customers that it had, one after the other."""
    made = Shelf({}, {})
    for number, customers in enumerate(lives, start=1):
        one = key(number)
        reports = [
            report(Status.PENDING, minute, key=one, customer=customer)
            for minute, customer in enumerate(customers)
        ]
        made.orders[one] = tracked(*reports)
        for customer in customers:
            made.index.setdefault(customer_id_of_email(customer["email"]), []).append(one)
    return made


def test_orders_of_a_former_address_of_the_same_person_are_theirs_too() -> None:
    found = shelf([{**LENA, "email": OLD}, LENA], [{**LENA, "email": OLD}]).find(NEW)
    assert set(found.theirs) == {key(1), key(2)}
    assert not found.doubtful


def test_an_order_is_found_by_the_address_that_it_had_before() -> None:
    found = shelf([{**LENA, "email": OLD}, LENA]).find(OLD)
    assert set(found.theirs) == {key(1)}


def test_an_address_mistyped_before_may_be_somebody_elses() -> None:
    paul = {"name": "Paul Hartmann", "email": OLD}
    found = shelf([{**LENA, "email": OLD}, LENA], [paul]).find(NEW)
    assert set(found.theirs) == {key(1)}
    assert found.doubtful == {key(2): FORMER_ADDRESS}
    assert found.unconfirmed == {customer_id_of_email(OLD)}


def test_an_order_that_has_another_customer_now_is_left() -> None:
    paul = {"name": "Paul Hartmann", "email": OLD}
    found = shelf([paul, LENA]).find(OLD)
    assert not found.theirs
    assert found.doubtful == {key(1): ANOTHER_CUSTOMER}


def test_an_item_that_names_another_customer_is_left_and_one_that_names_nobody_goes() -> None:
    made = shelf([LENA])
    for item, customer in (("bare", {}), ("pauls", {"email": "paul@example.com"})):
        one = replace(key(1), item_id=item)
        made.orders[one] = tracked(report(Status.PENDING, key=one, customer=customer))
    found = made.find(NEW)
    assert set(found.theirs) == {key(1), replace(key(1), item_id="bare")}
    assert found.doubtful == {replace(key(1), item_id="pauls"): ITEM_OF_ANOTHER}


def test_in_an_order_that_was_erased_before_another_customers_item_is_left_again() -> None:
    made = shelf([LENA])
    (found,) = made.find(NEW).theirs.values()
    made.orders[key(1)] = tombstone_of(found, at=NOON)
    bare, pauls = (replace(key(1), item_id=item) for item in ("bare", "pauls"))
    made.orders[bare] = tracked(report(Status.PENDING, key=bare))
    paul = {"email": "paul@example.com"}
    made.orders[pauls] = tracked(report(Status.PENDING, key=pauls, customer=paul))
    again = find_orders(
        customer_id_of_email(NEW),
        customers=Customers({}),
        orders=Graves(dict(made.orders)),
        country_of=lambda _: "DE",
        also=[(KEY.connection, "order-1")],
    )
    assert set(again.theirs) == {key(1), bare}
    assert again.doubtful == {pauls: ITEM_OF_ANOTHER}


def test_orders_by_the_same_customer_number_without_an_address_are_theirs() -> None:
    made = shelf([{**LENA, "number": "K-1"}])
    by_number, elsewhere = key(2), replace(key(3), connection="another")
    for one in (by_number, elsewhere):
        made.orders[one] = tracked(report(Status.PENDING, key=one, customer={"number": "K-1"}))
        made.index[number_id(one.connection, "K-1")] = [one]
    assert set(made.find(NEW).theirs) == {key(1), by_number}


def test_orders_with_the_same_phone_number_spelled_without_its_country_are_theirs() -> None:
    spellings = ("030 1234567", "+49 30 1234567")
    made = Shelf({}, {})
    for number, phone in enumerate(spellings, start=1):
        customer: Any = {"name": "Charlotte Nguyen", "phone": phone}
        made.orders[key(number)] = tracked(
            report(Status.PENDING, key=key(number), customer=customer)
        )
        made.index[customer_id_of({"customer": customer}, key(number))] = [key(number)]
    for customer_id in made.index:
        found = find_orders(
            customer_id,
            customers=Customers(made.index),
            orders=Graves(dict(made.orders)),
            country_of=lambda _: "DE",
        )
        assert set(found.theirs) == {key(1), key(2)}


def household(*customers: dict[str, Any]) -> Shelf:
    """An order of each of these customers, who have one phone number and nothing else."""
    made = Shelf({}, {})
    for number, customer in enumerate(customers, start=1):
        one, who = key(number), {"phone": "030 1234567", **customer}
        made.orders[one] = tracked(report(Status.PENDING, key=one, customer=who))
        customer_id = customer_id_of(made.orders[one].order.details, one)
        made.index.setdefault(customer_id, []).append(one)
    return made


def found_by(made: Shelf, customer_id: str) -> FoundOrders:
    return find_orders(
        customer_id,
        customers=Customers(made.index),
        orders=Graves(dict(made.orders)),
        country_of=lambda _: "DE",
    )


KARL, LISA = {"name": "Karl Berg"}, {"name": "Lisa Berg", "phone": "+49 30 1234567"}


def test_of_two_people_with_one_phone_number_only_the_one_who_is_named_is_found() -> None:
    made = household(KARL, LISA, {"name": "Berg, Karl", "phone": "0049 30 1234567"})
    found = found_by(made, customer_id_of(made.orders[key(1)].order.details, key(1)))
    assert set(found.theirs) == {key(1), key(3)}
    assert found.doubtful == {key(2): SAME_PHONE}


def test_an_order_without_a_name_is_whose_the_number_is_if_only_one_has_it() -> None:
    alone, shared = household({}, KARL), household({}, KARL, LISA)
    karl = customer_id_of(alone.orders[key(2)].order.details, key(2))
    assert set(found_by(alone, karl).theirs) == {key(1), key(2)}
    found = found_by(shared, karl)
    assert set(found.theirs) == {key(2)}
    assert found.doubtful == {key(1): SHARED_PHONE, key(3): SAME_PHONE}


def test_a_number_alone_finds_orders_without_a_name_and_names_the_others() -> None:
    made = household({}, KARL)
    found = found_by(made, phone_ids("030 1234567")[0])
    assert set(found.theirs) == {key(1)}
    assert found.doubtful == {key(2): SAME_PHONE}
    (only,) = found_by(household(KARL), phone_ids("030 1234567")[0]).doubtful.values()
    assert only == NAMED


def test_an_order_that_somebody_else_with_the_number_had_before_is_left() -> None:
    made = household(KARL, LISA)
    reports = [
        report(Status.PENDING, 0, key=key(2), customer={**LISA}),
        report(Status.PENDING, 1, key=key(2), customer={**LISA, "email": "lisa@example.com"}),
    ]
    made.orders[key(2)] = tracked(*reports)
    found = found_by(made, customer_id_of(made.orders[key(1)].order.details, key(1)))
    assert set(found.theirs) == {key(1)}
    assert found.doubtful == {key(2): ANOTHER_CUSTOMER}
