"""Reads the facts by which a notice is judged, consistently and at the moment of sending.

The rules themselves are in ``eligibility``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from milepost.connections.connection import (
    Connection,
    Connections,
    UnknownConnection,
    UnusableConnection,
)
from milepost.notifications.eligibility import Facts, Verdict, judge
from milepost.notifications.notice import Audience, Channel, Notice
from milepost.notifications.subscription import Subscription
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.recording import OrdersRead

_READ_TOGETHER: Final = 100
"""Maximum number of orders that are read, and held in memory, at a time."""


class CurrentOrders(Protocol):
    def read_all(self, keys: Sequence[OrderKey]) -> OrdersRead:
        """Read up to 100 orders consistently.

        :raises OrdersUnavailable: when some of them can't be read now
        """
        ...


class Suppressions(Protocol):
    """Addresses to which no mail may be sent."""

    def reason(self, address: str, *, audience: Audience) -> str | None:
        """The reason why no mail may be sent there, as text; None if it may. Read consistently."""
        ...


class Subscriptions(Protocol):
    def get(self, subscription_id: str) -> Subscription | None:
        """The subscription, read consistently; None if it was deleted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The language of a recipient's mails, and the IANA time zone of the times shown."""

    language: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A notice with its verdict, which is None if it may be sent."""

    notice: Notice
    verdict: Verdict | None
    facts: Facts

    @property
    def tracked(self) -> TrackedOrder:
        """The order for rendering the mail.

        :raises ValueError: when there is none, so that the notice may not be sent
        """
        if self.facts.tracked is None:
            raise ValueError(f"there is no order to write {self.notice.id} from")
        return self.facts.tracked

    @property
    def voice(self) -> Voice:
        """The subscriber's current language and time zone; for a customer, those of the
        connection."""
        subscription, connection = self.facts.subscription, self.facts.connection
        if subscription is not None:
            return Voice(language=subscription.language, time_zone=subscription.time_zone)
        zone = connection.time_zone if connection else "UTC"
        return Voice(language=self.notice.language, time_zone=zone)

    @property
    def in_voice(self) -> Notice:
        """The notice in its recipient's language."""
        return replace(self.notice, language=self.voice.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Judges each notice by its own subscription, connection, address and order."""

    suppressions: Suppressions
    subscriptions: Subscriptions
    orders: CurrentOrders
    connections: Connections

    def judge(self, notices: Sequence[Notice], *, now: datetime) -> Iterator[Judged]:
        """Judge notices in the given order. Their orders are read a hundred at a time.

        :raises OrdersUnavailable: when their orders can't be read now
        """
        known = _Known(self)
        for start in range(0, len(notices), _READ_TOGETHER):
            part = notices[start : start + _READ_TOGETHER]
            read = self.orders.read_all(sorted({notice.key for notice in part}))
            for notice in part:
                facts = known.facts_of(notice, read)
                yield Judged(notice=notice, verdict=judge(notice, facts, now=now), facts=facts)


class _Known:
    """A cache for one call: each subscription, address and connection is read once."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._subscriptions: dict[str, Subscription | None] = {}
        self._reasons: dict[tuple[str, Audience], str | None] = {}
        self._connections: dict[str, Connection | None] = {}
        self._unusable: set[str] = set()

    def facts_of(self, notice: Notice, read: OrdersRead) -> Facts:
        return Facts(
            suppressed=self._reason(notice),
            subscription=self._subscription(notice),
            connection=self._connection(notice),
            is_connection_unusable=notice.key.connection in self._unusable,
            tracked=read.found.get(notice.key),
            unreadable=read.unreadable.get(notice.key),
        )

    def _reason(self, notice: Notice) -> str | None:
        if notice.channel is not Channel.EMAIL:
            return None
        asked = notice.recipient, notice.audience
        if asked not in self._reasons:
            address, audience = asked
            self._reasons[asked] = self._judge.suppressions.reason(address, audience=audience)
        return self._reasons[asked]

    def _subscription(self, notice: Notice) -> Subscription | None:
        name = notice.subscription
        if name is None:
            return None
        if name not in self._subscriptions:
            self._subscriptions[name] = self._judge.subscriptions.get(name)
        return self._subscriptions[name]

    def _connection(self, notice: Notice) -> Connection | None:
        name = notice.key.connection
        if name not in self._connections:
            try:
                self._connections[name] = self._judge.connections.get(name)
            except UnknownConnection:
                self._connections[name] = None
            except UnusableConnection:
                # Only its own notices are closed: other notices of the same mail are sent.
                self._connections[name] = None
                self._unusable.add(name)
        return self._connections[name]
