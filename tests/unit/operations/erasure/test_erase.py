"""Erasing: what a tombstone keeps, how a customer is found, and in which order things go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.operations.erasure.erase import Erasure, Incomplete
from milepost.operations.erasure.find_orders import SAME_PHONE
from milepost.operations.erasure.place import PlaceNotRead, Swept
from milepost.operations.erasure.recent_erasures import REMEMBERED_FOR, Remembered
from milepost.operations.erasure.subject import Subject, Verdict, judge_details, subject_of
from milepost.orders.customer_identifiers import mark, owner_forms
from milepost.orders.order import Attention, OrderKey, Overdue, TrackedOrder
from milepost.orders.recording import MOST_LOST_RACES, LostRace, RecordOutcome, record
from milepost.orders.report import Source
from milepost.orders.search_terms import customer_id_of_email, number_id, phone_ids
from milepost.orders.summary import Wait
from milepost.orders.tombstones import tombstone_of
from tests.builders import KEY, NOON, RULES, minute, report, tracked
from tests.unit.operations.erasure.fakes import Customers, Graves

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


WHO = customer_id_of_email(CUSTOMER["email"])


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
class Memory:
    """Implements ``remembered.Memory``."""

    kept: dict[str, Remembered] = field(default_factory=dict)
    late: list[OrderKey] = field(default_factory=list)
    erased_late: int = 0

    def salt(self, *, make: bool) -> bytes:
        return b"salt" if make else b"none"

    def recall(self, customer_id: str) -> Remembered | None:
        return self.kept.get(customer_id)

    def remember(self, subject: Subject, *, customer_id: str, at: datetime) -> None:
        known = self.kept.get(customer_id)
        both = subject.together_with(known.subject) if known else subject
        self.kept[customer_id] = Remembered(id=customer_id, subject=both, erased_at=at)

    def active(self, *, now: datetime) -> Sequence[Remembered]:
        return [one for one in self.kept.values() if one.erased_at + REMEMBERED_FOR > now]

    def late_orders(self, remembered: Remembered) -> Sequence[OrderKey]:
        return list(self.late)

    def finish_late(
        self,
        remembered: Remembered,
        keys: Sequence[OrderKey],
        *,
        groups: Collection[tuple[str, str]],
        erased: int,
    ) -> None:
        subject = replace(remembered.subject, groups=frozenset(groups))
        self.kept[remembered.id] = replace(remembered, subject=subject)
        self.late = [key for key in self.late if key not in keys]
        self.erased_late += erased

    def take_late(self, customer_id: str) -> int:
        taken, self.erased_late = self.erased_late, 0
        return taken

    def note_sweeps(self, remembered: Remembered, *, sweeps: int) -> None:
        self.kept[remembered.id] = replace(self.kept[remembered.id], sweeps=sweeps)


class NoPlans:
    """Implements ``erase.Plans``."""

    def call_off(self, tracked: TrackedOrder) -> Sequence[str]:
        return []

    planned = call_off


class TimeEnough:
    """Implements ``place.Budget``."""

    def start(self) -> None: ...

    def has_time(self) -> bool:
        return True


@dataclass
class Place:
    """Implements ``place.Place``: notes the subjects, and the number of tombstones."""

    orders: Graves
    name: str = "place"
    fails: str | None = None
    is_whole: bool = True
    asked: list[tuple[Subject, int]] = field(default_factory=list)

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        if self.fails:
            raise PlaceNotRead(self.fails)
        tombstones = sum(one.erased_at is not None for one in self.orders.kept.values())
        self.asked.append((subject, tombstones))
        return Swept(removed=["1", "2"], is_whole=self.is_whole)


def erasure_of(
    orders: Graves, customers: Customers, *places: Place, memory: Memory | None = None
) -> Erasure:
    return Erasure(
        customers=customers,
        orders=orders,
        places=places,
        memory=memory or Memory(),
        plans=NoPlans(),
        budget=TimeEnough(),
        country_of=lambda _: "DE",
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
