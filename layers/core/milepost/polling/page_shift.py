"""Detects orders that moved to an earlier page of a numbered list while the list was read.

When an order is removed from its position in such a list, every later order moves up by one, and
the first order of the next page moves to a page that was already read. So the previous page is read
again after each page: if its last order is still in place, nothing moved there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from milepost.providers.base import PageRequest

MOST_REMEMBERED: Final = 100
"""How many of a page's order hashes are stored with a paused poll."""


@dataclass(frozen=True, slots=True)
class PreviousPage:
    """The page before the next one, with the orders that it had when it was read."""

    request: PageRequest
    digest: bytes
    """The hash of its bytes."""
    orders: Sequence[bytes]
    """The hashes of its last orders."""
    is_first: bool
    """Whether it is the first page of the list, so that nothing can move to an earlier page."""

    def has_shifted(self, orders: Sequence[bytes]) -> bool:
        """Whether orders may have moved to this page, according to the orders that it has now."""
        return bool(self.orders) and (not orders or orders[-1] != self.orders[-1])

    def adjoins(self, orders: Sequence[bytes]) -> bool:
        """Whether certainly no unread order moved to an earlier page, according to the orders of
        this page.

        If one of its earlier orders is still on it, every unread order comes after that order.
        """
        return self.is_first or not set(self.orders).isdisjoint(orders)


def previous_page(
    request: PageRequest, *, digest: bytes, orders: Sequence[bytes], is_first: bool
) -> PreviousPage:
    """The data about a page that is needed until the next page is read."""
    return PreviousPage(request, digest, tuple(orders[-MOST_REMEMBERED:]), is_first)
