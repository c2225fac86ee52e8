"""A value that a process caches for some time, such as settings or secrets.

``webhooks.aws.secrets`` has a cache of its own: it also limits how often a failed read is repeated.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

KEEP_SECONDS: Final = 300

Value = TypeVar("Value")


class CachedReader(Generic[Value]):
    """Reads a value at its first use, and again when it has become too old.

    When reading fails, the exception is raised to the caller, and the next use reads again.
    """

    def __init__(self, read: Callable[[], Value], *, clock: Callable[[], float]) -> None:
        """:param clock: seconds that never go back, such as ``time.monotonic``"""
        self._read = read
        self._clock = clock
        self._read_at: float | None = None
        self._known: Value

    def get(self, *, keep_seconds: float = KEEP_SECONDS) -> Value:
        """The value, at most this many seconds old."""
        if self.is_older_than(keep_seconds):
            self._known = self._read()
            self._read_at = self._clock()
        return self._known

    def is_older_than(self, seconds: float) -> bool:
        """Whether the value was read more than this many seconds ago, or never."""
        return self._read_at is None or self._clock() - self._read_at > seconds

    def forget(self) -> None:
        """Read again at the next use."""
        self._read_at = None
