"""The lifecycle: which changes of status are allowed, and how reports are folded into an order.

``fold`` is pure: no clock, no AWS, no logging. The same reports give the same order, in whatever
order and however often they arrived.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, cast

from milepost.common.status import Status, is_same_word
from milepost.orders.attention import (
    reason_of_cut,
    reason_of_late,
    reason_of_more,
    reason_of_shortened,
    reason_of_unread,
    reason_to_look,
)
from milepost.orders.details import ABOUT_AN_ACTION, Details
from milepost.orders.item_sizes import ATTENTION_BYTES, DETAILS_BYTES, shorten_text
from milepost.orders.order import Attention, Effect, Entry, Order, OrderKey, acknowledged_by
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source, shorten
from milepost.orders.stages import MOVING, stages_in
from milepost.orders.status_remapping import restate, restate_summary
from milepost.orders.summary import SWALLOWED_DIGITS, Summary, Wait
from milepost.orders.timeline import (
    end_of_summary,
    in_order,
    is_late,
    is_long,
    merge,
    outlasting,
    place_to_cut,
)
from milepost.orders.timeline_summary import sum_up

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
"""Statuses after which nothing more is expected; ``completed`` can still become ``active``."""
OPEN_BY_PROGRESS: Final = tuple(status for status in Status if status not in TERMINAL)
OPEN: Final = frozenset(OPEN_BY_PROGRESS)
"""Statuses in which something is still expected."""

# For all providers. What one provider allows beyond them is in its ``Rules``.
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
"""The allowed moves. Steps forward may be skipped; an order doesn't leave a terminal status."""

MOST_REASONS: Final = 20
"""Maximum number of reasons for attention that an order shows at a time."""


@dataclass(slots=True)
class _State:
    status: Status
    raw_status: str | None
    since: datetime
    details: Details
    waited: timedelta = timedelta(0)
    waiting: Wait | None = None
    raw_since: datetime | None = None
    waited_before: timedelta = timedelta(0)


def fold(reports: Iterable[Report], rules: Rules, summary: Summary | None = None) -> Order:
    """Fold reports into their order.

    :param reports: at least one, all of the same order; repeated ones count once
    :param summary: the summary of older reports; reports that it contains are ignored when they are
        repeated, and other reports from before its end stay on the timeline, marked as late
    :raises ValueError: without any report
    """
    summary = restate_summary(summary, rules.read_status)
    restated = (restate(report, rules.read_status) for report in reports)
    history, timeline = _history_and_timeline(restated, summary)
    if not history and not timeline:
        raise ValueError("an order needs at least one report")
    state = _start(timeline[0] if timeline else history[0], summary)
    entries = (
        *(Entry(report, _effect_of_history(report)) for report in history),
        *(Entry(report, _apply(state, report, rules)) for report in timeline),
    )
    said = [*history, *timeline]
    details = _bounded_details(state.details, said, summary)
    acknowledged = acknowledged_by(said) | (summary.acknowledged if summary else frozenset())
    order = Order(
        key=OrderKey.of(said[0]),
        status=state.status,
        raw_status=state.raw_status,
        since=state.since,
        details=details,
        timeline=entries,
        summary=summary,
        waited=state.waited,
        waiting=state.waiting,
        raw_since=state.raw_since,
        waited_before=state.waited_before,
    )
    reasons = [one for one in _reasons(order, rules) if one.id not in acknowledged]
    if reasons:
        order = replace(order, attention=_most_of(reasons))
    return _shorten(order, rules) if is_long(said) else order


def _history_and_timeline(
    reports: Iterable[Report], summary: Summary | None
) -> tuple[list[Report], list[Report]]:
    """The reports from the summary's time that are kept, and the reports after it."""
    merged = merge(reports)
    if summary is None:
        return [], list(in_order(merged))
    swallowed = frozenset(summary.swallowed)
    there = [one for one in merged if one.id[:SWALLOWED_DIGITS] not in swallowed]
    history = [report for report in there if is_late(report, summary)]
    after = [report for report in there if not is_late(report, summary)]
    return list(in_order(history)), list(in_order(after))


def _effect_of_history(report: Report) -> Effect:
    return Effect.NOTED if report.source is Source.PERSON else Effect.LATE


def _bounded_details(details: Details, said: Iterable[Report], summary: Summary | None) -> Details:
    """The facts, limited in size; each report is already limited by itself."""
    if summary is None and sum(report.size for report in said) <= DETAILS_BYTES:
        return details
    return shorten(details, DETAILS_BYTES)


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
        summary.raw_since,
        summary.waited_before,
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
        state.raw_since = None
        _end_stage(state, state.since)
        # A reason explains the status that it arrived with, not the next one.
        state.details.pop("reason", None)
        state.details.pop("reason_source", None)
        state.details.pop("cause", None)
        if effect is Effect.CORRECTED:
            # The appointment ended with the decision: the provider names another one.
            state.details.pop("appointment", None)
    elif report.status is not None and not is_same_word(report.raw_status, state.raw_status):
        # Another raw status for the same canonical status is a stage of its own.
        state.raw_since = report.status_since or report.occurred_at
        _end_stage(state, state.raw_since)
    if report.status is not None:
        state.raw_status = report.raw_status
    facts = _facts(report.details)
    if "reason" in facts:
        state.details.pop("reason_source", None)
    state.details = {**_holding_on(state.details, report, rules), **facts}
    # Actions and notes of people don't say what the provider waits for.
    if enters or report.source is not Source.PERSON:
        _see_what_it_waits_for(state, report, rules, enters=enters)
    return effect


def _end_stage(state: _State, left: datetime) -> None:
    """Begin a stage without a wait; the previous stage's wait is added to the total."""
    state.waited_before += state.waited
    if state.waiting:
        state.waited_before += max(left - state.waiting.since, timedelta(0))
    state.waited, state.waiting = timedelta(0), None


def _see_what_it_waits_for(state: _State, report: Report, rules: Rules, *, enters: bool) -> None:
    """Begin, continue or end the wait for the customer; each stage counts its own waits."""
    what = (
        None if state.status in TERMINAL else rules.waits(state.status, _said_last(state, report))
    )
    if what == (state.waiting.what if state.waiting else None):
        return
    if state.waiting:
        state.waited += max(report.occurred_at - state.waiting.since, timedelta(0))
    entered = state.raw_since or state.since
    begins = state.since if enters else max(report.occurred_at, entered)
    state.waiting = Wait(what, begins) if what else None


def _said_last(state: _State, report: Report) -> Details:
    """The facts with only the latest notes, since an old note would keep the order waiting for
    ever.
    """
    facts = Details(**state.details)
    facts.pop("notes", None)
    if "notes" in report.details:
        facts["notes"] = report.details["notes"]
    return facts


def _holding_on(known: Details, report: Report, rules: Rules) -> Details:
    """The known facts that stay valid after this report. After a snapshot, these are only the facts
    that a snapshot can't contain."""
    if not report.is_snapshot:
        return known
    facts = {name: value for name, value in known.items() if name in rules.event_facts}
    return cast(Details, facts)


def _facts(said: Details) -> Details:
    facts = {name: value for name, value in said.items() if name not in ABOUT_AN_ACTION}
    return cast(Details, facts)


def _effect(state: _State, report: Report, rules: Rules) -> Effect:
    target = report.status
    if target is None:
        return Effect.UNKNOWN_STATUS if report.has_unknown_status else Effect.NOTED
    if target in MOVES[state.status]:
        return Effect.MOVED
    if target is state.status or _stays(state, report):
        return Effect.CONFIRMED
    raw = state.raw_status or ""
    if target in rules.continues.get(raw, ()):
        return Effect.CONTINUED
    if target in rules.recovers.get(raw, ()):
        return Effect.CORRECTED
    return Effect.OUT_OF_SEQUENCE


def _stays(state: _State, report: Report) -> bool:
    """Whether the provider repeats its raw status without a fact, such as a start date, that had
    made it a later status. This is no contradiction: the fact is removed, and the status stays."""
    is_open = state.status not in TERMINAL and report.status not in TERMINAL
    return is_open and is_same_word(report.raw_status, state.raw_status)


def _reasons(order: Order, rules: Rules) -> Iterator[Attention]:
    """Reasons for attention, from the last report of the status and from the current facts.

    A later report with a fitting status removes the reason that an earlier report gave.
    """
    status, details, entries, summary = order.status, order.details, order.timeline, order.summary
    said = [entry for entry in entries if entry.effect not in (Effect.NOTED, Effect.LATE)]
    found: list[Attention | None] = [reason_to_look(said[-1], status) if said else None]
    if summary is not None:
        late = [entry for entry in entries if entry.effect is Effect.LATE]
        found += [reason_of_late(late, summary, status), reason_of_cut(summary)]
    found += [reason_of_shortened(details), reason_of_unread(details)]
    if status in TERMINAL:
        found += sorted(rules.examine_closed(status, details))
    else:
        found += sorted(rules.examine(status, details))
        found += rules.look_at(order)
    for reason in found:
        if reason is not None:
            yield Attention(reason.code, shorten_text(reason.text, ATTENTION_BYTES))


def _most_of(reasons: Sequence[Attention]) -> tuple[Attention, ...]:
    """At most ``MOST_REASONS`` reasons, at least one of each code; the last one has the number of
    omitted reasons."""
    if len(reasons) <= MOST_REASONS:
        return tuple(reasons)
    codes = {reason.code: place for place, reason in reversed([*enumerate(reasons)])}
    others = (place for place in range(len(reasons)) if place not in codes.values())
    shown = sorted([*codes.values(), *others][: MOST_REASONS - 1])
    return (*(reasons[place] for place in shown), reason_of_more(len(reasons) - len(shown)))


def _shorten(order: Order, rules: Rules) -> Order:
    """Fold the oldest reports into the summary, to keep the timeline within its limit."""
    before, entries = order.summary, order.timeline
    history = [entry.report for entry in entries if is_late(entry.report, before)]
    reports = [entry.report for entry in entries[len(history) :]]
    cut = place_to_cut(reports)
    state = _start(reports[0] if reports else history[0], before)
    for report in reports[:cut]:
        _apply(state, report, rules)
    people = [report for report in reports[:cut] if report.source is Source.PERSON]
    kept = outlasting([*history, *people])
    stays = {report.id for report in kept}
    standing = Summary(
        count=0,
        until=_until(reports, cut, before),
        status=state.status,
        raw_status=state.raw_status,
        since=state.since,
        details=state.details,
        waited=state.waited,
        waiting=state.waiting,
        raw_since=state.raw_since,
        waited_before=state.waited_before,
    )
    summary = sum_up(
        standing,
        before,
        gone=[one for one in [*history, *reports[:cut]] if one.id not in stays],
        stages=tuple(stages_in(entries[: len(history) + cut], before)),
        raised=frozenset(one.id for one in _reasons(order, rules)),
    )
    return fold([*kept, *reports[cut:]], rules, summary)


def _until(reports: Sequence[Report], cut: int, before: Summary | None) -> datetime:
    if cut == 0 and before is not None:
        return before.until
    return end_of_summary(reports, cut, before.until if before else None)
