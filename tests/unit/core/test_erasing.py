"""Erasing: what a tombstone keeps, how a customer is found, and in which order things go."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from milepost.erasing import Erasure, Subject, subject_of, tombstone_of
from milepost.order import OrderKey, TrackedOrder
from milepost.recording import MOST_LOST_RACES, LostRace, Outcome, record
from milepost.report import Source, Status
from tests.builders import KEY, NOON, RULES, minute, report, tracked
from tests.fakes import MemoryOrders

CUSTOMER: dict[str, Any] = {
    "name": "Charlotte Nguyen",
    "email": "Charlotte.Nguyen@example.com",
    "phone": "+61 491 570 156",
    "number": "K-204417",
}
PERSONAL = (
    "Charlotte",
    "Nguyen",
    "Lygon",
    "gate code",
    "570 156",
    "K-204417",
    "PP-20417",
    "has moved",
    "4711",
)
GROUP = (KEY.connection, KEY.order_id)


def an_order() -> TrackedOrder:
    return tracked(
        report(
            Status.ACCEPTED,
            customer=CUSTOMER,
            address={"street": "18 Lygon Street"},
            reference="PP-20417",
            service_type="internet",
            notes=[{"kind": "other", "text": "gate code 4711, ask for Charlotte"}],
        ),
        report(None, 5, raw="Charlotte has moved"),
        report(Status.REJECTED, 10, reason="Mrs Nguyen moved", cause="address"),
        report(
            None,
            20,
            source=Source.PERSON,
            raw=None,
            action="note",
            action_key="k1",
            note="gate code",
        ),
    )


@dataclass
class Graves(MemoryOrders):
    """Implements ``erasing.Orders``."""

    def read_group(self, connection_id: str, order_id: str) -> Sequence[TrackedOrder]:
        group = (connection_id, order_id)
        return [one for key, one in self.kept.items() if (key.connection, key.order_id) == group]

    def bury(self, tombstone: TrackedOrder) -> None:
        self.write(tombstone, new=())


@dataclass
class Customers:
    """Implements ``erasing.Customers``."""

    known: dict[str, list[OrderKey]]
    forgotten: list[str] = field(default_factory=list)

    def orders_of_customer(self, customer_id: str) -> list[OrderKey]:
        return self.known.get(customer_id, [])

    def forget(self, customer_id: str) -> None:
        self.known.pop(customer_id, None)
        self.forgotten.append(customer_id)


@dataclass
class Place:
    """A trace that notes what it was asked for."""

    orders: Graves
    name: str = "place"
    asked: list[tuple[Subject, int]] = field(default_factory=list)

    def erase(self, subject: Subject) -> int:
        buried = sum(one.erased_at is not None for one in self.orders.kept.values())
        self.asked.append((subject, buried))
        return 2


def erasure_of(orders: Graves, customers: Customers, **places: Any) -> Erasure:
    return Erasure(
        customers=customers,
        orders=orders,
        found_by_words=places.get("found_by_words", ()),
        found_by_order=places.get("found_by_order", ()),
    )


def test_a_tombstone_keeps_what_happened_when_and_nothing_of_anybody() -> None:
    before = an_order()
    after = tombstone_of(before, at=NOON)
    assert (after.order.status, after.order.since) == (Status.REJECTED, minute(10))
    assert [e.report.occurred_at for e in after.order.timeline] == [
        e.report.occurred_at for e in before.order.timeline
    ]
    assert after.order.details == {"service_type": "internet", "cause": "address"}
    assert (after.version, after.erased_at) == (before.version + 1, NOON)
    assert not any(word in repr(after) for word in PERSONAL)


def test_a_summary_of_a_long_timeline_is_bare_as_well() -> None:
    reports = [report(Status.ACCEPTED, n, reason=f"Nguyen {n}") for n in range(2000)]
    before = tracked(*reports)
    assert before.order.summary is not None
    assert "Nguyen" not in repr(tombstone_of(before, at=NOON))


def test_a_late_event_of_an_erased_order_brings_nothing_back_and_tells_nobody() -> None:
    orders = Graves({KEY: an_order()})
    erasure_of(orders, Customers({"c1": [KEY]})).erase("c1", now=NOON)
    written = len(orders.written)
    late = report(Status.COMPLETED, 90, customer=CUSTOMER)
    recorded = record(late, orders=orders, rules=RULES, now=minute(91))
    assert (recorded.outcome, recorded.announced) == (Outcome.ERASED, ())
    assert len(orders.written) == written


def test_every_item_of_the_customers_order_is_erased() -> None:
    sibling = replace(KEY, item_id="item-2")
    orders = Graves({KEY: an_order(), sibling: tracked(report(Status.PENDING, key=sibling))})
    erased = erasure_of(orders, Customers({"c1": [KEY]})).erase("c1", now=NOON)
    assert erased.orders == 2
    assert all(one.erased_at == NOON for one in orders.kept.values())
    assert orders.announced == []


def test_a_writer_who_gets_ahead_is_erased_as_well() -> None:
    orders = Graves({KEY: tracked(report(Status.ACCEPTED, customer=CUSTOMER))})

    def somebody_writes() -> None:
        record(
            report(Status.CANCELLED, 30, customer=CUSTOMER), orders=orders, rules=RULES, now=NOON
        )

    orders.before_write = somebody_writes
    erasure_of(orders, Customers({"c1": [KEY]})).erase("c1", now=NOON)
    kept = orders.kept[KEY]
    assert kept.order.status is Status.CANCELLED
    assert kept.erased_at == NOON
    assert "Charlotte" not in repr(kept)


def test_with_writers_ahead_for_ever_it_gives_up_and_the_customer_stays_known() -> None:
    class Busy(Graves):
        def bury(self, tombstone: TrackedOrder) -> None:
            attempts.append(1)
            raise LostRace(self.kept[KEY])

    attempts: list[int] = []
    customers = Customers({"c1": [KEY]})
    with pytest.raises(LostRace):
        erasure_of(Busy({KEY: an_order()}), customers).erase("c1", now=NOON)
    assert len(attempts) == MOST_LOST_RACES + 1
    assert customers.forgotten == []


def test_what_is_found_by_words_goes_before_the_orders_that_know_them_the_rest_after() -> None:
    orders = Graves({KEY: an_order()})
    words, keys = Place(orders, "words"), Place(orders, "keys")
    erased = erasure_of(
        orders, Customers({"c1": [KEY]}), found_by_words=[words], found_by_order=[keys]
    ).erase("c1", now=NOON)
    assert (words.asked[0][1], keys.asked[0][1]) == (0, 1)
    assert erased.traces == {"words": 2, "keys": 2}
    assert words.asked[0][0].groups == {GROUP}


def test_it_can_be_done_again() -> None:
    orders, customers = Graves({KEY: an_order()}), Customers({"c1": [KEY]})
    erasure = erasure_of(orders, customers)
    assert [erasure.erase("c1", now=NOON).orders for _ in range(2)] == [1, 0]
    customers.known["c1"] = [KEY]
    before = orders.kept[KEY]
    assert erasure.erase("c1", now=minute(5)).orders == 0
    assert orders.kept[KEY] == before


def test_a_customer_whom_nobody_knows_is_nothing_to_do() -> None:
    assert erasure_of(Graves(), Customers({})).erase("c1", now=NOON).orders == 0


SUBJECT = subject_of([an_order()], [GROUP])


@pytest.mark.parametrize(
    "text",
    [
        f'{{"orderId": "{KEY.order_id}", "broken',
        '{"to": "CHARLOTTE.nguyen@EXAMPLE.com"}',
        "phone=+61 491 570 156;",
        '["K-204417"]',
    ],
)
def test_a_customer_is_found_by_order_address_and_numbers(text: str) -> None:
    assert SUBJECT.is_named_in(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        f'{{"orderId": "{KEY.order_id}0"}}',
        '{"to": "ann-charlotte.nguyen@example.com"}',
        '{"number": "K-2044171"}',
        "Charlotte",
        "",
    ],
)
def test_somebody_else_is_not_taken_for_them(text: str) -> None:
    assert not SUBJECT.is_named_in(text.encode())
    assert not Subject(orders=frozenset()).is_named_in(text.encode())
