"""Limits of one poll's way through a provider's list, so that a list that never ends is a failure.

Either it comes round to what this poll has read before, or each page is new. The first is found by
what was read (``Seen.walk``), the second only by how much there is.
"""

from typing import Final

from milepost.polling.state import Progress
from milepost.providers.base import BrokenPage

MOST_PAGES: Final = 20_000
"""Pages that one poll reads."""
MOST_ORDERS: Final = 250_000
"""Orders that one poll reads. It remembers each of them, and those of the poll before."""


class EndlessList(BrokenPage):
    """The list never ends, as far as this poll can tell. The next poll begins it again."""


def refuse_too_long(walk: Progress) -> None:
    """Fail when the list goes on after as much as one poll may read.

    :raises EndlessList: with how much was read
    """
    if walk.pages >= MOST_PAGES:
        raise EndlessList(
            f"the list goes on after {walk.pages:,} pages, and one poll reads at most "
            f"{MOST_PAGES:,}: it never ends, or page_size is too small for it"
        )
    if walk.orders >= MOST_ORDERS:
        raise EndlessList(
            f"the list goes on after {walk.orders:,} orders, and one poll reads at most "
            f"{MOST_ORDERS:,}: it never ends, or it is too long for one connection"
        )
