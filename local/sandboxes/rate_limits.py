"""Rate limits in fixed windows, as providers count them: requests over the limit get status 429.

Each provider's numbers are in its own module, such as ``offergrid.py``. SUBS documents none, so
``subs.py`` has none: it answers 429 only on request (``fault_injection``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Window:
    """``limit`` requests in ``seconds``; counting starts again when the window ends."""

    limit: int
    seconds: float
    used: int = 0
    ends: float = 0.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a request may know about its limit: times in Unix seconds, ``retry_after`` in
    seconds.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int


class RateLimit:
    """Several windows at the same time; a request counts in all of them, a refused one in none."""

    def __init__(self, windows: Sequence[tuple[int, float]]) -> None:
        self._windows = [Window(limit, seconds) for limit, seconds in windows]

    def take(self, now: float) -> Allowance:
        """Counts one request at ``now``, and returns whether it is within the limit."""
        for window in self._windows:
            if now >= window.ends:
                window.used, window.ends = 0, now + window.seconds
        full = [window for window in self._windows if window.used >= window.limit]
        if not full:
            for window in self._windows:
                window.used += 1
        tightest = max(full, key=_end) if full else self._windows[0]
        return Allowance(
            allowed=not full,
            limit=tightest.limit,
            remaining=tightest.limit - tightest.used,
            reset=math.ceil(tightest.ends),
            retry_after=max(1, math.ceil(tightest.ends - now)),
        )


def _end(window: Window) -> float:
    return window.ends
