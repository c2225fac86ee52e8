"""How a life runs: which moves are allowed, and the fold of reports into an order.

``fold`` is pure: no clock, no AWS, no logging. From the same reports, in whatever order and
number they arrived, comes the same order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from milepost.order import Attention, Effect, Entry, Order, OrderKey, Summary
from milepost.report import ABOUT_AN_ACTION, Details, Report, Status, format_instant

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one provider adds to the lifecycle.

    ``continues`` and ``recovers`` map a raw status to the statuses it may be left for although it
    is terminal: the usual way on, or the taking back of a decision. ``examine`` looks at an open
    order's facts for what a person should see to.
    """

    continues: Mapping[str, frozenset[Status]] = field(default_factory=dict)
    recovers: Mapping[str, frozenset[Status]] = field(default_factory=dict)
    examine: Callable[[Status, Details], Iterable[Attention]] = nothing_to_examine


@dataclass(slots=True)
class _State:
    status: Status
    raw_status: str | None
    since: datetime
    details: Details


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
    order = Order(
        key=OrderKey.of(timeline[0]),
        status=state.status,
        raw_status=state.raw_status,
        since=state.since,
        details=state.details,
        timeline=entries,
        attention=tuple(_attention(state, entries, rules)),
        summary=summary,
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
    return _State(summary.status, summary.raw_status, summary.since, Details(**summary.details))


def _apply(state: _State, report: Report, rules: Rules) -> Effect:
    effect = _effect(state, report, rules)
    if effect is Effect.OUT_OF_SEQUENCE:
        return effect
    if effect in (Effect.MOVED, Effect.CONTINUED, Effect.CORRECTED):
        assert report.status is not None
        state.status = report.status
        state.since = report.status_since or report.occurred_at
        # A reason explains the status it came with, not the next one.
        state.details.pop("reason", None)
        state.details.pop("cause", None)
    if report.status is not None:
        state.raw_status = report.raw_status
    state.details = {**state.details, **_facts(report.details)}
    return effect


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
    if said and (reason := _reason_to_look(said[-1], state)):
        yield reason
    if state.status not in TERMINAL:
        yield from sorted(rules.examine(state.status, state.details))


def _reason_to_look(entry: Entry, state: _State) -> Attention | None:
    raw = entry.report.raw_status
    when = format_instant(entry.report.occurred_at)
    match entry.effect:
        case Effect.UNKNOWN_STATUS:
            return Attention(
                "unknown_status",
                f"The provider said {raw!r} at {when}, which is not a status we know. "
                f"The order stays {state.status}; look at the provider's own page.",
            )
        case Effect.OUT_OF_SEQUENCE:
            return Attention(
                "out_of_sequence",
                f"The provider said {raw!r} at {when}, which cannot follow {state.status}. "
                "It is kept on the timeline; ask the provider which of the two holds.",
            )
        case Effect.CORRECTED:
            return Attention(
                "correction",
                f"The provider took back an earlier decision: the order is {state.status} again "
                f"since {when}. Tell the customer if they were told otherwise.",
            )
        case _:
            return None


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
