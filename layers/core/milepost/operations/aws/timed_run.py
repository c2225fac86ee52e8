"""A scheduled run: processes orders one by one while there is time, and counts what it did."""

import logging
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar

from milepost.orders.order import OrderKey

logger = logging.getLogger(__name__)

LEFT: Final = "left"
FAILED: Final = "failed"


class AboutOrder(Protocol):
    @property
    def key(self) -> OrderKey: ...


One = TypeVar("One", bound=AboutOrder)
Process = Callable[[OrderKey], Iterable[str]]
"""Processes one order; returns a name for each thing that it did, to be counted."""


class TimedRun:
    """A run; ``done`` has the counts, including orders that failed, and orders that there was no
    time for.
    """

    def __init__(self, *, names: Iterable[str], has_time: Callable[[], bool]) -> None:
        """:param names: the names of the counts"""
        self._has_time = has_time
        self.done = dict.fromkeys((*names, FAILED, LEFT), 0)

    def has_time(self) -> bool:
        """Whether there is time to start with another order; if not, the order is counted as
        left."""
        if not self._has_time():
            self.done[LEFT] += 1
            return False
        return True

    def each(self, keys: Iterable[OrderKey], process: Process) -> None:
        """Process orders until there is no more time."""
        for key in keys:
            if not self.has_time():
                return
            self._process(key, process)

    def each_or_left(
        self,
        found: Iterable[One],
        process: Process,
        *,
        postponed_by: tuple[type[Exception], ...] = (),
    ) -> list[One]:
        """Process orders; returns the orders that there was no time for, and the orders that
        failed.

        :param postponed_by: exceptions after which an order is left for a later run
        """
        return [
            one
            for one in found
            if not self.has_time() or not self._process(one.key, process, postponed_by)
        ]

    def fail(self, message: str, **about: str) -> None:
        """Log the current exception and count a failure; the next run tries again."""
        logger.exception(message, extra=about)
        self.done[FAILED] += 1

    def _process(
        self, key: OrderKey, process: Process, postponed_by: tuple[type[Exception], ...] = ()
    ) -> bool:
        try:
            names = process(key)
        except postponed_by:
            self.done[LEFT] += 1
            return False
        except Exception:
            self.fail("failed to process", order=str(key))
            return False
        for name in names:
            self.done[name] += 1
        return True
