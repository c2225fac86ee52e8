"""Pages that have been read while some of their orders wait to be recorded.

A page is cached when all of its orders are recorded. If time runs out before that, the next poll
continues at the first page that isn't finished.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from milepost.polling.page_cache import Seen
from milepost.polling.state import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The state of a poll before it read a page, so that it can continue from there."""

    walk: Progress
    pages: int
    """Pages that it had read since it started or was resumed."""
    orders: int
    """The orders on these pages."""
    walked: int
    """How many requests and contents it had noted: see ``Seen.walked``."""


@dataclass(slots=True, kw_only=True, eq=False)
class UnfinishedPage:
    """A page whose orders are being read or are waiting to be recorded."""

    before: Before
    digest: bytes
    requested_at: datetime
    hashes: Sequence[bytes]
    """Of its orders."""
    keys: list[bytes | None] = field(init=False)
    """The key of each order that need not be read again."""
    outline: bytes = b""
    """Its outline as it is cached; empty until all of its orders have been read."""

    def __post_init__(self) -> None:
        self.keys = [None] * len(self.hashes)

    def keep_in(self, seen: Seen) -> None:
        """Cache the orders that are recorded, and the page itself if all of them are."""
        entries = [
            (one, key) for one, key in zip(self.hashes, self.keys, strict=True) if key is not None
        ]
        is_whole = len(entries) == len(self.hashes)
        seen.keep(self.digest, entries, outline=self.outline if is_whole else b"")


@dataclass(slots=True)
class UnfinishedPages:
    """The unfinished pages of a poll, in the order of its list. Only the last page may have orders
    that have not been read yet."""

    seen: Seen
    _pages: list[UnfinishedPage] = field(default_factory=list)

    @property
    def since(self) -> datetime | None:
        """When the first of them was requested; None if there is none."""
        return self._pages[0].requested_at if self._pages else None

    def add(self, page: UnfinishedPage) -> None:
        """Add a page that is being read."""
        self._pages.append(page)

    def settle(self) -> None:
        """Cache the pages that have been read, since none of their orders is waiting any longer."""
        for page in self._pages:
            if page.outline:
                page.keep_in(self.seen)
        self._pages = [page for page in self._pages if not page.outline]

    def stop(self, left: Collection[UnfinishedPage]) -> Before:
        """Cache the recorded orders; returns the position at which the list has to be continued.

        :param left: the pages with orders for which there was no time
        """
        pages, self._pages = self._pages, []
        for page in pages:
            page.keep_in(self.seen)
        return next(page.before for page in pages if page in left)
