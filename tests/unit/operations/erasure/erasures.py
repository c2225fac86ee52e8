"""An erasure in memory, with its orders and places."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from milepost.common.status import Status
from milepost.operations.erasure.erase import Erasure
from milepost.operations.erasure.place import PlaceNotRead, Swept
from milepost.operations.erasure.recent_erasures import REMEMBERED_FOR, Remembered
from milepost.operations.erasure.subject import Subject
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.report import Source
from milepost.orders.search_terms import customer_id_of_email
from tests.builders import KEY, report, tracked
from tests.unit.operations.erasure.fakes import Customers, Graves

CUSTOMER: dict[str, Any] = {
    "name": "Charlotte Nguyen",
    "email": "Charlotte.Nguyen@example.com",
    "phone": "+61 491 570 156",
    "number": "K-204417",
}


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
    """Implements ``place.Place``: records the subjects, and the number of tombstones."""

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
