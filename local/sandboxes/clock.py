"""The sandboxes' clock: the machine's time, which tests can advance."""

from datetime import UTC, datetime, timedelta


class Clock:
    """The current time in UTC; ``advance`` moves it, so that tokens, limits and scheduled times
    expire.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def seconds(self) -> float:
        """Unix seconds of ``now``."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)

    def reset(self) -> None:
        self._ahead = timedelta()
