"""Measures how many orders are in each status, and how long they stayed in each stage.

What was counted of each order, and of which version, is stored. So a repeated or late change, and
one whose history is different now, changes the figures only by the difference.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Final

from milepost.common.status import StageLevel, Status
from milepost.orders.order import Order, OrderKey, TrackedOrder
from milepost.orders.search_terms import customer_id_of, phone_part
from milepost.orders.stages import measured_stages
from milepost.queries.cause_figures import (
    Acceptance,
    AcceptanceKey,
    Ending,
    OutcomeKey,
    acceptance_changes,
    acceptance_of,
    ending_of,
    outcome_changes,
)
from milepost.queries.histogram import StageKey, Tally
from milepost.queries.indexed_words import IndexedWords

FORM: Final = 3
"""Incremented with new figures, so that a backfill counts every order again. 1: outcomes and
acceptances. 2: stages by raw status. 3: words by which orders are found."""
NO_WORDS: Final = IndexedWords()
MOST_FORMER: Final = 20
"""Maximum number of former customers by which an order is found; each is a separate item."""


@dataclass(frozen=True, slots=True, order=True)
class Lasted:
    """A finished stage in the form in which it is counted; ``month`` (UTC, ``2026-03``) is when it
    ended.
    """

    status: Status
    month: str
    service_type: str
    milliseconds: int
    raw_status: str = ""
    level: StageLevel = StageLevel.BOTH

    def key_at(self, connection: str) -> StageKey:
        """The key of the tally in which it is counted."""
        return StageKey(
            connection, self.month, self.service_type, self.status, self.raw_status, self.level
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted of one order, at one of its writes.

    ``status`` is None for a removed or erased order: it is in no count, but the durations of its
    stages stay. It is found by ``reference`` and ``customer``. ``sequence`` is the stream's number
    of the write, padded so that texts compare as numbers do; empty for what was read from the
    table.
    """

    version: int
    sequence: str = ""
    status: Status | None = None
    stages: tuple[Lasted, ...] = ()
    reference: str | None = None
    customer: str | None = None
    stages_left_out: int = 0
    """The number of counted stages that are no longer in ``stages``: their durations stay
    counted."""
    former_customers: tuple[str, ...] = ()
    """Its former customers, by earlier reports."""
    ending: Ending | None = None
    acceptance: Acceptance | None = None
    form: int = 0
    """The value of ``FORM`` when it was counted."""
    words_mark: str | None = None
    """``IndexedWords.mark`` of the words by which it is found; None if it was counted by an earlier
    version without words."""
    words: IndexedWords | None = field(default=None, compare=False)
    """These words, if the order was read; they are stored elsewhere."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write of an order, and what has to be counted of the order after it."""

    key: OrderKey
    after: Counted
    keeps_acceptance: bool = False
    """Whether the order's history no longer shows how it was accepted: what was counted then
    stays."""


def change_of(
    before: TrackedOrder | None,
    after: TrackedOrder | None,
    *,
    sequence: str = "",
    words_of: Callable[[Order], IndexedWords] = lambda _: NO_WORDS,
) -> Change:
    """The change that a write made.

    :param before: None for a new order, or when it isn't known
    :param after: None for a removal
    :param words_of: the words by which an order is found; none for a removed or erased one
    :raises ValueError: when both are None
    """
    last = after or before
    if last is None:
        raise ValueError("a change needs an order before it, after it, or both")
    order, is_there = last.order, after is not None and after.erased_at is None
    words = words_of(order) if is_there else NO_WORDS
    counted = Counted(
        version=last.version if after else last.version + 1,
        sequence=sequence,
        status=order.status if is_there else None,
        # A tombstone keeps statuses, times and the service type.
        stages=_stages_of(order),
        reference=order.details.get("reference") if is_there else None,
        customer=phone_part(customer_id_of(order.details, order.key)) if is_there else None,
        stages_left_out=order.summary.stages_left_out if order.summary else 0,
        former_customers=former_customers(order) if is_there else (),
        ending=ending_of(order),
        acceptance=acceptance_of(order),
        form=FORM,
        words_mark=words.mark,
        words=words,
    )
    return Change(order.key, counted, keeps_acceptance=order.summary is not None)


def former_customers(order: Order) -> tuple[str, ...]:
    """Ids of customers in earlier reports that the order no longer has."""
    customers = (details.get("customer", {}) for details in order.said_of_it)
    named = {(c.get("email"), c.get("number"), c.get("phone")): c for c in customers if c}
    # By a phone number an order is found whatever the name.
    ids = (phone_part(customer_id_of({"customer": one}, order.key)) for one in named.values())
    now = phone_part(customer_id_of(order.details, order.key))
    return tuple(one for one in dict.fromkeys(ids) if one != now)[:MOST_FORMER]


def _stages_of(order: Order) -> tuple[Lasted, ...]:
    service_type = order.details.get("service_type", "")
    return tuple(
        Lasted(
            stage.status,
            f"{stage.left.astimezone(UTC):%Y-%m}",
            service_type,
            round((stage.left - stage.entered).total_seconds() * 1000),
            stage.raw_status or "",
            stage.level,
        )
        for stage in measured_stages(order)
    )


def count(before: Counted | None, changes: Iterable[Change]) -> Counted | None:
    """What has to be counted of an order after these changes, of which some may already have been
    counted."""
    counted = before
    for change in changes:
        if counted is None or _is_news(counted, change.after):
            kept = counted.acceptance if counted and change.keeps_acceptance else None
            counted = replace(change.after, acceptance=kept) if kept else change.after
    return counted


def _is_news(known: Counted, found: Counted) -> bool:
    if known.sequence and found.sequence:
        # An order that was removed and came back begins at version 1 again.
        return found.sequence > known.sequence
    if (found.version, found.form) == (known.version, known.form) and not found.sequence:
        # The same write, read from the table: changed settings of its connection give other words.
        return found.words_mark != known.words_mark
    return (found.version, found.form) > (known.version, known.form)


@dataclass(frozen=True, slots=True)
class Step:
    """What was counted of an order before some changes, and what has to be counted after them."""

    key: OrderKey
    before: Counted | None
    after: Counted

    @property
    def changes_nothing(self) -> bool:
        """Whether the write changed nothing that is counted, so that nothing has to be written."""
        if self.before is None:
            return False
        version, sequence = self.after.version, self.after.sequence
        return replace(self.before, version=version, sequence=sequence) == self.after

    @property
    def words_change(self) -> bool:
        """Whether the order's search words changed; True if that isn't known."""
        if self.before is None:
            return bool(self.after.words and self.after.words.all)
        return self.before.words_mark != self.after.words_mark

    def statuses(self) -> dict[Status, int]:
        """The changes of the numbers of orders in each status."""
        was = self.before.status if self.before else None
        now = self.after.status
        if was is now:
            return {}
        changes = {was: -1, now: 1}
        return {status: number for status, number in changes.items() if status is not None}

    def outcomes(self) -> dict[OutcomeKey, int]:
        """The changes of the numbers of outcomes."""
        was = self.before.ending if self.before else None
        return outcome_changes(self.key.connection, before=was, after=self.after.ending)

    def acceptances(self) -> dict[AcceptanceKey, Tally]:
        """The changes of the tallies of acceptances."""
        was = self.before.acceptance if self.before else None
        return acceptance_changes(self.key.connection, before=was, after=self.after.acceptance)

    def stages(self) -> dict[StageKey, Tally]:
        """The changes of the stages' tallies."""
        found: dict[StageKey, Tally] = {}
        was: tuple[Lasted, ...] = ()
        if self.before:
            # Stages that a shortened history no longer has stay counted.
            was = self.before.stages[self.after.stages_left_out - self.before.stages_left_out :]
        for stages, times in ((self.after.stages, 1), (was, -1)):
            for one in stages:
                key = one.key_at(self.key.connection)
                found.setdefault(key, Tally()).add(one.milliseconds, times=times)
        return {key: tally for key, tally in found.items() if not tally.is_empty}
