"""Replay: sends quarantined payloads to the inbox again, to be reprocessed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from milepost.orders.report import Source


class BadKeptId(ValueError):
    """The text is not the id of a quarantined payload; the message shows the format of one."""


class NotKept(LookupError):
    """The quarantine has no payload with this id: it was replayed, was discarded, or has
    expired."""


@dataclass(frozen=True, slots=True, order=True)
class KeptId:
    """The id of a quarantined payload, derived from its connection, day of arrival and bytes."""

    connection: str
    day: str
    digest: str

    @property
    def path_id(self) -> str:
        """The id as one segment of a URL path."""
        return f"{self.connection}:{self.day}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> "KeptId":
        """Parse the text of ``path_id``.

        :raises BadKeptId: when the text is not an id
        """
        found = _KEPT_ID.fullmatch(text)
        if found is None:
            raise BadKeptId("an id of the quarantine looks like connection:2026-03-01:0a1b2c...")
        return cls(*found.groups())


_KEPT_ID: Final = re.compile(r"([^:/]+):(\d{4}-\d\d-\d\d):([0-9a-f]{32})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A quarantined delivery, or an order that a poll found; ``size`` in bytes."""

    id: KeptId
    source: Source
    reason: str
    received_at: datetime
    size: int


class Quarantine(Protocol):
    """Payloads that could not be read, byte for byte."""

    def get(self, kept_id: KeptId) -> tuple[Kept, bytes]:
        """:raises NotKept: when it doesn't exist"""
        ...

    def walk(
        self,
        *,
        connection_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: KeptId | None = None,
    ) -> Iterator[Kept]:
        """Payloads that arrived in this period, by connection and day, after the position
        ``after``."""
        ...


class Inbox(Protocol):
    """The inbox queue."""

    def put_back(self, kept: Kept, body: bytes, *, announce: bool, now: datetime) -> None:
        """Send the payload to be reprocessed, dated by its first arrival. It is removed from the
        quarantine after it was recorded; until then it is in both places, so that it can't be lost.

        :raises InboxRefused: when it is not in the queue
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Sends quarantined payloads to the inbox again. Recording a payload twice changes nothing."""

    quarantine: Quarantine
    inbox: Inbox

    def one(self, kept_id: KeptId, *, announce: bool, now: datetime) -> Kept:
        """Send one payload to the inbox again.

        :raises NotKept: when it isn't there
        """
        kept, body = self.quarantine.get(kept_id)
        self.inbox.put_back(kept, body, announce=announce, now=now)
        return kept

    def many(
        self,
        *,
        connection_id: str,
        since: datetime | None,
        until: datetime | None,
        after: KeptId | None,
        most: int,
        announce: bool,
        now: datetime,
    ) -> "Replayed":
        """Send a limited number of the payloads that a connection received in this period to the
        inbox again."""
        count, last = 0, None
        found = self.quarantine.walk(
            connection_id=connection_id, since=since, until=until, after=after
        )
        for kept in found:
            if count == most:
                return Replayed(count, last)
            try:
                self.one(kept.id, announce=announce, now=now)
            except NotKept:
                # It was replayed or discarded meanwhile.
                continue
            count, last = count + 1, kept.id
        return Replayed(count, None)


@dataclass(frozen=True, slots=True)
class Replayed:
    """The number of payloads that were sent, and the one after which to continue; None if these
    were all."""

    count: int
    go_on_after: KeptId | None
