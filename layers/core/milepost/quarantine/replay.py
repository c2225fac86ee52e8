"""Replay: puts quarantined payloads back into the inbox, to be processed again."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from milepost.orders.report import Source


class BadKeptId(ValueError):
    """Not the id of anything in the quarantine; the message says what one looks like."""


class NotKept(LookupError):
    """The quarantine has nothing of this id: it was replayed, discarded, or has expired."""


@dataclass(frozen=True, slots=True, order=True)
class KeptId:
    """Which object of the quarantine: follows from its connection, day of arrival and bytes."""

    connection: str
    day: str
    digest: str

    @property
    def path_id(self) -> str:
        """One segment of a URL's path, as the API names it."""
        return f"{self.connection}:{self.day}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> "KeptId":
        """Read what ``path_id`` wrote.

        :raises BadKeptId: when the text is none
        """
        found = _KEPT_ID.fullmatch(text)
        if found is None:
            raise BadKeptId("an id of the quarantine looks like connection:2026-03-01:0a1b2c...")
        return cls(*found.groups())


_KEPT_ID: Final = re.compile(r"([^:/]+):(\d{4}-\d\d-\d\d):([0-9a-f]{32})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the quarantine says of one delivery, or of one order of a poll; ``size`` in bytes."""

    id: KeptId
    source: Source
    reason: str
    received_at: datetime
    size: int


class Quarantine(Protocol):
    """What could not be read, byte for byte."""

    def get(self, kept_id: KeptId) -> tuple[Kept, bytes]:
        """:raises NotKept: when it isn't there"""
        ...

    def walk(
        self,
        *,
        connection_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: KeptId | None = None,
    ) -> Iterator[Kept]:
        """What arrived in this time, by connection and day, from behind ``after`` on."""
        ...


class Inbox(Protocol):
    """The queue from which deliveries are recorded."""

    def put_back(self, kept: Kept, body: bytes, *, announce: bool, now: datetime) -> None:
        """Have it read again, as of its first arrival. Whoever has recorded it takes it out of the
        quarantine: until then it is in both places, so that nothing can get lost.

        :raises InboxRefused: when it is not in the queue
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Puts back what was kept. Whatever is recorded twice by it changes nothing."""

    quarantine: Quarantine
    inbox: Inbox

    def one(self, kept_id: KeptId, *, announce: bool, now: datetime) -> Kept:
        """Put one back.

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
        """Put back what a connection got in this time, at most so much at once."""
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
                # Somebody else was quicker.
                continue
            count, last = count + 1, kept.id
        return Replayed(count, None)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many were put back, and behind which one to go on; None when that was all."""

    count: int
    go_on_after: KeptId | None
