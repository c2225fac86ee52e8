"""Subscriptions: who wants to be told of what, how, and when not."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from milepost.email_addresses import address_identity
from milepost.notices import DEFAULT_KINDS, Announced, Channel
from milepost.order import Kind

FROM_FILE: Final = "file"
"""The ``source`` of subscriptions that stand in connections.yaml, and are changed there."""


class Mode(StrEnum):
    """Whether notices come one by one or gathered."""

    AT_ONCE = "at_once"
    HOURLY = "hourly"
    DAILY = "daily"


MAY_PASS: Final = frozenset({Kind.REJECTED, Kind.CANCELLED})
"""Kinds that a subscriber may let through quiet hours: somebody may be waiting at a door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From ``start`` to ``end`` by the subscription's clock, over midnight if need be."""

    start: time
    end: time
    passing: frozenset[str] = frozenset()

    def include(self, moment: time) -> bool:
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Empty ``connections`` and ``service_types`` mean all of them.

    ``recipient`` is an email address or the URL of an HTTPS endpoint, by ``channel``. ``owner``
    is told when an endpoint is switched off.
    """

    id: str
    channel: Channel = Channel.EMAIL
    recipient: str
    kinds: frozenset[str] = field(default=DEFAULT_KINDS)
    connections: frozenset[str] = frozenset()
    service_types: frozenset[str] = frozenset()
    language: str = "en"
    time_zone: str = "Europe/Berlin"
    mode: Mode = Mode.AT_ONCE
    daily_at: time = time(8)
    quiet_hours: QuietHours | None = None
    owner: str | None = None
    source: str | None = None
    """``file`` for one that ``milepost connections apply`` keeps in step with its file."""
    ended: str | None = None
    """Why it is over, in words (``unsubscribed on 2026-03-04``); None while it lives."""

    def wants(self, announced: Announced) -> bool:
        return (announced.announcement.kind in self.kinds - {Kind.ESCALATED}) and self.covers(
            announced.key.connection, announced.service_type
        )

    def is_of(self, recipient: str) -> bool:
        """Whether it tells this recipient, in whatever spelling of the address."""
        if self.channel is Channel.EMAIL:
            return address_identity(self.recipient) == address_identity(recipient)
        return self.recipient == recipient

    def covers(self, connection: str, service_type: str | None) -> bool:
        """Whether it is about orders of this connection and service type."""
        of_connection = not self.connections or connection in self.connections
        return of_connection and (not self.service_types or service_type in self.service_types)

    def due_at(self, kind: Kind, *, now: datetime) -> datetime | None:
        """When a notice is to go out; None for at once."""
        if self.channel is not Channel.EMAIL:
            return None
        gathered = self._gathered_until(now)
        moment = gathered or now
        awake = self.awake_from(kind, moment)
        return gathered if awake == moment else awake

    def awake_from(self, kind: Kind, moment: datetime) -> datetime:
        """The first time from then on that isn't in quiet hours, unless this kind passes them."""
        quiet = self.quiet_hours
        if quiet is None or kind in quiet.passing:
            return moment
        local = moment.astimezone(ZoneInfo(self.time_zone))
        return _next_at(quiet.end, local) if quiet.include(local.time()) else moment

    def _gathered_until(self, now: datetime) -> datetime | None:
        match self.mode:
            case Mode.AT_ONCE:
                return None
            case Mode.HOURLY:
                return next_hour(now)
            case Mode.DAILY:
                return _next_at(self.daily_at, now.astimezone(ZoneInfo(self.time_zone)))


def next_hour(now: datetime) -> datetime:
    """The next full hour, in UTC."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _next_at(clock: time, local: datetime) -> datetime:
    """The next time the local clock shows this, strictly after ``local``, in UTC.

    In the hour that comes twice in autumn it shows it twice; one that is left out in spring comes
    as much later as the clock was put forward.
    """
    days = (local.date(), local.date() + timedelta(days=1))
    shown = (
        datetime.combine(day, clock.replace(fold=fold), tzinfo=local.tzinfo).astimezone(UTC)
        for day in days
        for fold in (0, 1)
    )
    return next(moment for moment in shown if moment > local.astimezone(UTC))
