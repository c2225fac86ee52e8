"""What of an order's change people are to be told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from milepost.order import Announcement, Effect, Kind, Order, TrackedOrder
from milepost.report import Status

KIND_OF: Final[Mapping[Status, Kind]] = {
    Status.ACCEPTED: Kind.ACCEPTED,
    Status.REJECTED: Kind.REJECTED,
    Status.SCHEDULED: Kind.SCHEDULED,
    Status.COMPLETED: Kind.COMPLETED,
    Status.ACTIVE: Kind.COMPLETED,
    Status.CANCELLED: Kind.CANCELLED,
    Status.FAILED: Kind.FAILED,
}
"""Which transition is told, and as what. ``completed`` and ``active`` are told as one, once."""


def announcements(
    before: TrackedOrder | None, after: Order, *, now: datetime
) -> tuple[Announcement, ...]:
    """What the change from ``before`` to ``after`` gives to tell, with the next free sequences.

    A duplicate or a late report leaves status, appointment and attention as they were, so it
    gives nothing.
    """
    told = len(before.announced) if before else 0
    kinds = [*_of_status(before, after), *_of_attention(before, after)]
    entered = _entered(after)
    return tuple(
        Announcement(
            sequence=told + place,
            kind=kind,
            status=after.status,
            previous=before.order.status if before else None,
            occurred_at=_when(kind, after),
            announced_at=now,
            correction=entered in _OUT_OF_TERMINAL,
        )
        for place, kind in enumerate(kinds, start=1)
    )


_OUT_OF_TERMINAL: Final = frozenset({Effect.CONTINUED, Effect.CORRECTED})
_ENTERING: Final = _OUT_OF_TERMINAL | {Effect.MOVED}
_ABOUT_FACTS: Final = frozenset({Kind.RESCHEDULED, Kind.ATTENTION})


def _when(kind: Kind, after: Order) -> datetime:
    return after.last_entry.report.occurred_at if kind in _ABOUT_FACTS else after.since


def _entered(after: Order) -> Effect | None:
    """By which sort of move the order came to where it stands."""
    moves = (entry.effect for entry in reversed(after.timeline) if entry.effect in _ENTERING)
    return next(moves, None)


def _of_status(before: TrackedOrder | None, after: Order) -> list[Kind]:
    if before is None or before.order.status is not after.status:
        return _of_transition(before, after)
    if after.status is Status.SCHEDULED and _appointment_moved(before.order, after):
        return [Kind.RESCHEDULED]
    return []


def _of_transition(before: TrackedOrder | None, after: Order) -> list[Kind]:
    if before is not None and _entered(after) is Effect.CORRECTED:
        return [Kind.CORRECTION]
    kind = KIND_OF.get(after.status)
    if kind is None or (kind is Kind.COMPLETED and _completion_was_told(before)):
        return []
    return [kind]


def _completion_was_told(before: TrackedOrder | None) -> bool:
    return before is not None and any(one.kind is Kind.COMPLETED for one in before.announced)


def _appointment_moved(before: Order, after: Order) -> bool:
    return before.appointment is not None and after.appointment != before.appointment


def _of_attention(before: TrackedOrder | None, after: Order) -> list[Kind]:
    known = {reason.code for reason in before.order.attention} if before else set()
    return [Kind.ATTENTION] if {reason.code for reason in after.attention} - known else []
