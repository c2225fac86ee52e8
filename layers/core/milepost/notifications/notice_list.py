"""Lists of notices across orders: filters and positions of pages.

The newest notice is first. Notices that are queued, sent or delivered are sorted by when they were
entered; all others by when they bounced, were skipped, and so on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from milepost.common.email_addresses import address_identity, former_identities
from milepost.common.timestamps import sortable
from milepost.notifications.notice import Audience, Channel, NoticeId, State
from milepost.orders.order import Kind

UNDELIVERED: Final = (State.BOUNCED, State.FAILED, State.SKIPPED, State.SUPPRESSED)
"""The states of notices that were not delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedNotices:
    """The filters of a list of notices. An empty set means all."""

    states: frozenset[State] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    connections: frozenset[str] = frozenset()
    audience: Audience | None = None
    channel: Channel | None = None
    recipient: str | None = None
    """An email address in any spelling, an endpoint's URL, or a topic."""
    reason: str | None = None
    """A part of the reason, in any case."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this instant."""

    @property
    def is_filtered(self) -> bool:
        """Whether the list filters by anything but state and time."""
        return bool(
            self.kinds
            or self.connections
            or self.audience
            or self.channel
            or self.recipient
            or self.reason
        )

    @property
    def identities(self) -> tuple[str, ...] | None:
        """The normal forms of the recipient's address, also those of earlier versions; None if the
        recipient isn't an email address."""
        if self.recipient is None or "://" in self.recipient or "@" not in self.recipient:
            return None
        return (address_identity(self.recipient), *former_identities(self.recipient))


@dataclass(frozen=True, slots=True)
class NoticePlace:
    """A position in a list: a notice, its shard and its time."""

    listed_at: str
    shard: str
    notice: str


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Entries of the delivery log. ``last`` is None on the last page."""

    entries: Sequence[Mapping[str, Any]]
    last: NoticePlace | None


class NoticeLists(Protocol):
    """The delivery log of every order."""

    def page(self, wanted: WantedNotices, *, after: NoticePlace | None, limit: int) -> NoticePage:
        """At most ``limit`` entries after a position; fewer if many had to be read."""
        ...


def is_wanted(entry: Mapping[str, Any], wanted: WantedNotices) -> bool:
    """Whether a list shows this entry of the delivery log.

    Attributes that the entry lacks are not compared: the index doesn't have every attribute.
    """
    return (
        ("state" not in entry or not wanted.states or State(entry["state"]) in wanted.states)
        and (not wanted.kinds or Kind(entry["kind"]) in wanted.kinds)
        and (not wanted.connections or _connection(entry) in wanted.connections)
        and wanted.audience in (None, entry["audience"])
        and wanted.channel in (None, entry["channel"])
        and (wanted.reason is None or wanted.reason.casefold() in _reason(entry))
        and _is_in_time(entry, wanted)
        and is_for(entry.get("recipient") or "", wanted)
    )


def _connection(entry: Mapping[str, Any]) -> str:
    return NoticeId.parse(entry["id"]).key.connection


def _reason(entry: Mapping[str, Any]) -> str:
    return str(entry.get("reason") or "").casefold()


def _is_in_time(entry: Mapping[str, Any], wanted: WantedNotices) -> bool:
    at = entry.get("listed_at") or entry.get(f"{entry.get('state')}_at") or ""
    return not (wanted.since and at < sortable(wanted.since)) and not (
        wanted.until and at >= sortable(wanted.until)
    )


def is_for(recipient: str, wanted: WantedNotices) -> bool:
    """Whether this is the requested recipient, in any spelling; always true if none was
    requested.
    """
    if wanted.recipient is None:
        return True
    identities = wanted.identities
    if identities is None:
        return recipient.partition("?")[0] == wanted.recipient.partition("?")[0]
    return "://" not in recipient and address_identity(recipient) in identities
