"""``milepost notices explain``: why a recipient got the notices of an order, or didn't."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from cli.errors import CannotDo, WrongUse
from cli.notices.showing import Entry, entry_as_json, recipient_in_words, remarks, when
from cli.output import tell, tell_folded, tell_row
from cli.stack import Stack
from milepost.common.errors import OrdersUnavailable
from milepost.common.timestamps import format_instant
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.chat.addresses import webhook_name
from milepost.notifications.endpoints.addresses import Refused
from milepost.notifications.explanation import (
    Circumstances,
    Explained,
    explain,
    subscriptions_of,
)
from milepost.notifications.notice import CHATS, Audience, Channel, NoticeId
from milepost.notifications.notice_list import WantedNotices
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.consistent_reads import ConsistentOrders
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.providers.registry import REGISTRY

_OF_THE_STACK: Final = {
    "topic": Channel.SNS,
    "sns": Channel.SNS,
    "bus": Channel.EVENT_BUS,
    "event_bus": Channel.EVENT_BUS,
}
"""What names the topic and the event bus as a recipient."""
_COLUMNS: Final = ("announced", "kind", "channel", "state")
_WIDTHS: Final = (16, 18, 9, 10)
_NOTHING: Final = "-"


class Explanation:
    """Why one recipient got the notices of an order's items, or didn't."""

    def __init__(self, stack: Stack, to: str, keys: Sequence[OrderKey]) -> None:
        """Read all data that is needed.

        :raises CannotDo: when the orders can't be read
        """
        self._stack = stack
        self._notices = stack.output("NoticesTable")
        self._subscriptions = SubscriptionsTable(self._dynamodb, table_name=self._notices).all()
        self.wanted = _recipient(to, self._subscriptions)
        self.of = {key: self._circumstances(key, one) for key, one in self._orders(keys).items()}

    @property
    def explained(self) -> Iterator[tuple[OrderKey, Explained]]:
        """Each announcement of each item, and its outcome."""
        for key, of in self.of.items():
            for one in explain(self.wanted, of):
                yield key, one

    @property
    def now(self) -> list[str]:
        """The reasons why the recipient gets no more notices, as sentences."""
        ended = [
            f"Subscription {one.id} is over: {one.ended}."
            for one in subscriptions_of(self.wanted, self._subscriptions)
            if one.ended
        ]
        return [*ended, *self._suppressed(), *self._erased()]

    @property
    def _dynamodb(self) -> Any:
        return self._stack.client("dynamodb")

    def _orders(self, keys: Sequence[OrderKey]) -> dict[OrderKey, TrackedOrder]:
        orders = ConsistentOrders(self._dynamodb, table_name=self._stack.output("OrdersTable"))
        try:
            read = orders.read_all(keys)
        except OrdersUnavailable as error:
            raise CannotDo(f"{error}. Repeat it in a minute.") from None
        for key, why in read.unreadable.items():
            raise CannotDo(f"The order {key} can't be read: {why}.")
        return {key: read.found[key] for key in keys if key in read.found}

    def _circumstances(self, key: OrderKey, tracked: TrackedOrder) -> Circumstances:
        log = NoticesTable(self._dynamodb, table_name=self._notices)
        entries = [one for one in log.of_order(key) if NoticeId.parse(one["id"]).key == key]
        return Circumstances(
            key=key,
            tracked=tracked,
            entries=entries,
            subscriptions=self._subscriptions,
            connection=self._connection(key.connection),
        )

    def _connection(self, id: str) -> Connection | None:
        settings = ConnectionSettings(
            self._stack.client("ssm"),
            path=self._stack.output("ConnectionsPath"),
            clock=time.monotonic,
            providers=REGISTRY,
        )
        try:
            return settings.get(id)
        except (UnknownConnection, UnusableConnection):
            return None

    def _suppressed(self) -> Iterator[str]:
        if self.wanted.identities is None:
            return
        table = SuppressionsTable(self._dynamodb, table_name=self._notices)
        for audience in Audience:
            if why := table.reason(str(self.wanted.recipient), audience=audience):
                yield f"No mail for the {audience} goes to this address: {why}."

    def _erased(self) -> Iterator[str]:
        for key, of in self.of.items():
            if of.tracked.erased_at is not None:
                at = format_instant(of.tracked.erased_at)
                yield f"The order {key} was erased at {at}: the log doesn't name its customer."


def _recipient(to: str, subscriptions: Sequence[Subscription]) -> WantedNotices:
    """The recipient that the operator names: as in the log, or by a subscription's id."""
    if not to.strip():
        raise WrongUse("--to is empty: name an address, a URL, a chat, or a subscription.")
    if to in _OF_THE_STACK:
        return WantedNotices(channel=_OF_THE_STACK[to])
    for one in subscriptions:
        if to == one.id or (one.channel in CHATS and one.recipient == _name_of_chat(to)):
            return WantedNotices(recipient=one.recipient)
    return WantedNotices(recipient=to.strip())


def _name_of_chat(url: str) -> str | None:
    try:
        return webhook_name(url)
    except Refused:
        return None


def show_explanation(explanation: Explanation) -> None:
    """Print two lines for each announcement: its outcome, then the reason."""
    found = list(explanation.explained)
    if found:
        tell_row(_COLUMNS, _WIDTHS, style="bold")
    else:
        tell("Nothing of this order has been announced yet.")
    for key, one in found:
        tell_row((_minute(one.announced_at), one.kind, *_channel_and_state(one)), _WIDTHS)
        item = f"{key.item_id}: " if len(explanation.of) > 1 else ""
        tell_folded(f"{item}{_in_words(one)}", indent=4)
    for said in explanation.now:
        tell(said)


def explanation_as_json(explanation: Explanation) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "announcements": [
            {
                "order": key.path_id,
                "kind": one.kind,
                "announced_at": format_instant(one.announced_at) if one.announced_at else None,
                "notice": entry_as_json(one.entry) if one.entry else None,
                "why": _in_words(one),
            }
            for key, one in explanation.explained
        ],
        "now": explanation.now,
    }


def _minute(at: datetime | None) -> str:
    return format_instant(at)[:16].replace("T", " ") if at else _NOTHING


def _channel_and_state(one: Explained) -> tuple[str, str]:
    if one.entry is None:
        return _NOTHING, "no notice"
    return one.entry["channel"], one.entry["state"]


def _in_words(one: Explained) -> str:
    if one.entry is None:
        return " ".join(one.why)
    at = (when(one.entry) or "")[:16].replace("T", " ")
    said = ", ".join(remarks(one.entry)) or _usual(one.entry)
    return f"{recipient_in_words(one.entry)} ({one.entry['audience']}), {at}: {said}"


def _usual(entry: Entry) -> str:
    return "waits to be sent" if entry["state"] == "queued" else str(entry["state"])
