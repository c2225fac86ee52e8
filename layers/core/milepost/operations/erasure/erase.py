"""Erases a customer: orders become tombstones, and all other data that names them is removed.

An erasure is remembered as long as data may still arrive: an order that is recorded but not yet
indexed, a message in a queue, a change that is retried. Until then, the search is repeated.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from milepost.operations.erasure.find_orders import (
    CountryOf,
    Customers,
    FoundOrders,
    Groups,
    find_orders,
)
from milepost.operations.erasure.place import Budget, Left, Place, PlaceNotRead
from milepost.operations.erasure.recent_erasures import REMEMBERED_FOR, Memory, Remembered
from milepost.operations.erasure.subject import Group, Subject, subject_of
from milepost.orders.customer_identifiers import first_heard, owner_forms
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.recording import LostRace, write_until_won
from milepost.orders.search_terms import phone_part
from milepost.orders.tombstones import tombstone_of


class OrdersToErase(Groups, Protocol):
    """The stored orders."""

    def write_tombstone(self, tombstone: TrackedOrder) -> None:
        """Replace the previous version, without an announcement.

        :raises LostRace: when the stored version is not the previous one
        """
        ...


class Plans(Protocol):
    """Actions that are planned for later."""

    def call_off(self, tracked: TrackedOrder) -> Sequence[str]:
        """Cancel every planned action of an order; returns their names."""
        ...

    def planned(self, tracked: TrackedOrder) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """The result of an erasure, or of its dry run."""

    customer_id: str
    dry_run: bool = False
    order_ids: Sequence[str] = ()
    late: int = 0
    """Orders that became tombstones automatically since the customer was last erased."""
    found: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Ids of the removed data, by place."""
    left: Sequence[Left] = ()
    not_read: Mapping[str, str] = field(default_factory=dict)
    """Places that could not be searched, each with the reason."""
    unfinished: Sequence[str] = ()
    """Places for which there was no time: ``finish`` searches them within 15 minutes."""
    remembered_until: datetime | None = None
    was_erased: bool = False
    """Whether orders of the customer were erased in the last days: then there may be nothing
    left."""

    @property
    def is_anybody(self) -> bool:
        """Whether any data of this customer was found, now or by an earlier erasure."""
        return bool(self.was_erased or self.orders or self.left or any(self.found.values()))

    @property
    def orders(self) -> int:
        """How many orders became tombstones."""
        return len(self.order_ids) + self.late

    @property
    def traces(self) -> Mapping[str, int]:
        """How much was removed, by place."""
        return {place: len(ids) for place, ids in self.found.items()}


class Incomplete(Exception):
    """Not every place could be searched; data in the other places was erased. Erase again."""

    def __init__(self, erased: Erased) -> None:
        places = "; ".join(f"{name}: {why}" for name, why in sorted(erased.not_read.items()))
        super().__init__(f"Not everything could be searched. {places}")
        self.erased = erased


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erases customers. Repeating an erasure, also an interrupted one, completes it."""

    customers: Customers
    orders: OrdersToErase
    places: Sequence[Place]
    memory: Memory
    plans: Plans
    budget: Budget
    country_of: CountryOf

    def erase(self, customer_id: str, *, now: datetime, dry_run: bool = False) -> Erased:
        """Erase every order of a customer, and all other data about them. Nobody is notified.

        :param dry_run: change nothing, only say what would be erased
        :raises LostRace: when others keep writing an order; repeat it
        :raises Incomplete: when a place could not be searched; repeat it
        """
        self.budget.start()
        known = self.memory.recall(customer_id)
        salt = self.memory.salt(make=not dry_run)
        if not dry_run:
            bare = subject_of((), customer_id=customer_id, salt=salt)
            # Before orders are searched: data that arrives from now on is recognized as theirs.
            self._remember(bare, customer_id, now)
        found = find_orders(
            customer_id,
            customers=self.customers,
            orders=self.orders,
            country_of=self.country_of,
            also=known.subject.groups if known else (),
        )
        subject = subject_of(
            (one.order for one in found.theirs.values()),
            customer_id=customer_id,
            salt=salt,
            unconfirmed=found.unconfirmed,
        )
        subject = subject.together_with(known.subject) if known else subject
        if not dry_run:
            # Before anything is removed: an interrupted erasure is completed by what is stored
            # here.
            self._remember(subject, customer_id, now)
        tombstones, plans = self._erase_orders(found, now, dry_run=dry_run)
        erased = Erased(
            customer_id=customer_id,
            dry_run=dry_run,
            order_ids=tombstones,
            late=0 if dry_run else self.memory.take_late(customer_id),
            left=[
                Left(place="orders", where=key.path_id, why=why)
                for key, why in sorted(found.doubtful.items())
            ],
            found={"planned_actions": plans},
            remembered_until=None if dry_run else now + REMEMBERED_FOR,
            was_erased=bool(known and known.subject.groups),
        )
        return self._sweep(erased, subject)

    def _remember(self, subject: Subject, customer_id: str, now: datetime) -> None:
        """Remember the subject, also by the phone number alone: a repeated erasure uses it to find
        the customer when no order with their name is left."""
        for one in dict.fromkeys((phone_part(customer_id), customer_id)):
            self.memory.remember(subject, customer_id=one, at=now)

    def remembered_among(self, customer_ids: Iterable[str]) -> str | None:
        """The first of these ids by which a customer was erased in the last days."""
        return next((one for one in customer_ids if self.memory.recall(one)), None)

    def _sweep(self, erased: Erased, subject: Subject) -> Erased:
        """Search every place, even if some places can't be searched."""
        found, left, not_read = dict(erased.found), list(erased.left), dict[str, str]()
        unfinished = list[str]()
        for place in self.places:
            try:
                swept = place.sweep(subject, dry_run=erased.dry_run)
            except PlaceNotRead as error:
                not_read[place.name] = str(error)
                continue
            found[place.name] = swept.removed
            left += swept.left
            unfinished += [] if swept.is_whole else [place.name]
        erased = replace(erased, found=found, left=left, not_read=not_read, unfinished=unfinished)
        if not_read and not erased.dry_run:
            raise Incomplete(erased)
        return erased

    def _erase_orders(
        self, found: FoundOrders, now: datetime, *, dry_run: bool
    ) -> tuple[list[str], list[str]]:
        """The ids of the orders that became tombstones, and their planned actions."""
        tombstones, plans = list[str](), list[str]()
        for key, tracked in sorted(found.theirs.items()):
            if dry_run:
                if tracked.erased_at is None:
                    tombstones.append(key.path_id)
                    plans += self.plans.planned(tracked)
                continue
            plans += self.plans.call_off(tracked)
            if self._make_tombstone(tracked, now):
                tombstones.append(key.path_id)
            # The entry is removed with this order only, not with another that took its place
            # meanwhile.
            for customer_id in found.ids.get(key, ()):
                self.customers.forget(customer_id, key)
        return tombstones, plans

    def _make_tombstone(self, tracked: TrackedOrder, now: datetime) -> bool:
        def attempt(stored: TrackedOrder | None) -> bool:
            if stored is None or stored.erased_at is not None:
                return False
            self.orders.write_tombstone(tombstone_of(stored, at=now))
            return True

        return write_until_won(attempt, tracked)

    # ---- Data that arrives afterwards

    def finish(self, *, now: datetime) -> Iterator["Finished"]:
        """Erase data that has appeared since, of customers who were erased in the last days.

        It is theirs if it is from before the erasure: somebody who orders again is a customer
        again.
        """
        for remembered in self.memory.active(now=now):
            try:
                yield self._finish(remembered, now)
            except LostRace:
                yield Finished(remembered.id, failed="an order is being changed at the moment")

    def _finish(self, remembered: Remembered, now: datetime) -> "Finished":
        self.budget.start()
        late = self.memory.late_orders(remembered)
        tombstones, groups = list[OrderKey](), set(remembered.subject.groups)
        for group in sorted(groups | {(key.connection, key.order_id) for key in late}):
            keys, is_erased = self._erase_group(group, late, remembered, now)
            tombstones += keys
            groups |= {group} if is_erased else set()
        self.memory.finish_late(remembered, late, groups=groups, erased=len(tombstones))
        is_due = remembered.is_due(now)
        if not (is_due or tombstones):
            return Finished(remembered.id)
        subject = replace(remembered.subject, groups=frozenset(groups), until=remembered.erased_at)
        swept = Erased(customer_id="")
        try:
            swept = self._sweep(swept, subject)
        except Incomplete as why:
            return Finished(remembered.id, orders=len(tombstones), failed=str(why))
        if swept.unfinished:
            places = ", ".join(swept.unfinished)
            return Finished(remembered.id, orders=len(tombstones), failed=f"no time for {places}")
        if is_due:
            self.memory.note_sweeps(remembered, sweeps=remembered.sweeps_after(now))
        return Finished(remembered.id, orders=len(tombstones), removed=sum(swept.traces.values()))

    def _erase_group(
        self,
        group: Group,
        late: Sequence[OrderKey],
        remembered: Remembered,
        now: datetime,
    ) -> tuple[list[OrderKey], bool]:
        """Replace the customer's items of a provider order with tombstones. Returns the keys of
        these items, and whether any item is a tombstone now.
        """
        items, tombstones = self.orders.read_group(*group), list[OrderKey]()
        were_erased = any(one.erased_at is not None for one in items)
        for one in items:
            is_old = were_erased or began(one) <= remembered.erased_at
            if one.erased_at is None and is_old and _is_theirs(one, late, remembered.subject):
                self.plans.call_off(one)
                if self._make_tombstone(one, now):
                    tombstones.append(one.order.key)
        return tombstones, were_erased or bool(tombstones)


def _is_theirs(tracked: TrackedOrder, late: Sequence[OrderKey], subject: Subject) -> bool:
    """Whether an item of the order belongs to them, as it does unless it names another customer."""
    order = tracked.order
    if order.key in late or not order.details.get("customer", {}).get("email"):
        return True
    return subject.knows_any(owner_forms(order.details, order.key))


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of one remembered erasure, by its id; ``failed`` has the reason if it isn't
    finished."""

    id: str
    orders: int = 0
    removed: int = 0
    failed: str | None = None


def began(tracked: TrackedOrder) -> datetime:
    """When an order was first reported or was placed, whichever is earlier."""
    order = tracked.order
    heard = [first_heard(entry.report) for entry in order.timeline]
    return min([*heard, order.summary.since] if order.summary else heard)
