"""The health of a connection, from its polls and webhooks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from milepost.connections.connection import Connection
from milepost.connections.drift import NO_DRIFT, Drift
from milepost.connections.poll_request import PollRequest

GRACE: Final = timedelta(minutes=2)
"""How much later than its schedule a poll may end before the connection counts as late: a start
that is spread, and the time that a poll takes."""

NOT_APPLIED: Final = (
    "it is not applied: its settings are gone, and its schedule still runs. Apply the connections' "
    "file again, or delete the schedule"
)
"""Why a poll of a connection without settings failed."""
_SCHEDULE_AT_MOST: Final = timedelta(days=1, hours=1)
"""After how long without a poll a schedule counts as stopped: the longest interval, and some time
to start."""


class Condition(StrEnum):
    """The condition of a connection, in a word."""

    WORKS = "works"
    FAILING = "failing"
    """The last poll failed."""
    WAITING = "waiting"
    """The provider asked us to wait."""
    LATE = "late"
    """Nothing failed, but the last success is longer ago than its schedule allows."""
    UNUSABLE = "unusable"
    """Its stored settings can't be used, so nothing is done for it until they are corrected."""
    NOT_APPLIED = "not_applied"
    """It has no settings any more, and its schedule still runs."""
    NEVER_POLLED = "never_polled"
    NOT_POLLED = "not_polled"
    """Its settings have no schedule: it only gets webhooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The stored data about a connection's last polls and webhook. ``failures`` counts consecutive
    ones.
    """

    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_error: str | None = None
    failures: int = 0
    not_before: datetime | None = None
    polling_until: datetime | None = None
    """When the lease of the present poll ends."""
    is_paused: bool = False
    """Whether a poll ran out of time, so that the next one continues where it stopped."""
    cursor: datetime | None = None
    last_webhook_at: datetime | None = None
    requests: tuple[PollRequest, ...] = ()
    """Requests for polls that no complete poll has fulfilled yet."""
    drift: Drift = NO_DRIFT
    """What changed in the provider's payloads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A connection's condition; ``lag`` is the delay of its polls."""

    condition: Condition
    lag: timedelta | None


def health_of(connection: Connection, contact: Contact, *, now: datetime) -> Health:
    """The current health of a connection."""
    lag = _lag(connection, contact, now)
    return Health(condition=_condition(connection, contact, lag, now), lag=lag)


def still_scheduled(
    contacts: Mapping[str, Contact], *, applied: Iterable[str], now: datetime
) -> list[str]:
    """Connections that are not applied but whose schedule is still running, by id."""
    known = set(applied)
    return sorted(
        name
        for name, contact in contacts.items()
        if name not in known and is_still_scheduled(contact, now=now)
    )


def is_still_scheduled(contact: Contact, *, now: datetime) -> bool:
    """Whether a connection that is not applied was polled recently."""
    return (
        contact.last_error == NOT_APPLIED
        and contact.last_failure_at is not None
        and now - contact.last_failure_at <= _SCHEDULE_AT_MOST
    )


def poll_lags(
    connections: Iterable[Connection], contacts: Mapping[str, Contact], *, now: datetime
) -> dict[str, timedelta]:
    """The delay of the polls, for each connection that was polled before."""
    lags = {one.id: _lag(one, contacts.get(one.id, Contact()), now) for one in connections}
    return {name: lag for name, lag in lags.items() if lag is not None}


def _lag(connection: Connection, contact: Contact, now: datetime) -> timedelta | None:
    if connection.poll_minutes is None or contact.last_success_at is None:
        return None
    due_at = contact.last_success_at + timedelta(minutes=connection.poll_minutes)
    return max(now - due_at, timedelta(0))


def _condition(
    connection: Connection, contact: Contact, lag: timedelta | None, now: datetime
) -> Condition:
    if contact.failures:
        is_asked_to_wait = contact.not_before is not None and contact.not_before > now
        return Condition.WAITING if is_asked_to_wait else Condition.FAILING
    if connection.poll_minutes is None:
        return Condition.NOT_POLLED
    if lag is None:
        return Condition.NEVER_POLLED
    return Condition.LATE if lag > GRACE else Condition.WORKS
