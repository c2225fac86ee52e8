"""The parts of an order's item: reports, summary, waits, the overdue mark."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from milepost.common.status import StageLevel, Status
from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.orders.details import Details
from milepost.orders.order import Effect, Entry, OrderKey, Overdue
from milepost.orders.report import Report, Source
from milepost.orders.summary import SWALLOWED_DIGITS, Stage, Summary, Wait

_MILLISECOND: Final = timedelta(milliseconds=1)


_AS_BEFORE: Final = "="
"""In place of the names of facts: those that the entry before names."""


def timeline_items(timeline: Iterable[Entry], whole: Details) -> list[dict[str, Any]]:
    """A timeline in its stored form: facts that are still valid are referenced, not repeated.

    A provider that is polled says everything each time; without this an order would cost a write
    unit more for every step of its life.
    """
    items: list[dict[str, Any]] = []
    named = None
    for entry in timeline:
        item = _entry_item(entry, whole)
        same = item.get("same")
        if same is not None and same == named:
            item["same"] = _AS_BEFORE
        items.append(item)
        named = same
    return items


def timeline_of(
    items: Iterable[Mapping[str, Any]], key: OrderKey, whole: Details
) -> tuple[Entry, ...]:
    """The timeline from its stored form, as ``timeline_items`` wrote it, with the order's facts
    inserted.
    """
    entries: list[Entry] = []
    named = ""
    for item in items:
        same = item.get("same", "")
        named = named if same == _AS_BEFORE else same
        entries.append(_entry_of(item, key, whole, same=named))
    return tuple(entries)


def _entry_item(entry: Entry, whole: Details) -> dict[str, Any]:
    report = entry.report
    current: Mapping[str, Any] = whole
    said: Mapping[str, Any] = report.details
    differing = {name: value for name, value in said.items() if current.get(name) != value}
    same = ",".join(name for name in said if name not in differing)
    values = {
        "at": format_instant(report.occurred_at),
        "seen": format_instant(report.seen_at),
        "source": str(report.source),
        "status": report.status and str(report.status),
        "raw": report.raw_status,
        "effect": str(entry.effect),
        "details": differing or None,
        "same": same or None,
        "since": format_instant(report.status_since) if report.status_since else None,
        "fetched": report.dated_by_fetch or None,
        "taken": _taken_item(report),
    }
    return {name: value for name, value in values.items() if value is not None}


_WHEN_SEEN: Final = "seen"
"""In place of when a snapshot was taken: at the very time at which it was seen, as most are."""


def _taken_item(report: Report) -> str | None:
    if report.snapshot_at is None:
        return None
    is_when_seen = report.snapshot_at == report.seen_at
    return _WHEN_SEEN if is_when_seen else format_instant(report.snapshot_at)


def _taken_of(item: Mapping[str, Any]) -> datetime | None:
    """None for an event, and for reports that were stored before snapshots and events were
    distinguished.
    """
    taken = item.get("taken")
    return instant_of(item["seen"] if taken == _WHEN_SEEN else taken)


def _entry_of(item: Mapping[str, Any], key: OrderKey, whole: Details, *, same: str) -> Entry:
    current: Mapping[str, Any] = whole
    names = same.split(",") if same else []
    details = {**item.get("details", {}), **{name: current[name] for name in names}}
    report = Report(
        connection=key.connection,
        order_id=key.order_id,
        item_id=key.item_id,
        status=Status(item["status"]) if "status" in item else None,
        raw_status=item.get("raw"),
        occurred_at=parse_instant(item["at"]),
        seen_at=parse_instant(item["seen"]),
        source=Source(item["source"]),
        details=cast(Details, details),
        status_since=instant_of(item.get("since")),
        dated_by_fetch=item.get("fetched", False),
        snapshot_at=_taken_of(item),
    )
    return Entry(report, Effect(item["effect"]))


_COUNTS: Final = ("stages_left_out", "late", "people")
"""Attributes of a summary, which are stored if they aren't empty."""


def summary_item(summary: Summary | None) -> dict[str, Any] | None:
    """A summary, if there is one, in its stored form."""
    if summary is None:
        return None
    return {
        "count": summary.count,
        "until": format_instant(summary.until),
        "status": str(summary.status),
        "raw": summary.raw_status,
        "since": format_instant(summary.since),
        "details": summary.details,
        "acknowledged": sorted(summary.acknowledged),
        **wait_item(summary.waited, summary.waiting),
        **stage_item(summary.raw_since, summary.waited_before),
        "stages": [_stored_stage(one) for one in summary.stages],
        **{name: number for name in _COUNTS if (number := getattr(summary, name))},
        **({"payments": list(summary.payments)} if summary.payments else {}),
        **({"swallowed": "".join(summary.swallowed)} if summary.swallowed else {}),
    }


def summary_of(item: Mapping[str, Any] | None) -> Summary | None:
    """The summary from its stored form, as ``summary_item`` wrote it."""
    if item is None:
        return None
    return Summary(
        count=int(item["count"]),
        until=parse_instant(item["until"]),
        status=Status(item["status"]),
        raw_status=item["raw"],
        since=parse_instant(item["since"]),
        details=item["details"],
        waited=waited_of(item),
        waiting=wait_of(item),
        raw_since=instant_of(item.get("raw_since")),
        waited_before=waited_before_of(item),
        acknowledged=frozenset(item.get("acknowledged", ())),
        stages=tuple(_stage_of(stored) for stored in item.get("stages", ())),
        payments=tuple(item.get("payments", ())),
        swallowed=_swallowed_of(item.get("swallowed", "")),
        **{name: int(item[name]) for name in _COUNTS if name in item},
    )


def _stored_stage(one: Stage) -> list[str]:
    stored = [str(one.status), format_instant(one.entered), format_instant(one.left)]
    if one.raw_status or one.level is not StageLevel.BOTH:
        stored += [one.raw_status or "", str(one.level)]
    return stored


def _stage_of(stored: Sequence[str]) -> Stage:
    status, entered, left, *of_raw = stored
    raw_status, level = of_raw or ("", StageLevel.BOTH)
    return Stage(
        Status(status),
        parse_instant(entered),
        parse_instant(left),
        raw_status or None,
        StageLevel(level),
    )


def _swallowed_of(digits: str) -> tuple[str, ...]:
    places = range(0, len(digits), SWALLOWED_DIGITS)
    return tuple(digits[place : place + SWALLOWED_DIGITS] for place in places)


def wait_item(waited: timedelta, waiting: Wait | None) -> dict[str, Any]:
    """A stage's waits, in whole milliseconds, like all stored times."""
    return {
        "waited": waited // _MILLISECOND or None,
        "waiting": waiting.what if waiting else None,
        "waiting_since": format_instant(waiting.since) if waiting else None,
    }


def stage_item(raw_since: datetime | None, waited_before: timedelta) -> dict[str, Any]:
    """When a stage within its canonical status began, and how long the stages before it waited."""
    return {
        "raw_since": format_instant(raw_since) if raw_since else None,
        "waited_before": waited_before // _MILLISECOND or None,
    }


def waited_before_of(item: Mapping[str, Any]) -> timedelta:
    """How long earlier stages waited, from the form that ``stage_item`` wrote."""
    return int(item.get("waited_before") or 0) * _MILLISECOND


def waited_of(item: Mapping[str, Any]) -> timedelta:
    """How long the stage waited before, from the form that ``wait_item`` wrote."""
    return int(item.get("waited") or 0) * _MILLISECOND


def wait_of(item: Mapping[str, Any]) -> Wait | None:
    """What the stage waits for, from the form that ``wait_item`` wrote."""
    what = item.get("waiting")
    return Wait(what, parse_instant(item["waiting_since"])) if what else None


def overdue_item(mark: Overdue) -> dict[str, Any]:
    """The overdue mark in its stored form."""
    escalated = {"escalated_at": format_instant(mark.escalated_at)} if mark.escalated_at else {}
    raw = {"raw_status": mark.raw_status} if mark.raw_status is not None else {}
    return {
        "status": str(mark.status),
        "since": format_instant(mark.since),
        "deadline": format_instant(mark.deadline),
        "allowed": mark.allowed,
        "marked_at": format_instant(mark.marked_at),
        **({"waiting": mark.waiting} if mark.waiting else {}),
        **escalated,
        **raw,
    }


def overdue_of(item: Mapping[str, Any]) -> Overdue:
    """The overdue mark of an item, which the index also contains."""
    return Overdue(
        status=Status(item["status"]),
        since=parse_instant(item["since"]),
        deadline=parse_instant(item["deadline"]),
        allowed=item["allowed"],
        marked_at=parse_instant(item["marked_at"]),
        escalated_at=instant_of(item.get("escalated_at")),
        waiting=item.get("waiting"),
        raw_status=item.get("raw_status"),
    )


def instant_of(text: str | None) -> datetime | None:
    """The instant, if there is one."""
    return parse_instant(text) if text else None


def last_seen(item: Mapping[str, Any]) -> str:
    """When anything about an order last became known, to the second, according to its timeline."""
    return sortable(max(parse_instant(entry["seen"]) for entry in item["timeline"]))
