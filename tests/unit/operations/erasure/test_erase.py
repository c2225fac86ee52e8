"""Erasing: what a tombstone keeps, how a customer is found, and in which order things go."""

from dataclasses import replace

import pytest

from milepost.common.status import Status
from milepost.operations.erasure.erase import Incomplete
from milepost.operations.erasure.place import Swept
from milepost.operations.erasure.subject import Subject
from milepost.orders.order import Attention, Overdue, TrackedOrder
from milepost.orders.recording import MOST_LOST_RACES, LostRace, RecordOutcome, record
from milepost.orders.summary import Wait
from milepost.orders.tombstones import tombstone_of
from tests.builders import KEY, NOON, RULES, minute, report, tracked
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


def test_a_tombstone_waits_for_nobody_and_shows_nothing_to_a_person() -> None:
    before = an_order()
    waiting = replace(
        before.order,
        waiting=Wait("contact", NOON),
        attention=(Attention("unknown_status", "ask Charlotte"),),
    )
    overdue = Overdue(
        status=Status.REJECTED, since=NOON, deadline=NOON, allowed="1 day", marked_at=NOON
    )
    after = tombstone_of(replace(before, order=waiting, overdue=overdue), at=NOON)
    assert (after.order.waiting, after.order.attention, after.overdue) == (None, (), None)


def test_a_summary_of_a_long_timeline_is_bare_as_well() -> None:
    reports = [report(Status.ACCEPTED, n, reason=f"Nguyen {n}") for n in range(2000)]
    before = tracked(*reports)
    assert before.order.summary is not None
    assert "Nguyen" not in repr(tombstone_of(before, at=NOON))


def test_a_raw_status_that_a_table_knows_stays_and_any_other_goes() -> None:
    known = tracked(report(Status.ACCEPTED, raw="Accepted"), report(None, 5, raw="Frau Nguyen"))
    bare = tombstone_of(known, at=NOON).order
    assert bare.raw_status == "Accepted"
    assert [entry.report.raw_status for entry in bare.timeline] == ["Accepted", None]
    unknown = tracked(report(None, raw="Frau Nguyen"))
    assert unknown.order.raw_status == "Frau Nguyen"
    assert tombstone_of(unknown, at=NOON).order.raw_status is None


def test_a_late_event_of_an_erased_order_brings_nothing_back_and_tells_nobody() -> None:
    orders = Graves({KEY: an_order()})
    erasure_of(orders, Customers({WHO: [KEY]})).erase(WHO, now=NOON)
    written = len(orders.written)
    late = report(Status.COMPLETED, 90, customer=CUSTOMER)
    recorded = record(late, orders=orders, rules=RULES, now=minute(91))
    assert (recorded.outcome, recorded.announced) == (RecordOutcome.ERASED, ())
    assert len(orders.written) == written


def test_every_item_of_the_customers_order_is_erased() -> None:
    sibling = replace(KEY, item_id="item-2")
    orders = Graves({KEY: an_order(), sibling: tracked(report(Status.PENDING, key=sibling))})
    erased = erasure_of(orders, Customers({WHO: [KEY]})).erase(WHO, now=NOON)
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
    erasure_of(orders, Customers({WHO: [KEY]})).erase(WHO, now=NOON)
    kept = orders.kept[KEY]
    assert kept.order.status is Status.CANCELLED
    assert kept.erased_at == NOON
    assert "Charlotte" not in repr(kept)


def test_with_writers_ahead_for_ever_it_gives_up_and_the_customer_stays_known() -> None:
    class Busy(Graves):
        def write_tombstone(self, tombstone: TrackedOrder) -> None:
            attempts.append(1)
            raise LostRace(self.kept[KEY])

    attempts: list[int] = []
    customers = Customers({WHO: [KEY]})
    with pytest.raises(LostRace):
        erasure_of(Busy({KEY: an_order()}), customers).erase(WHO, now=NOON)
    assert len(attempts) == MOST_LOST_RACES + 1
    assert customers.known == {WHO: [KEY]}


def test_places_are_looked_through_once_the_orders_are_tombstones() -> None:
    orders = Graves({KEY: an_order()})
    place = Place(orders)
    erased = erasure_of(orders, Customers({WHO: [KEY]}), place).erase(WHO, now=NOON)
    ((subject, tombstones),) = place.asked
    assert (tombstones, subject.groups) == (1, {GROUP})
    assert erased.traces["place"] == 2


def test_a_place_that_cannot_be_read_is_said_and_the_rest_is_erased() -> None:
    orders = Graves({KEY: an_order()})
    other = Place(orders, "other")
    erasure = erasure_of(
        orders, Customers({WHO: [KEY]}), Place(orders, "letters", fails="busy"), other
    )
    with pytest.raises(Incomplete, match="letters: busy") as incomplete:
        erasure.erase(WHO, now=NOON)
    assert incomplete.value.erased.orders == 1
    assert len(other.asked) == 1


def test_a_dry_run_says_the_same_and_changes_nothing() -> None:
    orders, memory, customers = Graves({KEY: an_order()}), Memory(), Customers({WHO: [KEY]})
    broken = Place(orders, "letters", fails="busy")
    erasure = erasure_of(orders, customers, Place(orders), broken, memory=memory)
    told = erasure.erase(WHO, now=NOON, dry_run=True)
    assert (told.order_ids, told.traces["place"]) == ([KEY.path_id], 2)
    assert told.not_read == {"letters": "busy"}
    assert (orders.written, memory.kept, customers.known) == ([], {}, {WHO: [KEY]})


def test_an_entry_of_the_index_goes_only_with_the_order_that_was_erased() -> None:
    orders, customers = Graves({KEY: an_order()}), Customers({WHO: [KEY]})
    came_meanwhile = replace(KEY, order_id="came-meanwhile")

    class Meanwhile(Place):
        def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
            if came_meanwhile not in customers.known[WHO]:
                customers.known[WHO].append(came_meanwhile)
            return Swept()

    erasure = erasure_of(orders, customers, Meanwhile(orders))
    erasure.erase(WHO, now=NOON)
    assert customers.known == {WHO: [came_meanwhile]}
    orders.kept[came_meanwhile] = tracked(
        report(Status.PENDING, key=came_meanwhile, customer=CUSTOMER)
    )
    assert erasure.erase(WHO, now=NOON).orders == 1
