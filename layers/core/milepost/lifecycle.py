"""How a life runs: which moves are allowed, and the fold of reports into an order.

``fold`` is pure: no clock, no AWS, no logging. From the same reports, in whatever order and
number they arrived, comes the same order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from milepost.attention import reason_to_look
from milepost.order import (
    Attention,
    Effect,
    Entry,
    Order,
    OrderKey,
    Summary,
    Wait,
    acknowledged_by,
)
from milepost.report import ABOUT_AN_ACTION, Details, Report, Source, Status
from milepost.stages import MOVING, stages_in

_FORWARD: Final = (
    Status.UNKNOWN,
    Status.PENDING,
    Status.SUBMITTED,
    Status.ACCEPTED,
    Status.SCHEDULED,
    Status.IN_PROGRESS,
    Status.COMPLETED,
    Status.ACTIVE,
)
_ENDINGS: Final = frozenset({Status.REJECTED, Status.FAILED, Status.CANCELLED})
TERMINAL: Final = _ENDINGS | {Status.COMPLETED, Status.ACTIVE}
"""Statuses in which nothing more is expected; ``completed`` still goes on to ``active``."""
OPEN: Final = frozenset(Status) - TERMINAL
"""Statuses in which something is still expected."""

MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    **{
        status: frozenset(_FORWARD[place + 1 :]) | _ENDINGS
        for place, status in enumerate(_FORWARD)
        if status not in TERMINAL
    },
    Status.COMPLETED: frozenset({Status.ACTIVE}),
    Status.ACTIVE: frozenset(),
    **dict.fromkeys(_ENDINGS, frozenset[Status]()),
}
"""The allowed moves. Steps may be skipped forward; a terminal status is not left."""

TIMELINE_CAP: Final = 100
"""Reports kept on one timeline; older ones fold into its summary."""
LIGHT_COUNT: Final = 10
HEAVY_CHARACTERS: Final = 150_000
"""Details of one timeline, beyond which it is shortened too: an item holds 400 KB at most."""


def nothing_to_examine(_status: Status, _details: Details) -> Iterable[Attention]:
    """For providers whose orders need no check of their own."""
    return ()


def nothing_to_wait_for(_status: Status, _details: Details) -> str | None:
    """For providers whose orders never stand still until the customer has done something."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one provider adds to the lifecycle.

    ``continues`` and ``recovers`` map a raw status to the statuses it may be left for although it
    is terminal: the usual way on, or the taking back of a decision. ``examine`` looks at an open
    order's facts for what a person should see to. ``waits`` says what an open order waits for from
    its customer, in one word, or None; of the notes it sees those that the provider said last.
    """

    continues: Mapping[str, frozenset[Status]] = field(default_factory=dict)
    recovers: Mapping[str, frozenset[Status]] = field(default_factory=dict)
    examine: Callable[[Status, Details], Iterable[Attention]] = nothing_to_examine
    waits: Callable[[Status, Details], str | None] = nothing_to_wait_for


@dataclass(slots=True)
class _State:
    status: Status
    raw_status: str | None
    since: datetime
    details: Details
    waited: timedelta = timedelta(0)
    waiting: Wait | None = None


def fold(reports: Iterable[Report], rules: Rules, summary: Summary | None = None) -> Order:
    """The order that these reports imply.

    :param reports: at least one, all of the same order; repeated ones count once
    :param summary: what older reports came to; reports from before its end are history already
    :raises ValueError: without any report
    """
    timeline = _in_order(reports, summary)
    if not timeline:
        raise ValueError("an order needs at least one report")
    state = _start(timeline[0], summary)
    entries = tuple(Entry(report, _apply(state, report, rules)) for report in timeline)
    acknowledged = acknowledged_by(timeline) | (summary.acknowledged if summary else frozenset())
    order = Order(
        key=OrderKey.of(timeline[0]),
        status=state.status,
        raw_status=state.raw_status,
        since=state.since,
        details=state.details,
        timeline=entries,
        attention=tuple(
            reason for reason in _attention(state, entries, rules) if reason.id not in acknowledged
        ),
        summary=summary,
        waited=state.waited,
        waiting=state.waiting,
    )
    return _shorten(order, rules) if _is_long(entries) else order


def _is_long(entries: Sequence[Entry]) -> bool:
    if len(entries) > TIMELINE_CAP:
        return True
    # Only a long timeline can be a heavy one, and weighing costs.
    return len(entries) > LIGHT_COUNT and _weight(entries) > HEAVY_CHARACTERS


def _weight(entries: Sequence[Entry]) -> int:
    return sum(len(str(entry.report.details)) for entry in entries)


def _in_order(reports: Iterable[Report], summary: Summary | None) -> list[Report]:
    unique: dict[str, Report] = {}
    for report in reports:
        known = unique.get(report.id)
        if known is None or _arrival(report) < _arrival(known):
            unique[report.id] = report
    kept = unique.values()
    return sorted((r for r in kept if summary is None or r.occurred_at > summary.until), key=_place)


def _arrival(report: Report) -> tuple[datetime, str]:
    """Which of two copies of one report is kept: the one seen first."""
    return report.seen_at, report.source


def _place(report: Report) -> tuple[datetime, int, str]:
    rank = -1 if report.status is None else report.status.rank
    return report.occurred_at, rank, report.id


def _start(first: Report, summary: Summary | None) -> _State:
    if summary is None:
        return _State(Status.UNKNOWN, first.raw_status, first.occurred_at, {})
    return _State(
        summary.status,
        summary.raw_status,
        summary.since,
        Details(**summary.details),
        summary.waited,
        summary.waiting,
    )


def _apply(state: _State, report: Report, rules: Rules) -> Effect:
    effect = _effect(state, report, rules)
    if effect is Effect.OUT_OF_SEQUENCE:
        return effect
    enters = effect in MOVING
    if enters:
        assert report.status is not None
        state.status = report.status
        state.since = report.status_since or report.occurred_at
        state.waited, state.waiting = timedelta(0), None
        # A reason explains the status it came with, not the next one.
        state.details.pop("reason", None)
        state.details.pop("reason_source", None)
        state.details.pop("cause", None)
    if report.status is not None:
        state.raw_status = report.raw_status
    if "reason" in report.details:
        state.details.pop("reason_source", None)
    state.details = {**state.details, **_facts(report.details)}
    # What one of us did or noted doesn't say what the provider waits for.
    if enters or report.source is not Source.PERSON:
        _see_what_it_waits_for(state, report, rules, enters=enters)
    return effect


def _see_what_it_waits_for(state: _State, report: Report, rules: Rules, *, enters: bool) -> None:
    """Begin, go on with or end the wait for the customer; each stage counts its own."""
    what = (
        None if state.status in TERMINAL else rules.waits(state.status, _said_last(state, report))
    )
    if what == (state.waiting.what if state.waiting else None):
        return
    if state.waiting:
        state.waited += max(report.occurred_at - state.waiting.since, timedelta(0))
    begins = state.since if enters else max(report.occurred_at, state.since)
    state.waiting = Wait(what, begins) if what else None


def _said_last(state: _State, report: Report) -> Details:
    """The facts, but of notes only the last: an old one would have the order wait for ever."""
    facts = Details(**state.details)
    facts.pop("notes", None)
    if "notes" in report.details:
        facts["notes"] = report.details["notes"]
    return facts


def _facts(said: Details) -> Details:
    facts = {name: value for name, value in said.items() if name not in ABOUT_AN_ACTION}
    kept: Details = Details(**facts)  # type: ignore[typeddict-item]
    return kept


def _effect(state: _State, report: Report, rules: Rules) -> Effect:
    target = report.status
    if target is None:
        return Effect.UNKNOWN_STATUS if report.has_unknown_status else Effect.NOTED
    if target is state.status:
        return Effect.CONFIRMED
    if target in MOVES[state.status]:
        return Effect.MOVED
    raw = state.raw_status or ""
    if target in rules.continues.get(raw, ()):
        return Effect.CONTINUED
    if target in rules.recovers.get(raw, ()):
        return Effect.CORRECTED
    return Effect.OUT_OF_SEQUENCE


def _attention(state: _State, entries: tuple[Entry, ...], rules: Rules) -> Iterable[Attention]:
    """Reasons to look, from the last thing said of the status and from the facts as they stand.

    A later report whose status fits settles what an earlier one raised.
    """
    said = [entry for entry in entries if entry.effect is not Effect.NOTED]
    if said and (reason := reason_to_look(said[-1], state.status)):
        yield reason
    if state.status not in TERMINAL:
        yield from sorted(rules.examine(state.status, state.details))


def _shorten(order: Order, rules: Rules) -> Order:
    """Fold the oldest reports into the summary, so that a timeline keeps at most its cap."""
    reports = [entry.report for entry in order.timeline]
    cut = _cut(reports)
    if cut is None:
        return order
    state = _start(reports[0], order.summary)
    for report in reports[:cut]:
        _apply(state, report, rules)
    summary = Summary(
        count=cut + (order.summary.count if order.summary else 0),
        until=reports[cut - 1].occurred_at,
        status=state.status,
        raw_status=state.raw_status,
        since=state.since,
        details=state.details,
        waited=state.waited,
        waiting=state.waiting,
        acknowledged=acknowledged_by(reports[:cut])
        | (order.summary.acknowledged if order.summary else frozenset()),
        stages=tuple(stages_in(order.timeline[:cut], order.summary)),
    )
    return fold(reports[cut:], rules, summary)


def _cut(reports: list[Report]) -> int | None:
    """Where to cut: at a change of instant, since those of one instant belong together.

    None when there is no such place: so many reports of one instant are all kept.
    """
    wanted = len(reports) // 2
    places = [
        place
        for place in range(1, len(reports))
        if reports[place].occurred_at != reports[place - 1].occurred_at
    ]
    return min(places, key=lambda place: abs(place - wanted), default=None)
