"""What of an order's change people are to be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.orders.lifecycle import MOVES, TERMINAL
from milepost.orders.order import Announcement, Effect, Kind, Order, OrderKey, TrackedOrder

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


DETAILS_GRACE_PERIOD: Final = timedelta(seconds=5)
"""How long a mail waits that says scheduled but not for when, or rejected but not why: a provider
that fires two events for one change says so with the second, and the mail is written from the
order as it then is."""


MOST_ANNOUNCED: Final = 300
"""The last announcements of an order that are kept with it, of some 160 bytes each."""


def kept(announced: tuple[Announcement, ...]) -> tuple[Announcement, ...]:
    """Of an order's announcements those that stay with it.

    They are the last ones, in which the watch finds what was never told; and of older ones the
    last of each kind and status, by which it is known what people were told already.
    """
    if len(announced) <= MOST_ANNOUNCED:
        return announced
    older, last = announced[:-MOST_ANNOUNCED], announced[-MOST_ANNOUNCED:]
    known = {(one.kind, one.status) for one in last}
    decisive = {(one.kind, one.status): one for one in older if (one.kind, one.status) not in known}
    return (*sorted(decisive.values(), key=lambda one: one.sequence), *last)


def announcements(
    before: TrackedOrder | None, after: Order, *, now: datetime
) -> tuple[Announcement, ...]:
    """What the change from ``before`` to ``after`` gives to tell, with the next free sequences.

    A duplicate or a late report leaves status, appointment and attention as they were, so it
    gives nothing.
    """
    told = before.last_sequence if before else 0
    of_status = _of_status(before, after, now)
    kinds = [*of_status, *_of_attention(before, after)]
    corrects = _entered(after) in _OUT_OF_TERMINAL or Kind.CORRECTION in kinds
    was = before.order.status if before else None
    is_accepted_too = Kind.ACCEPTED in of_status and after.status is not Status.ACCEPTED
    return tuple(
        Announcement(
            sequence=told + place,
            kind=kind,
            status=Status.ACCEPTED if kind is Kind.ACCEPTED else after.status,
            previous=Status.ACCEPTED if kind is Kind.SCHEDULED and is_accepted_too else was,
            occurred_at=_when(kind, after),
            announced_at=now,
            correction=corrects,
            joined=kind in of_status and len(of_status) > 1,
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


def _of_status(before: TrackedOrder | None, after: Order, now: datetime) -> list[Kind]:
    if before is None or before.order.status is not after.status:
        return _of_transition(before, after)
    if after.status is Status.SCHEDULED and _appointment_is_news(before, after, now):
        return [Kind.RESCHEDULED]
    return []


def _of_transition(before: TrackedOrder | None, after: Order) -> list[Kind]:
    kind = KIND_OF.get(after.status)
    if before is not None and (
        _entered(after) is Effect.CORRECTED or _takes_back_what_was_told(before, after)
    ):
        # A date that comes with a correction is news of its own, for those who plan by it.
        return [Kind.CORRECTION, Kind.SCHEDULED] if kind is Kind.SCHEDULED else [Kind.CORRECTION]
    if kind is None or (kind is Kind.COMPLETED and _completion_was_told(before)):
        return []
    if kind is Kind.ACCEPTED and _acceptance_was_told(before):
        return []
    if kind is Kind.SCHEDULED and _was_not_accepted(before) and not _acceptance_was_told(before):
        return [Kind.ACCEPTED, Kind.SCHEDULED]
    return [kind]


_BEFORE_ACCEPTANCE: Final = frozenset({Status.UNKNOWN, Status.PENDING, Status.SUBMITTED})
_ACCEPTED_SINCE: Final = frozenset(
    {Status.ACCEPTED, Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED, Status.ACTIVE}
)
_TELLING: Final = frozenset({*KIND_OF.values(), Kind.RESCHEDULED, Kind.CORRECTION})
"""Kinds that say where an order stands."""
_LEAVING_ACCEPTANCE: Final = frozenset({Kind.FAILED, Kind.CANCELLED})
"""Of these, those that leave it as it was whether the order had been accepted."""


def _was_not_accepted(before: TrackedOrder | None) -> bool:
    """Whether the order is known to have stood before its acceptance: then an appointment says
    that as well. Of an order that is scheduled when it is first heard of, nobody knows."""
    return before is not None and before.order.status in _BEFORE_ACCEPTANCE


def _acceptance_was_told(before: TrackedOrder | None) -> bool:
    """Whether people know that it was accepted, and were notified of no rejection since."""
    said = (one for one in reversed(before.announced if before else ()) if one.kind in _TELLING)
    decisive = (
        one for one in said if one.kind is Kind.REJECTED or one.kind not in _LEAVING_ACCEPTANCE
    )
    last = next(decisive, None)
    return last is not None and last.status in _ACCEPTED_SINCE


def _completion_was_told(before: TrackedOrder | None) -> bool:
    return before is not None and any(one.kind is Kind.COMPLETED for one in before.announced)


def _takes_back_what_was_told(before: TrackedOrder, after: Order) -> bool:
    """Whether people were notified of an ending that, by an earlier-dated report, never was."""
    ending = before.order.status
    if ending not in TERMINAL or after.status in MOVES[ending]:
        return False
    was_told = any(one.status is ending for one in before.announced)
    return was_told and _entered(after) is not Effect.CONTINUED


def _appointment_is_news(before: TrackedOrder, after: Order, now: datetime) -> bool:
    """Whether the appointment isn't the one that people were notified of, or not told of it yet."""
    known = before.order.appointment
    if after.appointment == known:
        return False
    if known is not None:
        return True
    told = (one for one in reversed(before.announced) if one.kind is Kind.SCHEDULED)
    last = next(told, None)
    # A first appointment that comes at once is in the mail that says scheduled.
    return last is not None and now - last.announced_at > DETAILS_GRACE_PERIOD


def _of_attention(before: TrackedOrder | None, after: Order) -> list[Kind]:
    known = {reason.code for reason in before.order.attention} if before else set()
    return [Kind.ATTENTION] if {reason.code for reason in after.attention} - known else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """An announcement with what its order looked like when it was made."""

    key: OrderKey
    provider: str
    announcement: Announcement
    raw_status: str | None
    details: Details

    @property
    def id(self) -> str:
        return self.announcement.id_for(self.key)

    @property
    def service_type(self) -> str | None:
        return self.details.get("service_type")
