"""What a poll starts from and leaves behind: the pages seen, without what others recorded since."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from milepost.polling.page_cache import Seen
from milepost.polling.touched_orders import MARGIN, TRUSTED_FOR, Touched


class Digests(Protocol):
    """What the pages of a connection looked like, some 24 bytes an order."""

    def load(self, name: str) -> Seen: ...
    def save(self, name: str, seen: Seen) -> None: ...


@dataclass(kw_only=True)
class PollMemory:
    """The memory of one connection's polls, for the length of one.

    ``before`` is what polls before this one saw, ``seen`` what this one sees, since its first page.
    """

    connection_id: str
    digests: Digests
    touched: Touched
    before: Seen = field(default_factory=Seen)
    seen: Seen = field(default_factory=Seen)
    recorded: set[bytes] = field(default_factory=set)
    """Keys of the orders for which this run has recorded something, or might have."""

    @property
    def _unfinished(self) -> str:
        return f"{self.connection_id}.unfinished"

    def throw_away(self) -> None:
        """Trust nothing any more: what was recorded last isn't known."""
        self.digests.save(self.connection_id, Seen())
        self.digests.save(self._unfinished, Seen())

    def load(self, *, now: datetime, is_resumed: bool) -> None:
        """Load what polls remember, without the orders that others have recorded since."""
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
        seen = self.digests.load(name)
        # Marks of what others recorded expire, so what is older can't be compared with them.
        return seen if seen.until and now - seen.until < TRUSTED_FOR else Seen()

    def start_over(self) -> None:
        """Forget what this poll saw, since it reads its first page again."""
        self.seen = Seen(until=self.seen.until, quarantined=self.seen.quarantined)

    def save_paused(self) -> None:
        """Keep what the rest of this poll needs."""
        self.digests.save(self._unfinished, self.seen)
        if self.before.is_changed:
            self.digests.save(self.connection_id, self.before)

    def save_failed(self, *, is_paused: bool) -> None:
        """After a failure: the next poll looks again at each order that this one recorded.

        :param is_paused: whether an earlier poll left a rest that the next one goes on with
        """
        if not self.seen.quarantined <= self.before.quarantined:
            self.before.quarantined |= self.seen.quarantined
            self.before.is_changed = True
        if self.before.is_changed:
            self.digests.save(self.connection_id, self.before)
        if is_paused and self.recorded:
            paused = self.digests.load(self._unfinished)
            paused.forget(self.recorded)
            self.digests.save(self._unfinished, paused)

    def save_complete(self) -> None:
        """What this poll saw is what the next one compares with."""
        quarantined = self.before.quarantined
        self.seen.quarantined |= {one for one in quarantined if one in self.seen}
        self.seen.walked = set()
        self.digests.save(self.connection_id, self.seen)
