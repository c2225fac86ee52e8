"""Values that may be up to a minute old. Short: the pages share it.

With them, not every page has to read them.
"""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

Value = TypeVar("Value")

KEPT_SECONDS: Final = 60
"""The maximum age of a value."""


class RecentValues:
    """Values that this process has read recently, by name."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._values: dict[Hashable, tuple[datetime, Any]] = {}

    def read(self, name: Hashable, read: Callable[[], Value]) -> Value:
        """The value with this name; it is read if it isn't known or is too old.

        :param name: everything that the value depends on, such as whose connections it is of
        """
        now = self._clock()
        known = self._values.get(name)
        if known is not None and timedelta() <= now - known[0] < timedelta(seconds=KEPT_SECONDS):
            value: Value = known[1]
            return value
        value = read()
        # Parts of pages are read in parallel; a value that two of them read is kept once.
        self._values = {
            one: kept
            for one, kept in self._values.items()
            if now - kept[0] < timedelta(seconds=KEPT_SECONDS)
        } | {name: (now, value)}
        return value
