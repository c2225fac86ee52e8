"""The orders of one account, in memory, sorted as providers list them."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import TypeAlias

from local.sandboxes.json_format import Json

Place: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class Ledger:
    """Orders by id, by time of change and by time of creation.

    A page costs its own length, whatever the number of orders. Times are texts that sort as they
    follow each other. ``revision`` grows with every change.
    """

    revision: int = 0
    _orders: dict[str, Json] = field(default_factory=dict)
    _updated: dict[str, str] = field(default_factory=dict)
    _created: dict[str, str] = field(default_factory=dict)
    _by_update: list[Place] = field(default_factory=list)
    _by_creation: list[Place] = field(default_factory=list)
    _filtered: tuple[int, str, list[str]] = (-1, "", [])

    def __len__(self) -> int:
        return len(self._orders)

    def get(self, id: str) -> Json | None:
        return self._orders.get(id)

    def put(self, *, id: str, order: Json, updated: str, created: str) -> None:
        """Adds the order, or replaces it and updates its positions."""
        if id in self._orders:
            _remove(self._by_update, (self._updated[id], id))
            _remove(self._by_creation, (self._created[id], id))
        self._orders[id], self._updated[id], self._created[id] = order, updated, created
        insort(self._by_update, (updated, id))
        insort(self._by_creation, (created, id))
        self.revision += 1

    def changed_after(self, *, since: str, after: Place | None, limit: int) -> list[Place]:
        """Up to ``limit`` positions that changed at ``since`` or later and come after ``after``."""
        start = bisect_left(self._by_update, (since, ""))
        if after is not None:
            start = max(start, bisect_right(self._by_update, after))
        return self._by_update[start : start + limit]

    def newest(self, *, offset: int, limit: int) -> list[Json]:
        """The orders from ``offset`` on, sorted from the newest to the oldest."""
        end = max(0, len(self._by_creation) - offset)
        places = self._by_creation[max(0, end - limit) : end]
        return [self._orders[id] for _, id in reversed(places)]

    def oldest(self, *, since: str, offset: int, limit: int) -> tuple[list[Json], int]:
        """Orders changed at ``since`` or later, the oldest first, and how many there are."""
        if not since:
            ids = [id for _, id in self._by_creation[offset : offset + limit]]
            return [self._orders[id] for id in ids], len(self._orders)
        revision, kept_since, kept = self._filtered
        if (revision, kept_since) != (self.revision, since):
            changed = self._by_update[bisect_left(self._by_update, (since, "")) :]
            kept = [id for _, id in sorted((self._created[id], id) for _, id in changed)]
            self._filtered = (self.revision, since, kept)
        return [self._orders[id] for id in kept[offset : offset + limit]], len(kept)

    def all(self) -> list[Json]:
        """Every order, the oldest first."""
        return [self._orders[id] for _, id in self._by_creation]


def _remove(places: list[Place], place: Place) -> None:
    del places[bisect_left(places, place)]
