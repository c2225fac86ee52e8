"""Why a recipient got a notice of an order, or didn't.

The delivery log says what became of each notice. Of an announcement of which the log has nothing
for the recipient, the present subscriptions, the connection and the order say why.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from milepost.connections.connection import Connection
from milepost.notifications.eligibility import customer_notices_off
from milepost.notifications.notice import (
    BROADCAST,
    CUSTOMER_KINDS,
    FOR_CONTACT_ALONE,
    Audience,
    Channel,
    NoticeId,
)
from milepost.notifications.notice_list import WantedNotices, is_for, is_wanted
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Announcement, Kind, OrderKey, TrackedOrder

Entry = Mapping[str, Any]
"""An entry of the delivery log."""

NOT_KNOWN_THEN: Final = (
    "It would be notified of this now. Either it was set up after this was announced, or the "
    "notice is not in the delivery log yet."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The outcome of one announcement for one recipient.

    ``entry`` is None if the log has nothing: ``why`` then has the reasons, as sentences.
    """

    kind: str
    sequence: int
    announced_at: datetime | None
    entry: Entry | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """The data for an explanation: one order, its entries in the log, and the subscriptions.

    ``connection`` is None if it was removed, or if its settings can't be used.
    """

    key: OrderKey
    tracked: TrackedOrder
    entries: Sequence[Entry]
    subscriptions: Sequence[Subscription]
    connection: Connection | None


def explain(wanted: WantedNotices, of: Circumstances) -> list[Explained]:
    """The outcome of every announcement of an order for one recipient, the oldest first.

    :param wanted: the recipient; or, of the topic and the event bus, their channel
    """
    return sorted(
        (*_logged(wanted, of), *_unlogged(wanted, of)),
        key=lambda one: (one.sequence, str(one.entry["id"]) if one.entry else ""),
    )


def why_not(
    one: Subscription, *, kind: Kind, connection: str, service_type: str | None
) -> str | None:
    """Why a subscription doesn't include this announcement; None if it does."""
    if one.ended:
        return f"It is over: {one.ended}."
    if not one.takes(kind):
        return f"It does not ask for “{kind.replace('_', ' ')}”."
    if not one.takes_connection(connection):
        return f"It is about other connections: {', '.join(sorted(one.connections))}."
    if service_type and not one.covers(connection, service_type):
        return f"It is about other services: {', '.join(sorted(one.service_types))}."
    return None


def subscriptions_of(
    wanted: WantedNotices, subscriptions: Iterable[Subscription]
) -> list[Subscription]:
    """The recipient's subscriptions. The topic and the event bus have none."""
    if wanted.recipient is None:
        return []
    found = (one for one in subscriptions if is_for(one.recipient, wanted))
    return sorted(found, key=lambda one: one.id)


def _logged(wanted: WantedNotices, of: Circumstances) -> Iterator[Explained]:
    times = {one.sequence: one.announced_at for one in of.tracked.announced}
    for entry in of.entries:
        if is_wanted(entry, wanted):
            sequence = NoticeId.parse(entry["id"]).sequence
            yield Explained(
                kind=entry["kind"],
                sequence=sequence,
                announced_at=times.get(sequence),
                entry=entry,
            )


def _unlogged(wanted: WantedNotices, of: Circumstances) -> Iterator[Explained]:
    known = {one.sequence for one in _logged(wanted, of)}
    for one in of.tracked.announced:
        if one.sequence not in known:
            yield Explained(
                kind=str(one.kind),
                sequence=one.sequence,
                announced_at=one.announced_at,
                why=tuple(_reasons(one, wanted, of)),
            )


def _reasons(one: Announcement, wanted: WantedNotices, of: Circumstances) -> list[str]:
    if wanted.channel in BROADCAST:
        return [_why_not_broadcast(one.kind, wanted.channel)]
    reasons = [
        *_of_subscriptions(one.kind, wanted, of),
        *_of_customer(one, wanted, of),
        *_of_contact(one.kind, wanted, of),
    ]
    return reasons or [
        f"No subscription has this recipient, who is neither the order's customer nor the contact "
        f"of {of.key.connection}."
    ]


def _why_not_broadcast(kind: Kind, channel: Channel | None) -> str:
    if kind in FOR_CONTACT_ALONE:
        return "It is for the connection's contact alone."
    if channel is Channel.EVENT_BUS:
        return "The stack had no event bus when this was announced, or it is still to be put."
    return "It is still to be published."


def _of_subscriptions(kind: Kind, wanted: WantedNotices, of: Circumstances) -> Iterator[str]:
    service_type = of.tracked.order.details.get("service_type")
    for one in subscriptions_of(wanted, of.subscriptions):
        why = why_not(one, kind=kind, connection=of.key.connection, service_type=service_type)
        yield f"Subscription {one.id}: {why or NOT_KNOWN_THEN}"


def _of_customer(one: Announcement, wanted: WantedNotices, of: Circumstances) -> Iterator[str]:
    address = of.tracked.order.details.get("customer", {}).get("email", "")
    if not address or not is_for(address, wanted):
        return
    if one.kind not in CUSTOMER_KINDS:
        yield f"Customers are not notified of “{one.kind.replace('_', ' ')}”."
    elif of.connection is not None and one.kind not in of.connection.customer_notices:
        yield f"Customers: {customer_notices_off(one.kind, of.connection)}."
    elif any(_is_customers(entry, one.sequence) for entry in of.entries):
        yield "The customer's address was another one, or unknown, when this was announced."
    else:
        yield f"The customer: {NOT_KNOWN_THEN}"


def _is_customers(entry: Entry, sequence: int) -> bool:
    of_it = NoticeId.parse(entry["id"]).sequence == sequence
    return of_it and entry["audience"] == Audience.CUSTOMER


def _of_contact(kind: Kind, wanted: WantedNotices, of: Circumstances) -> Iterator[str]:
    contact = of.connection.contact if of.connection else None
    if not contact or not is_for(contact, wanted):
        return
    if kind not in FOR_CONTACT_ALONE:
        others = " and ".join(sorted(one.replace("_", " ") for one in FOR_CONTACT_ALONE))
        yield f"The contact of {of.key.connection} gets {others} alone."
    else:
        yield f"The contact of {of.key.connection}: {NOT_KNOWN_THEN}"
