"""The pages that the last poll read, without orders that were recorded by others since."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from milepost.polling.page_cache import Seen
from milepost.polling.touched_orders import MARGIN, TRUSTED_FOR, Touched


class PageHashes(Protocol):
    """Stores hashes of a connection's pages, about 24 bytes for each order."""

    def load(self, name: str) -> Seen: ...
    def save(self, name: str, seen: Seen) -> None: ...


@dataclass(kw_only=True)
class PollMemory:
    """The stored pages of a connection, during one poll.

    ``before`` is what earlier polls saw, ``seen`` what this poll has seen since its first page.
    """

    connection_id: str
    hashes: PageHashes
    touched: Touched
    before: Seen = field(default_factory=Seen)
    seen: Seen = field(default_factory=Seen)
    recorded: set[bytes] = field(default_factory=set)
    """Keys of the orders for which this run has, or may have, recorded something."""

    @property
    def _unfinished(self) -> str:
        return f"{self.connection_id}.unfinished"

    def throw_away(self) -> None:
        """Discard the stored pages, since it is unknown what was recorded last."""
        self.hashes.save(self.connection_id, Seen())
        self.hashes.save(self._unfinished, Seen())

    def load(self, *, now: datetime, is_resumed: bool) -> None:
        """Load the stored pages, without the orders that others have recorded since."""
        self.before = self._load(self.connection_id, now)
        self.seen = self._load(self._unfinished, now) if is_resumed else Seen()
        since = min(filter(None, (self.before.until, self.seen.until)), default=None)
        if since is not None:
            keys = self.touched.since(self.connection_id, since - MARGIN)
            if keys is None:
                self.before = Seen(quarantined=self.before.quarantined)
                self.seen = Seen(quarantined=self.seen.quarantined, walked=self.seen.walked)
            else:
                self.before.forget(keys)
                self.seen.forget(keys)
        self.before.until = self.seen.until = now

    def _load(self, name: str, now: datetime) -> Seen:
        seen = self.hashes.load(name)
        # Marks of touched orders expire, so an older memory can't be compared with them.
        return seen if seen.until and now - seen.until < TRUSTED_FOR else Seen()

    def start_over(self) -> None:
        """Discard the pages that this poll has read, since it reads its first page again."""
        self.seen = Seen(until=self.seen.until, quarantined=self.seen.quarantined)

    def save_paused(self) -> None:
        """Save what the continuation of this poll needs."""
        self.hashes.save(self._unfinished, self.seen)
        if self.before.is_changed:
            self.hashes.save(self.connection_id, self.before)

    def save_failed(self, *, is_paused: bool) -> None:
        """Save after a failure, so that the next poll reads each order again that this poll
        recorded.

        :param is_paused: whether an earlier poll is incomplete and the next one continues it
        """
        if not self.seen.quarantined <= self.before.quarantined:
            self.before.quarantined |= self.seen.quarantined
            self.before.is_changed = True
        if self.before.is_changed:
            self.hashes.save(self.connection_id, self.before)
        if is_paused and self.recorded:
            paused = self.hashes.load(self._unfinished)
            paused.forget(self.recorded)
            self.hashes.save(self._unfinished, paused)

    def save_complete(self) -> None:
        """Save the pages that this poll read, so that the next poll can compare with them."""
        quarantined = self.before.quarantined
        self.seen.quarantined |= {one for one in quarantined if one in self.seen}
        self.seen.walked = {}
        self.hashes.save(self.connection_id, self.seen)
