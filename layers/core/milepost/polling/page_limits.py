"""How large a page, an order and a poll may be. Short: several modules share these limits.

A page's bytes are limited where every answer of a provider is read: ``providers.http.MOST_BYTES``.
"""

from typing import Final

MOST_ORDERS_ON_A_PAGE: Final = 10_000
"""If a provider sends more, the connection has to set ``page_size``."""
MOST_ORDER_BYTES: Final = 1_000_000
"""Maximum size of one order, far more than can be stored. Larger ones are quarantined without being
parsed."""
MOST_ORDERS_OF_A_POLL: Final = 250_000
"""Maximum number of orders that one poll reads. It holds all of them in memory, and those of the
previous poll."""
MOST_PAGES: Final = 20_000
"""Maximum number of pages that one poll reads."""
MOST_EMPTY_PAGES: Final = 1_000
"""Maximum number of pages without orders, one after the other. Some lists have such pages, when
they look through other orders; more than these are a list without end."""
