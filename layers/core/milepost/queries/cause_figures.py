"""Figures of causes: why orders ended without success, and how quickly orders were accepted.

Both are counted once for each order, by its present history: repeated, late and withdrawn reports
change the figures only by the difference (``milepost.queries.stage_durations``).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final

from milepost.common.causes import NONE
from milepost.common.status import Status
from milepost.orders.details import MALO, METER_NUMBER, cause_in, identifiers_in
from milepost.orders.order import Order
from milepost.orders.stages import MOVING
from milepost.queries.histogram import BOUNDS, Tally

UNSUCCESSFUL: Final = (Status.REJECTED, Status.FAILED, Status.CANCELLED)
NEITHER: Final = "neither"
IDENTIFIERS: Final = (MALO, METER_NUMBER, NEITHER)
"""Which identifiers of the meter were known while an order was pending; a MaLo number takes
precedence."""

_WAITING: Final = frozenset({Status.PENDING, Status.SUBMITTED})
_ACCEPTED: Final = frozenset(
    {Status.ACCEPTED, Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED, Status.ACTIVE}
)


@dataclass(frozen=True, slots=True, order=True)
class Ending:
    """An order that ended without success; ``month`` (UTC, ``2026-03``) is when it did."""

    status: Status
    month: str
    service_type: str
    cause: str


@dataclass(frozen=True, slots=True, order=True)
class Acceptance:
    """How long an order took from its first report to its acceptance, in milliseconds.

    ``month`` (UTC) is that of the acceptance, ``identifiers`` one of ``IDENTIFIERS``.
    """

    month: str
    service_type: str
    identifiers: str
    milliseconds: int


@dataclass(frozen=True, slots=True, order=True)
class OutcomeKey:
    """The criteria by which orders are counted together."""

    connection: str
    month: str
    service_type: str
    status: Status
    cause: str


@dataclass(frozen=True, slots=True, order=True)
class AcceptanceKey:
    """The criteria by which acceptances are counted together."""

    connection: str
    month: str
    service_type: str
    identifiers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeFigures:
    """The number of orders with this outcome; ``share`` (0 to 1) is relative to all orders with the
    same connection, service type, month and status."""

    key: OutcomeKey
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceFigures:
    """The times until orders were accepted, in seconds; the mean is exact, the median accurate to
    2.5%.

    ``faster`` (below 1; negative when slower) compares the mean with that of orders of which
    neither number was known; None when there is none to compare with.
    """

    connection: str
    service_type: str
    identifiers: str
    count: int
    mean: float
    median: float
    faster: float | None


def ending_of(order: Order) -> Ending | None:
    """How the order ended; None if it is open, or was successful."""
    if order.status not in UNSUCCESSFUL:
        return None
    service_type = order.details.get("service_type", "")
    cause = cause_in(order.details) or NONE
    return Ending(order.status, _month(order.since), service_type, cause)


def acceptance_of(order: Order) -> Acceptance | None:
    """How long it took until the order was accepted.

    None if it never was, if it was accepted when it was first seen, or if its beginning is no
    longer on the timeline.
    """
    if order.summary is not None:
        return None
    status, began, known = Status.UNKNOWN, None, set[str]()
    for entry in order.timeline:
        report = entry.report
        if entry.effect in MOVING and report.status is not None:
            at = report.status_since or report.occurred_at
            if report.status in _ACCEPTED:
                return _acceptance(order, began, at, known) if began else None
            if began is None:
                if report.status not in _WAITING:
                    return None
                began, known = at, identifiers_in(report.details)
            status = report.status
        if status is Status.PENDING:
            known |= identifiers_in(report.details)
    return None


def _acceptance(order: Order, began: datetime, at: datetime, known: set[str]) -> Acceptance:
    best = next((one for one in IDENTIFIERS if one in known), NEITHER)
    milliseconds = max(0, round((at - began).total_seconds() * 1000))
    return Acceptance(_month(at), order.details.get("service_type", ""), best, milliseconds)


def _month(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m}"


def outcome_changes(
    connection: str, *, before: Ending | None, after: Ending | None
) -> dict[OutcomeKey, int]:
    """The changes of the numbers of outcomes."""
    if before == after:
        return {}
    changes = ((before, -1), (after, 1))
    return {
        OutcomeKey(connection, one.month, one.service_type, one.status, one.cause): number
        for one, number in changes
        if one is not None
    }


def acceptance_changes(
    connection: str, *, before: Acceptance | None, after: Acceptance | None
) -> dict[AcceptanceKey, Tally]:
    """The changes of the tallies of acceptances."""
    if before == after:
        return {}
    found: dict[AcceptanceKey, Tally] = {}
    for one, times in ((before, -1), (after, 1)):
        if one is not None:
            key = AcceptanceKey(connection, one.month, one.service_type, one.identifiers)
            found.setdefault(key, Tally()).add(one.milliseconds, times=times)
    return found


def with_shares(counts: Mapping[OutcomeKey, int]) -> list[OutcomeFigures]:
    """The figures of outcomes, sorted by key; figures that are zero are left out."""
    totals: dict[tuple[str, str, str, Status], int] = {}
    for key, number in counts.items():
        whole = (key.connection, key.month, key.service_type, key.status)
        totals[whole] = totals.get(whole, 0) + number
    return [
        OutcomeFigures(
            key=key,
            count=number,
            share=number / totals[key.connection, key.month, key.service_type, key.status],
        )
        for key, number in sorted(counts.items())
        if number > 0
    ]


def compare_acceptances(
    tallies: Iterable[tuple[AcceptanceKey, Tally]],
) -> list[AcceptanceFigures]:
    """The times until acceptance over all months, of orders that had at least one of the
    numbers."""
    sums: dict[tuple[str, str], dict[str, Tally]] = {}
    for key, tally in tallies:
        of_service = sums.setdefault((key.connection, key.service_type), {})
        of_service.setdefault(key.identifiers, Tally()).merge(tally)
    return [
        one
        for (connection, service_type), found in sorted(sums.items())
        if any(found[name].count > 0 for name in found if name != NEITHER)
        for one in _compared(connection, service_type, found)
    ]


def _compared(
    connection: str, service_type: str, found: Mapping[str, Tally]
) -> Iterator[AcceptanceFigures]:
    usual = found.get(NEITHER)
    for name in IDENTIFIERS:
        tally = found.get(name)
        if tally is None or tally.count <= 0:
            continue
        mean = tally.milliseconds / tally.count
        yield AcceptanceFigures(
            connection=connection,
            service_type=service_type,
            identifiers=name,
            count=tally.count,
            mean=mean / 1000,
            median=_median(tally),
            faster=None if name == NEITHER else _faster(mean, usual),
        )


def _faster(mean: float, usual: Tally | None) -> float | None:
    if usual is None or usual.count <= 0 or usual.milliseconds <= 0:
        return None
    return 1 - mean / (usual.milliseconds / usual.count)


def _median(tally: Tally) -> float:
    """The middle, in seconds, of the bucket with the median."""
    buckets = sorted(bucket for bucket, number in tally.buckets.items() if number > 0)
    reached = accumulate(tally.buckets[bucket] for bucket in buckets)
    rank = (tally.count + 1) // 2
    found = next(b for b, total in zip(buckets, reached, strict=True) if total >= rank)
    low = BOUNDS[found - 1] if found else 0
    high = BOUNDS[found] if found < len(BOUNDS) else low
    return (low + high) / 2000
