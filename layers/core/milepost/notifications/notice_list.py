"""Lists of notices of every order: which are wanted, and where a page ended.

The newest is first. A notice that is queued, was sent or was delivered has the time at which it was
entered; any other has the time at which it bounced, was skipped, and so on.
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
"""The states of notices that nobody got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedNotices:
    """Which notices a list shows. An empty set of a filter means all."""

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
    def identities(self) -> tuple[str, ...] | None:
        """The normal forms of the recipient's address, also those of earlier versions; None when no
        email address is asked for."""
        if self.recipient is None or "://" in self.recipient or "@" not in self.recipient:
            return None
        return (address_identity(self.recipient), *former_identities(self.recipient))


@dataclass(frozen=True, slots=True)
class NoticePlace:
    """A place in a list: the notice that is there, in its shard, at its time."""

    listed_at: str
    shard: str
    notice: str


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Entries of the delivery log. Without ``last`` there are no more."""

    entries: Sequence[Mapping[str, Any]]
    last: NoticePlace | None


class NoticeLists(Protocol):
    """The delivery log of every order."""

    def page(self, wanted: WantedNotices, *, after: NoticePlace | None, limit: int) -> NoticePage:
        """At most ``limit`` entries after a place; fewer when many had to be looked through."""
        ...


def is_wanted(entry: Mapping[str, Any], wanted: WantedNotices) -> bool:
    """Whether a list shows this entry of the delivery log.

    What the entry doesn't have is not compared: the index has not every attribute.
    """
    return (
        ("state" not in entry or not wanted.states or State(entry["state"]) in wanted.states)
        and (not wanted.kinds or Kind(entry["kind"]) in wanted.kinds)
        and (not wanted.connections or _connection(entry) in wanted.connections)
        and wanted.audience in (None, entry["audience"])
        and wanted.channel in (None, entry["channel"])
        and (wanted.reason is None or wanted.reason.casefold() in _reason(entry))
        and _is_in_time(entry, wanted)
        and _is_for(entry.get("recipient") or "", wanted)
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


def _is_for(recipient: str, wanted: WantedNotices) -> bool:
    if wanted.recipient is None:
        return True
    identities = wanted.identities
    if identities is None:
        return recipient.partition("?")[0] == wanted.recipient.partition("?")[0]
    return "://" not in recipient and address_identity(recipient) in identities
