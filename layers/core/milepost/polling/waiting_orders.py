"""Orders of one or more pages that have been read and wait to be recorded together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from milepost.orders.report import Report
from milepost.polling.page_cache import NO_KEY
from milepost.polling.unfinished_pages import UnfinishedPage
from milepost.providers.base import Json
from milepost.providers.readable_parts import ReadOrder

MOST_REPORTS: Final = 25
"""Maximum number of reports that are recorded together, unless one order has more.

Their orders are read by one call. An item of DynamoDB has at most 400 KB, so its answer stays below
10 MB; with many more, a poll would need more than 300 MB of memory."""
MOST_BYTES: Final = 500_000
"""Maximum size of orders that are recorded together, unless one order is larger. Several reports of
a large order hold a multiple of its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOnPage:
    """An order on a page, with its reports; if it can't be read, with the reason instead."""

    page: UnfinishedPage
    place: int
    """Its index on the page."""
    digest: bytes
    raw: bytes
    """Its bytes, unchanged."""
    order: Json = field(default_factory=dict)
    found: ReadOrder | None = None
    key: bytes = NO_KEY
    problem: str = ""

    @property
    def reports(self) -> Sequence[Report]:
        return self.found.reports if self.found else ()


@dataclass(slots=True)
class WaitingOrders:
    """Orders that can be recorded in parallel, since no two of them are the same order."""

    _orders: list[ReadOnPage] = field(default_factory=list)
    _keys: set[bytes] = field(default_factory=set)
    _digests: set[bytes] = field(default_factory=set)
    _reports: int = 0
    _bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self._orders)

    def may_change(self, digest: bytes, key: bytes | None) -> bool:
        """Whether recording the waiting orders may change the stored version of this order.

        :param key: its key, if it is known now
        """
        return digest in self._digests or key in self._keys

    def has_room_for(self, one: ReadOnPage) -> bool:
        """Whether it can be recorded in parallel with the waiting orders."""
        return not self._orders or (
            one.key not in self._keys
            and self._reports + _weight(one) <= MOST_REPORTS
            and self._bytes + len(one.raw) <= MOST_BYTES
        )

    def add(self, one: ReadOnPage) -> None:
        """Add an order for which there is room."""
        self._orders.append(one)
        self._digests.add(one.digest)
        if one.key != NO_KEY:
            self._keys.add(one.key)
        self._reports += _weight(one)
        self._bytes += len(one.raw)

    def take_all(self) -> list[ReadOnPage]:
        """Remove and return the waiting orders."""
        taken = self._orders
        self._orders, self._keys, self._digests = [], set(), set()
        self._reports = self._bytes = 0
        return taken


def _weight(one: ReadOnPage) -> int:
    return max(1, len(one.reports))
