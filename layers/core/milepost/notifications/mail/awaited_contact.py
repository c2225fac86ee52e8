"""Holds notices to a customer without contact data until the order has been fetched.

A webhook may arrive before the customer is known. The notice is entered without an address, the
order is fetched, and the sender checks again until the order has contact data: then the customer
gets a notice of their own, and the one without an address is closed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from milepost.common.errors import OrdersUnavailable
from milepost.common.timestamps import parse_instant
from milepost.connections.connection import Connections, UnknownConnection, UnusableConnection
from milepost.notifications.dispatch import LOOK_AGAIN, Notifier, Outbox
from milepost.notifications.eligibility_facts import CurrentOrders
from milepost.notifications.mail.sender import TryAgainLater
from milepost.notifications.notice import Audience, Notice, NoticeId, State, announced_by
from milepost.notifications.subscription import Subscription
from milepost.orders.order import TrackedOrder

LONGEST_HOLD: Final = timedelta(minutes=5)
"""How long a notice waits for contact data, from when it was entered."""


class Log(Protocol):
    """The delivery log."""

    def find(self, identity: NoticeId) -> Mapping[str, Any] | None:
        """The entry of a notice: ``state``, and ``queued_at`` for when it was entered."""
        ...

    def close(self, notice: Notice, *, state: State, reason: str, at: datetime) -> bool:
        """Whether the notice was still waiting."""
        ...


def awaits_contact(notice: Notice) -> bool:
    """Whether it is the notice to a customer whose address was unknown."""
    return notice.audience is Audience.CUSTOMER and not notice.recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedContacts:
    """Checks again whether the customer of a notice is known."""

    orders: CurrentOrders
    connections: Connections
    subscriptions: Callable[[], Iterable[Subscription]]
    notifier: Notifier
    log: Log
    outbox: Outbox

    def look(self, notice: Notice, *, now: datetime) -> str:
        """Notify the customer if their address is known now; otherwise check again later, or give
        up.

        Repeating it, after a crash or for a repeated message, notifies nobody twice.

        :returns: the outcome of the notice, in words
        :raises TryAgainLater: when the order can't be read now
        """
        entry = self.log.find(NoticeId.parse(notice.id))
        if entry is None or entry["state"] != State.QUEUED:
            return "closed before"
        tracked = self._read(notice)
        if tracked is None or tracked.erased_at is not None:
            return self._close(notice, "the order was erased, or is no longer stored", now)
        customer = tracked.order.details.get("customer")
        if not customer:
            return self._wait(notice, parse_instant(entry["queued_at"]), now)
        if not customer.get("email"):
            return self._close(notice, "no email address", now)
        return self._notify(notice, tracked, now)

    def _read(self, notice: Notice) -> TrackedOrder | None:
        try:
            read = self.orders.read_all([notice.key])
        except OrdersUnavailable as unavailable:
            raise TryAgainLater(str(unavailable)) from None
        return read.found.get(notice.key)

    def _wait(self, notice: Notice, entered_at: datetime, now: datetime) -> str:
        if now - entered_at >= LONGEST_HOLD:
            return self._close(
                notice, "no email address: the order was fetched, and has no contact data", now
            )
        self.outbox.put(notice, delay=LOOK_AGAIN)
        return "waits for contact data"

    def _notify(self, notice: Notice, tracked: TrackedOrder, now: datetime) -> str:
        try:
            connection = self.connections.get(notice.key.connection)
        except (UnknownConnection, UnusableConnection):
            return self._close(notice, "its connection is not applied, or can't be used", now)
        announced = announced_by(notice, tracked.order, provider=connection.provider)
        # First the notice with the address: after a crash in between it is found in the log.
        self.notifier.notify_customer(
            announced, subscriptions=self.subscriptions(), connection=connection, now=now
        )
        return self._close(notice, "replaced: the order was fetched, and has an address now", now)

    def _close(self, notice: Notice, reason: str, now: datetime) -> str:
        self.log.close(notice, state=State.SKIPPED, reason=reason, at=now)
        return reason
