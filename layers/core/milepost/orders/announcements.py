"""Announcements: which changes of an order people are notified of."""

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
"""The kind of announcement for each new status. ``completed`` and ``active`` share a kind, which is
announced once."""


DETAILS_GRACE_PERIOD: Final = timedelta(seconds=5)
"""How long a mail waits that would say scheduled without a date, or rejected without a reason. Some
providers send two events for one change, and the second has the detail. The mail is rendered from
the order as it is after the wait. Date and reason are also announced by themselves, for
programs."""


MOST_ANNOUNCED: Final = 300
"""How many announcements are kept with an order: the last ones, of about 160 bytes each."""


def kept(announced: tuple[Announcement, ...]) -> tuple[Announcement, ...]:
    """The announcements that are stored with the order.

    These are the last ones, in which ``reconciliation`` finds notices that were never sent, and the
    last older one of each kind and status, which shows what people were already notified of.
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
    """The announcements for the change from ``before`` to ``after``, with the next free sequences.

    A duplicate or late report changes neither status nor appointment nor attention, so there are
    none.
    """
    last = before.last_sequence if before else 0
    of_status = _of_status(before, after)
    kinds = [*of_status, *_of_attention(before, after)]
    corrects = _entered(after) in _OUT_OF_TERMINAL or Kind.CORRECTION in kinds
    was = before.order.status if before else None
    is_accepted_too = Kind.ACCEPTED in of_status and after.status is not Status.ACCEPTED
    return tuple(
        Announcement(
            sequence=last + place,
            kind=kind,
            status=Status.ACCEPTED if kind is Kind.ACCEPTED else after.status,
            previous=Status.ACCEPTED if kind is Kind.SCHEDULED and is_accepted_too else was,
            occurred_at=_when(kind, before, after),
            announced_at=now,
            correction=corrects,
            joined=kind in of_status
            and (len(of_status) > 1 or _is_in_mail_that_waits(kind, before, now)),
        )
        for place, kind in enumerate(kinds, start=1)
    )


_OUT_OF_TERMINAL: Final = frozenset({Effect.CONTINUED, Effect.CORRECTED})
_ENTERING: Final = _OUT_OF_TERMINAL | {Effect.MOVED}
_ABOUT_FACTS: Final = frozenset({Kind.RESCHEDULED, Kind.ATTENTION})


def _when(kind: Kind, before: TrackedOrder | None, after: Order) -> datetime:
    is_same_status = before is not None and before.order.status is after.status
    is_of_report = is_same_status or kind in _ABOUT_FACTS
    return after.last_entry.report.occurred_at if is_of_report else after.since


def _entered(after: Order) -> Effect | None:
    """The effect of the report that set the order's current status."""
    moves = (entry.effect for entry in reversed(after.timeline) if entry.effect in _ENTERING)
    return next(moves, None)


def _of_status(before: TrackedOrder | None, after: Order) -> list[Kind]:
    if before is None or before.order.status is not after.status:
        return _of_transition(before, after)
    if after.status is Status.SCHEDULED and _appointment_is_news(before, after):
        return [Kind.RESCHEDULED]
    return [KIND_OF[after.status]] if _reason_is_news(before, after) else []


def _of_transition(before: TrackedOrder | None, after: Order) -> list[Kind]:
    kind = KIND_OF.get(after.status)
    if before is not None and (
        _entered(after) is Effect.CORRECTED or _retracts_announcement(before, after)
    ):
        # A date that comes with a correction is announced by itself, for people who plan by dates.
        return [Kind.CORRECTION, Kind.SCHEDULED] if kind is Kind.SCHEDULED else [Kind.CORRECTION]
    if kind is None or (kind is Kind.COMPLETED and _completion_was_announced(before)):
        return []
    if kind is Kind.ACCEPTED and _acceptance_was_announced(before):
        return []
    if (
        kind is Kind.SCHEDULED
        and _was_not_accepted(before)
        and not _acceptance_was_announced(before)
    ):
        return [Kind.ACCEPTED, Kind.SCHEDULED]
    return [kind]


_BEFORE_ACCEPTANCE: Final = frozenset({Status.UNKNOWN, Status.PENDING, Status.SUBMITTED})
_ACCEPTED_SINCE: Final = frozenset(
    {Status.ACCEPTED, Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED, Status.ACTIVE}
)
_TELLING: Final = frozenset({*KIND_OF.values(), Kind.RESCHEDULED, Kind.CORRECTION})
"""Kinds that state the order's status."""
_LEAVING_ACCEPTANCE: Final = frozenset({Kind.FAILED, Kind.CANCELLED})
"""Of these, the kinds that do not change whether the order counts as accepted."""


def _was_not_accepted(before: TrackedOrder | None) -> bool:
    """Whether the order is known not to have been accepted before, so that an appointment also
    means that it is accepted. This is unknown for an order whose first report says that it is
    scheduled."""
    return before is not None and before.order.status in _BEFORE_ACCEPTANCE


def _acceptance_was_announced(before: TrackedOrder | None) -> bool:
    """Whether people were notified that it was accepted, and not notified of a rejection since."""
    said = (one for one in reversed(before.announced if before else ()) if one.kind in _TELLING)
    decisive = (
        one for one in said if one.kind is Kind.REJECTED or one.kind not in _LEAVING_ACCEPTANCE
    )
    last = next(decisive, None)
    return last is not None and last.status in _ACCEPTED_SINCE


def _completion_was_announced(before: TrackedOrder | None) -> bool:
    return before is not None and any(one.kind is Kind.COMPLETED for one in before.announced)


def _retracts_announcement(before: TrackedOrder, after: Order) -> bool:
    """Whether people were notified of an ending that a report with an earlier date has revoked."""
    ending = before.order.status
    if ending not in TERMINAL or after.status in MOVES[ending]:
        return False
    was_announced = any(one.status is ending for one in before.announced)
    return was_announced and _entered(after) is not Effect.CONTINUED


def _appointment_is_news(before: TrackedOrder, after: Order) -> bool:
    """Whether people were not yet notified of this appointment."""
    known = before.order.appointment
    if after.appointment == known:
        return False
    return known is not None or _schedule_of(before) is not None


_ENDINGS_WITH_REASON: Final = frozenset({Status.REJECTED, Status.FAILED, Status.CANCELLED})


def _reason_is_news(before: TrackedOrder, after: Order) -> bool:
    """Whether people were notified that the order was rejected, failed or was cancelled, and the
    provider sends the reason only now."""
    ending = after.status
    if ending not in _ENDINGS_WITH_REASON or not _explains(after.details):
        return False
    known = (entry.report for entry in before.order.timeline)
    was_known = _explains(before.order.details) or any(
        one.status is ending and _explains(one.details) for one in known
    )
    told = [one for one in before.announced if one.kind in _TELLING]
    # A reason that comes and goes is announced once.
    is_of_ending = bool(told) and told[-1].status is ending and not told[-1].is_reason_of_ending
    return is_of_ending and not was_known


def _explains(details: Details) -> bool:
    return "reason" in details or "cause" in details


def _is_in_mail_that_waits(kind: Kind, before: TrackedOrder | None, now: datetime) -> bool:
    """Whether a first appointment follows ``scheduled``, or a reason follows ``rejected``, almost
    immediately: the mail waits and includes it."""
    if before is None:
        return False
    if kind is Kind.RESCHEDULED and before.order.appointment is None:
        waiting = _schedule_of(before)
    elif kind is Kind.REJECTED and before.order.status is Status.REJECTED:
        rejections = (one for one in reversed(before.announced) if one.kind is Kind.REJECTED)
        waiting = next(rejections, None)
    else:
        return False
    return waiting is not None and now - waiting.announced_at <= DETAILS_GRACE_PERIOD


def _schedule_of(before: TrackedOrder) -> Announcement | None:
    scheduled = (one for one in reversed(before.announced) if one.kind is Kind.SCHEDULED)
    return next(scheduled, None)


def _of_attention(before: TrackedOrder | None, after: Order) -> list[Kind]:
    known = {reason.code for reason in before.order.attention} if before else set()
    return [Kind.ATTENTION] if {reason.code for reason in after.attention} - known else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """An announcement, with its order as it was at that moment."""

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
