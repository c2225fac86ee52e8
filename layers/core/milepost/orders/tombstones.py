"""Tombstones: what is left of an order whose customer was erased.

A tombstone keeps what happened when, so that figures stay right and a late event is ignored
(``recording.RecordOutcome.ERASED``) instead of restoring personal data.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from milepost.common.status import Status
from milepost.orders.details import Details, cause_in, identifiers_in
from milepost.orders.order import Entry, TrackedOrder

KEPT: Final = frozenset(
    {
        *("service_type", "track", "cause", "commission"),
        *("ordered_at", "signed_at", "appointment", "fulfilment_at"),
        *("delivery_start", "delivery_end"),
        *("action", "action_key", "person", "planned_for", "acknowledged"),
    }
)
"""Details that a tombstone keeps. All others are removed, also any that are added later: every text
may name a person."""


def tombstone_of(tracked: TrackedOrder, *, at: datetime) -> TrackedOrder:
    """The order without any data of its customer: status, dates, and the times of its changes."""
    order = tracked.order
    bare = replace(
        order,
        raw_status=None if order.status is Status.UNKNOWN else order.raw_status,
        details=_bare(order.details),
        timeline=tuple(_bare_entry(entry) for entry in order.timeline),
        attention=(),
        waiting=None,
        summary=order.summary and replace(order.summary, details=_bare(order.summary.details)),
    )
    return replace(tracked, order=bare, version=tracked.version + 1, erased_at=at, overdue=None)


def _bare_entry(entry: Entry) -> Entry:
    report = entry.report
    # An unknown raw status may be any text; a known one is one of a few words.
    raw = None if report.has_unknown_status else report.raw_status
    return replace(entry, report=replace(report, raw_status=raw, details=_bare(report.details)))


def _bare(details: Details) -> Details:
    kept = {name: value for name, value in details.items() if name in KEPT}
    # The figures count these, and the details that they follow from are removed.
    if cause := cause_in(details):
        kept["cause"] = cause
    if known := identifiers_in(details):
        kept["meter_known"] = sorted(known)
    bare: Details = Details(**kept)  # type: ignore[typeddict-item]
    return bare
