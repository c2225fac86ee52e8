"""Partitions of NoticesTable's index that this version doesn't write. Short: two lists share it.

Notices of earlier versions stay in them until they expire. No new ones come, so a page that shows
only newer ones doesn't have to read them.
"""

import time
from collections.abc import Callable
from typing import Final

_KNOWN_SECONDS: Final = 600
"""How long it is known: functions of the version before run for some minutes after an upgrade."""


class EarlierShards:
    """The time of the newest entry of each partition."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest: dict[str, tuple[float, str]] = {}

    def note(self, shard: str, newest: str) -> None:
        """Store when the newest entry was listed; an empty text if there is none."""
        self._newest[shard] = self._clock(), newest

    def newest(self, shard: str) -> str | None:
        """When the newest entry was listed: an empty text if there is none, None if that isn't
        known."""
        noted_at, newest = self._newest.get(shard, (0.0, ""))
        is_known = shard in self._newest and self._clock() - noted_at < _KNOWN_SECONDS
        return newest if is_known else None
