"""Histories of orders in the table's stream, and their figures in memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from milepost.common.status import Status
from milepost.orders.order import Order, OrderKey, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import record
from milepost.orders.report import Report
from milepost.orders.tombstones import tombstone_of
from milepost.queries.cause_figures import AcceptanceKey, OutcomeKey
from milepost.queries.histogram import StageKey, Tally
from milepost.queries.indexed_words import IndexedWords
from milepost.queries.stage_durations import NO_WORDS, Change, Counted, Step, change_of, count
from tests.builders import minute
from tests.fakes.orders import MemoryOrders

Image = TrackedOrder | None


@dataclass
class Stream:
    """The writes of orders, each with the order before and after it."""

    rules: Rules
    writes: list[tuple[Image, Image]] = field(default_factory=list)
    now: dict[OrderKey, Image] = field(default_factory=dict)
    words_of: Callable[[Order], IndexedWords] = lambda _: NO_WORDS

    def report(self, one: Report) -> None:
        key = OrderKey.of(one)
        before = self.now.get(key)
        orders = MemoryOrders({key: before} if before else {})
        record(one, orders=orders, rules=self.rules, now=one.seen_at)
        for after, _ in orders.written:
            self._write(key, after)

    def erase(self, key: OrderKey) -> None:
        """A tombstone replaces the order: it has times, and hardly any details."""
        if (before := self.now.get(key)) and before.erased_at is None:
            self._write(key, tombstone_of(before, at=minute(9999)))

    def remove(self, key: OrderKey) -> None:
        if self.now.get(key):
            self._write(key, None)

    def _write(self, key: OrderKey, after: Image) -> None:
        self.writes.append((self.now.get(key), after))
        self.now[key] = after

    @property
    def changes(self) -> list[Change]:
        return [
            change_of(before, after, sequence=f"{number:040d}", words_of=self.words_of)
            for number, (before, after) in enumerate(self.writes, start=1)
        ]


@dataclass
class Figures:
    """The figures, and what was counted of each order, in memory."""

    counted: dict[OrderKey, Counted] = field(default_factory=dict)
    statuses: Counter[tuple[str, Status]] = field(default_factory=Counter)
    stages: dict[StageKey, Tally] = field(default_factory=dict)
    outcomes: Counter[OutcomeKey] = field(default_factory=Counter)
    acceptances: dict[AcceptanceKey, Tally] = field(default_factory=dict)

    def take(self, changes: Iterable[Change]) -> None:
        by_order: dict[OrderKey, list[Change]] = {}
        for change in changes:
            by_order.setdefault(change.key, []).append(change)
        for key, of_order in by_order.items():
            before = self.counted.get(key)
            after = count(before, of_order)
            if after is not None:
                self._apply(Step(key, before, after))

    def _apply(self, step: Step) -> None:
        if step.changes_nothing:
            return
        self.counted[step.key] = step.after
        for status, number in step.statuses().items():
            self.statuses[step.key.connection, status] += number
        for key, tally in step.stages().items():
            self.stages.setdefault(key, Tally()).merge(tally)
        for outcome, number in step.outcomes().items():
            self.outcomes[outcome] += number
        for acceptance, tally in step.acceptances().items():
            self.acceptances.setdefault(acceptance, Tally()).merge(tally)

    def seen(self) -> tuple[object, ...]:
        """The figures that a reader sees."""
        found = (*self.stages.items(), *self.acceptances.items())
        tallies = {
            key: (tally.milliseconds, +tally.buckets) for key, tally in found if not tally.is_empty
        }
        return +self.statuses, tallies, +self.outcomes


def split(changes: Sequence[Change], sizes: Iterable[int]) -> list[Sequence[Change]]:
    """Batches of these sizes, repeatedly."""
    batches, place = [], 0
    for size in sizes:
        batches.append(changes[place : place + size])
        place += size
    return [*batches, changes[place:]]
