"""The reports of a timeline: their order, and which reports are removed if there are too many."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from milepost.orders.details import PAID
from milepost.orders.item_sizes import TIMELINE_BYTES
from milepost.orders.report import Report, Source
from milepost.orders.summary import Summary

TIMELINE_CAP: Final = 100
"""Maximum number of reports on a timeline; older ones are folded into its summary."""
ENTRY_BYTES: Final = 200
"""Bytes of a report on the timeline beside its content: dates, source, effect, names."""
_LATE: Final = (15, 20_000)
"""Maximum number of late reports that are kept, and of their bytes."""
_LASTING: Final = (30, 20_000)
"""The same for actions of people that still matter: plans, and commissions that were paid."""
_PASSING: Final = (15, 20_000)
"""The same for other actions and notes of people."""
_MILLISECOND: Final = timedelta(milliseconds=1)


def merge(reports: Iterable[Report]) -> list[Report]:
    """Each report once, with the time it was first seen and the time of its latest snapshot."""
    merged: dict[str, Report] = {}
    for report in reports:
        known = merged.get(report.id)
        merged[report.id] = report if known is None else _both(known, report)
    return list(merged.values())


def _both(one: Report, other: Report) -> Report:
    first = min(one, other, key=lambda report: (report.seen_at, report.source))
    taken = [at for at in (one.snapshot_at, other.snapshot_at) if at is not None]
    last = max(taken, default=None)
    return first if first.snapshot_at == last else replace(first, snapshot_at=last)


def in_order(reports: Iterable[Report]) -> Iterator[Report]:
    """Reports by the time when they occurred; reports of the same instant in the order of the
    lifecycle.

    Snapshots of one instant are in the order in which they were taken, so that the last one
    decides. Each event comes before the first snapshot with its status or a later one, since that
    snapshot already includes it.
    """
    in_place = sorted(reports, key=_place)
    if not any(report.is_snapshot for report in in_place):
        yield from in_place
        return
    for _, group in groupby(in_place, key=lambda report: report.occurred_at):
        of_one_instant = list(group)
        snapshots = [report for report in of_one_instant if report.is_snapshot]
        is_alone = len(of_one_instant) == 1 or not snapshots
        yield from of_one_instant if is_alone else _joined(of_one_instant, snapshots)


def _joined(reports: Iterable[Report], snapshots: Iterable[Report]) -> Iterator[Report]:
    events = [report for report in reports if not report.is_snapshot]
    placed = 0
    for snapshot in sorted(snapshots, key=_taken):
        while placed < len(events) and _rank(events[placed]) <= _rank(snapshot):
            yield events[placed]
            placed += 1
        yield snapshot
    yield from events[placed:]


def _rank(report: Report) -> int:
    return -1 if report.status is None else report.status.rank


def _place(report: Report) -> tuple[datetime, int, str]:
    return report.occurred_at, _rank(report), report.id


def _taken(report: Report) -> tuple[datetime, int, str]:
    return report.snapshot_at or report.seen_at, _rank(report), report.id


def is_long(reports: Sequence[Report]) -> bool:
    """Whether the reports exceed the limits of a timeline, in number or size."""
    return len(reports) > TIMELINE_CAP or _weight(reports) > TIMELINE_BYTES


def _weight(reports: Iterable[Report]) -> int:
    return sum(report.size + ENTRY_BYTES for report in reports)


def place_to_cut(reports: Sequence[Report]) -> int:
    """How many of the oldest reports to remove: about half, and either all reports of one instant
    or none.

    Only if all possible places are within one instant, the cut is there. A single report is kept.
    """
    wanted = len(reports) // 2
    places = [
        place
        for place in range(1, len(reports))
        if reports[place].occurred_at != reports[place - 1].occurred_at
    ]
    return min(places, key=lambda place: abs(place - wanted), default=wanted)


def end_of_summary(reports: Sequence[Report], cut: int, before: datetime | None) -> datetime:
    """The end of the summary's time if these reports are cut at this position.

    Actions and notes of people don't count: a provider's report that arrives after many notes, and
    is dated before them, can still be applied.

    :param reports: at least one
    :param before: the end of the previous summary's time
    """
    said = [report for report in reports[:cut] if report.source is not Source.PERSON]
    if not said:
        return before or _just_before(reports[0].occurred_at)
    last = said[-1].occurred_at
    if any(report.occurred_at == last for report in reports[cut:]):
        # The remaining reports of this instant must not count as late.
        last = _just_before(last)
    return max(last, before) if before else last


def _just_before(instant: datetime) -> datetime:
    return instant - _MILLISECOND if instant.year > 1 else instant


def is_late(report: Report, summary: Summary | None) -> bool:
    """Whether the report occurred in the time of the summary."""
    return summary is not None and report.occurred_at <= summary.until


def outlasting(history: Sequence[Report]) -> list[Report]:
    """The reports in the summary's time that stay on the timeline, in their order.

    They are the last actions and notes of people, and the provider's last late reports.
    """
    by_people = [report for report in history if report.source is Source.PERSON]
    late = [report for report in history if report.source is not Source.PERSON]
    lasting = [report for report in by_people if _lasts(report)]
    passing = [report for report in by_people if not _lasts(report)]
    kept = {
        report.id
        for reports, limits in ((late, _LATE), (lasting, _LASTING), (passing, _PASSING))
        for report in _last(reports, *limits)
    }
    return [report for report in history if report.id in kept]


def _lasts(report: Report) -> bool:
    said = report.details
    return "planned_for" in said or said.get("action") == PAID


def _last(reports: Sequence[Report], most: int, most_bytes: int) -> Iterator[Report]:
    total = 0
    for report in reversed(reports[-most:]):
        total += report.size + ENTRY_BYTES
        if total > most_bytes:
            return
        yield report
