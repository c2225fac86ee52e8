"""Lists in numbered pages: whether orders moved onto a page after it was read.

When an order leaves its place while such a list is read, every order behind it moves up by one, and
the first order of the next page moves onto a page that was read before. So the page before is read
once more after each page: as long as its last order is where it was, nothing moved onto it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from milepost.providers.base import PageRequest

MOST_REMEMBERED: Final = 100
"""Orders of a page whose digests are kept with a paused poll."""


@dataclass(frozen=True, slots=True)
class PreviousPage:
    """The page that was read before the next one, as it was then."""

    request: PageRequest
    digest: bytes
    """Of its bytes."""
    orders: Sequence[bytes]
    """Digests of its last orders."""
    is_first: bool
    """Whether it is the first page of the list, so that nothing can move to a place before it."""

    def has_shifted(self, orders: Sequence[bytes]) -> bool:
        """Whether something may have moved onto it, now that it has these orders."""
        return bool(self.orders) and (not orders or orders[-1] != self.orders[-1])

    def adjoins(self, orders: Sequence[bytes]) -> bool:
        """Whether, now that it has these orders, none can have moved to a place before it unread.

        An order that is still there as it was is behind every order that was read on it before.
        """
        return self.is_first or not set(self.orders).isdisjoint(orders)


def previous_page(
    request: PageRequest, *, digest: bytes, orders: Sequence[bytes], is_first: bool
) -> PreviousPage:
    """The page as it has to be remembered until the next one is read."""
    return PreviousPage(request, digest, tuple(orders[-MOST_REMEMBERED:]), is_first)
