"""Erasing again: orders that arrive late, and places that are swept again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.operations.erasure.find_orders import SAME_PHONE
from milepost.operations.erasure.recent_erasures import REMEMBERED_FOR
from milepost.operations.erasure.subject import Verdict, judge_details, subject_of
from milepost.orders.customer_identifiers import mark, owner_forms
from milepost.orders.search_terms import number_id, phone_ids
from tests.builders import KEY, NOON, minute, report, tracked
from tests.unit.operations.erasure.erasures import (
    CUSTOMER,
    GROUP,
    WHO,
    Memory,
    Place,
    an_order,
    erasure_of,
)
from tests.unit.operations.erasure.fakes import Customers, Graves


def test_it_can_be_done_again() -> None:
    orders, customers = Graves({KEY: an_order()}), Customers({WHO: [KEY]})
    erasure = erasure_of(orders, customers)
    assert [erasure.erase(WHO, now=NOON).orders for _ in range(2)] == [1, 0]
    customers.known[WHO] = [KEY]
    before = orders.kept[KEY]
    assert erasure.erase(WHO, now=minute(5)).orders == 0
    assert orders.kept[KEY] == before


def test_a_customer_whom_nobody_knows_is_nothing_to_do_and_remembered() -> None:
    memory = Memory()
    erased = erasure_of(Graves(), Customers({}), memory=memory).erase(WHO, now=NOON)
    assert (erased.orders, erased.remembered_until) == (0, NOON + REMEMBERED_FOR)
    assert list(memory.kept) == [WHO]


def test_an_order_that_shows_up_late_is_erased_and_counted_once() -> None:
    orders, memory, customers = Graves(), Memory(), Customers({})
    place = Place(orders)
    erasure = erasure_of(orders, customers, place, memory=memory)
    erasure.erase(WHO, now=minute(30))
    orders.kept[KEY], memory.late = an_order(), [KEY]
    (finished,) = erasure.finish(now=minute(31))
    assert (finished.orders, finished.failed) == (1, None)
    assert orders.kept[KEY].erased_at == minute(31)
    assert place.asked[-1][0].groups == {GROUP}
    assert [erasure.erase(WHO, now=minute(40)).orders for _ in range(2)] == [1, 0]


def test_a_further_item_of_an_erased_order_is_erased() -> None:
    orders, memory = Graves({KEY: an_order()}), Memory()
    erasure = erasure_of(orders, Customers({WHO: [KEY]}), memory=memory)
    erasure.erase(WHO, now=minute(30))
    sibling, anothers = replace(KEY, item_id="item-2"), replace(KEY, item_id="item-3")
    orders.kept[sibling] = tracked(report(Status.PENDING, 40, key=sibling))
    bob = {"email": "bob@example.com"}
    orders.kept[anothers] = tracked(report(Status.PENDING, 40, key=anothers, customer=bob))
    assert [one.orders for one in erasure.finish(now=minute(45))] == [1]
    assert orders.kept[sibling].erased_at is not None
    assert orders.kept[anothers].erased_at is None


def test_who_orders_again_is_a_customer_again() -> None:
    orders, memory = Graves(), Memory()
    erasure = erasure_of(orders, Customers({}), memory=memory)
    erasure.erase(WHO, now=minute(30))
    orders.kept[KEY] = tracked(report(Status.PENDING, 60, customer=CUSTOMER))
    memory.late = [KEY]
    assert [one.orders for one in erasure.finish(now=minute(61))] == [0]
    assert orders.kept[KEY].erased_at is None
    assert memory.kept[WHO].subject.groups == frozenset()


@pytest.mark.parametrize(
    ("minutes", "sweeps"),
    [(14, 0), (15, 1), (25 * 60 - 1, 1), (25 * 60, 2), (15 * 24 * 60, 3), (16 * 24 * 60, 0)],
)
def test_every_place_is_looked_through_again_when_what_was_at_work_has_ended(
    minutes: int, sweeps: int
) -> None:
    orders, memory = Graves(), Memory()
    place = Place(orders)
    erasure = erasure_of(orders, Customers({}), place, memory=memory)
    erasure.erase(WHO, now=NOON)
    for _ in range(2):
        list(erasure.finish(now=NOON + timedelta(minutes=minutes)))
    assert len(place.asked) - 1 == (1 if sweeps else 0)
    assert memory.kept[WHO].sweeps == sweeps
    if sweeps:
        assert place.asked[-1][0].until == NOON


@pytest.mark.parametrize("broken", [{"fails": "busy"}, {"is_whole": False}])
def test_a_sweep_that_is_not_whole_is_done_again(broken: dict[str, Any]) -> None:
    orders, memory = Graves(), Memory()
    place = Place(orders)
    erasure = erasure_of(orders, Customers({}), place, memory=memory)
    erasure.erase(WHO, now=NOON)
    for name, value in broken.items():
        setattr(place, name, value)
    (finished,) = erasure.finish(now=minute(20))
    assert finished.failed
    assert memory.kept[WHO].sweeps == 0
    place.fails, place.is_whole = None, True
    (finished,) = erasure.finish(now=minute(21))
    assert (finished.failed, memory.kept[WHO].sweeps) == (None, 1)


@pytest.mark.parametrize(
    ("customer", "is_theirs"),
    [
        ({"phone": "+61491570156"}, True),
        ({"phone": "0491 570 156", "name": "NGUYEN, Charlotte"}, True),
        ({"phone": "0061 491 570 156", "name": "Paul Berg"}, False),
        ({"phone": "0491 570 156", "name": "Li"}, False),
        ({"number": "K-204417", "name": "Charlotte Berg"}, True),
    ],
)
def test_an_order_with_their_phone_number_and_another_name_is_left_for_a_person(
    customer: dict[str, Any], is_theirs: bool
) -> None:
    another = replace(KEY, order_id="another")
    plain = tracked(report(Status.PENDING, key=another, customer=customer))
    ids = {
        *phone_ids(customer.get("phone", "")),
        number_id(KEY.connection, customer.get("number", "")),
    }
    orders = Graves({KEY: an_order(), another: plain})
    customers = Customers({WHO: [KEY], **{one: [another] for one in ids}})
    place = Place(orders)
    erased = erasure_of(orders, customers, place).erase(WHO, now=NOON)
    assert (orders.kept[another].erased_at is not None) is is_theirs
    left = [] if is_theirs else [(another.path_id, SAME_PHONE)]
    assert [(one.where, one.why) for one in erased.left] == left


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("Nguyen, Charlotte", Verdict.THEIRS), ("", Verdict.THEIRS), ("Paul Berg", Verdict.UNSURE)],
)
def test_an_order_that_comes_later_with_their_phone_number_is_theirs_unless_the_name_differs(
    name: str, verdict: Verdict
) -> None:
    known = (
        an_order().order,
        tracked(report(Status.PENDING, customer={"phone": "0491570156"})).order,
    )
    subject = subject_of(known, customer_id=WHO, salt=b"salt")
    details: Any = {"customer": {"phone": "0491 570 156", "name": name}}
    elsewhere = replace(KEY, order_id="elsewhere")
    assert judge_details(details, elsewhere, subject).verdict is verdict
    decided = {mark(form, b"salt") for form in owner_forms(details, elsewhere)} & subject.deciding
    assert bool(decided) is (verdict is Verdict.THEIRS)
