"""Limits how many links an IP address may guess."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

MOST_GUESSES: Final = 10
"""Links that don't work, from one address in ``WINDOW_SECONDS``. Somebody who copied a link badly
tries it a few times."""
WINDOW_SECONDS: Final = 600.0
MOST_ADDRESSES: Final = 2_000
"""Addresses that are remembered; the oldest is forgotten first."""


@dataclass(slots=True)
class _Window:
    ends: float
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """The number of invalid links by IP address, in the memory of one instance of a function.

    Other instances count for themselves. The signature is what makes guessing hopeless; this keeps
    one address from using the function as fast as it likes.

    :param clock: seconds that only increase
    """

    clock: Callable[[], float]
    windows: OrderedDict[str, _Window] = field(default_factory=OrderedDict)

    def are_too_many(self, address: str) -> bool:
        """Whether this IP address has reached its limit for now."""
        window = self._open(address)
        return window is not None and window.count >= MOST_GUESSES

    def count(self, address: str) -> None:
        """Count an invalid link from this IP address."""
        window = self._open(address)
        if window is None:
            window = _Window(self.clock() + WINDOW_SECONDS)
            self.windows[address] = window
            while len(self.windows) > MOST_ADDRESSES:
                self.windows.popitem(last=False)
        window.count += 1

    def seconds_left(self, address: str) -> int:
        """After how many seconds the IP address may try again; at least 1."""
        window = self._open(address)
        return max(1, round(window.ends - self.clock())) if window else 1

    def _open(self, address: str) -> _Window | None:
        window = self.windows.get(address)
        if window is not None and window.ends <= self.clock():
            del self.windows[address]
            return None
        return window
