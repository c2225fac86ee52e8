"""Tombstones: what stays of an order whose customer was erased.

A tombstone keeps what happened when, so that figures stay true and a late event is answered
(``recording.RecordOutcome.ERASED``) instead of bringing anything back.
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
"""Details that a tombstone keeps. All others go, also those that are yet to be thought of: any text
may name somebody."""


def tombstone_of(tracked: TrackedOrder, *, at: datetime) -> TrackedOrder:
    """The order without anything of its customer: status, dates, and what moved it when."""
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
    # A raw status that no table knows is any text; one that is known is one of a few words.
    raw = None if report.has_unknown_status else report.raw_status
    return replace(entry, report=replace(report, raw_status=raw, details=_bare(report.details)))


def _bare(details: Details) -> Details:
    kept = {name: value for name, value in details.items() if name in KEPT}
    # The figures count these, and what says them is going.
    if cause := cause_in(details):
        kept["cause"] = cause
    if known := identifiers_in(details):
        kept["meter_known"] = sorted(known)
    bare: Details = Details(**kept)  # type: ignore[typeddict-item]
    return bare
