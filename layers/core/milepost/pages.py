"""Pages as a poll compares them: read quickly, and exactly only where something is new."""

import hashlib
import marshal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from milepost.payload import read_object, read_quickly
from milepost.provider import Json, Page, PageRequest, Provider

DIGEST_BYTES: Final = 16
_LENGTH_BYTES: Final = 4
_FORM: Final = 2
"""Of marshal: the last one that writes equal values alike, whatever they share in memory."""


@dataclass(frozen=True)
class FetchedPage:
    """A page of a provider, whose orders nearly always are those of the last poll."""

    page: Page
    """What is on it, for comparing: fractions are texts, and repeated keys go unnoticed."""
    request: PageRequest
    provider: Provider
    body: bytes

    @cached_property
    def exact(self) -> list[Json]:
        """Its orders to record, every number exact.

        :raises BadPayload: when it isn't strict JSON
        :raises BrokenPage: when it isn't a page
        """
        return self.provider.read_page(read_object(self.body), request=self.request).orders


def read_page(body: bytes, *, request: PageRequest, provider: Provider) -> FetchedPage:
    """The page in an answer's body.

    :raises BadPayload: when it isn't JSON
    :raises BrokenPage: when it isn't a page
    """
    page = provider.read_page(read_quickly(body), request=request)
    return FetchedPage(page, request, provider, body)


def digest_of(order: Json) -> bytes:
    """What an order of a page looks like, in 16 bytes; the same only for equal fields."""
    return _digest(marshal.dumps(order, _FORM))  # type: ignore[arg-type]  # it is plain JSON


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


class Seen:
    """What a poll saw: the digests of its orders, page by page.

    A page that comes again to the byte brings nothing new, whatever else has changed: its orders
    need not be looked at.
    """

    def __init__(self, pages: dict[bytes, bytes] | None = None) -> None:
        """:param pages: by a page's own digest, those of its orders, one after the other"""
        self._pages = pages or {}
        self._orders: set[bytes] | None = None

    def __contains__(self, order: bytes) -> bool:
        if self._orders is None:
            # Most polls see nothing new and never ask.
            self._orders = {one for orders in self._pages.values() for one in _split(orders)}
        return order in self._orders

    def orders_of(self, page: bytes) -> bytes | None:
        """The digests of a page's orders; None for one that wasn't seen, or not taken in whole."""
        return self._pages.get(page)

    def keep(self, body: bytes, orders: list[bytes], *, is_whole: bool) -> None:
        """Keep a page's orders. If one has to be looked at again, the page has to be as well."""
        together = b"".join(orders)
        self._keep(_digest(body if is_whole else together), together)

    def keep_unchanged(self, body: bytes, before: "Seen") -> bool:
        """Keep this page as it was before; False when it was another one, or none."""
        page = _digest(body)
        orders = before.orders_of(page)
        if orders is None:
            return False
        self._keep(page, orders)
        return True

    def _keep(self, page: bytes, orders: bytes) -> None:
        self._pages[page] = orders
        if self._orders is not None:
            self._orders.update(_split(orders))

    def __bytes__(self) -> bytes:
        """As it is stored: of each page its digest, the length of what follows, its orders."""
        return b"".join(
            part
            for page, orders in self._pages.items()
            for part in (page, len(orders).to_bytes(_LENGTH_BYTES, "big"), orders)
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Seen":
        """Read what ``bytes`` gave."""
        pages, start = {}, 0
        while start < len(stored):
            page, start = stored[start : start + DIGEST_BYTES], start + DIGEST_BYTES
            length, start = stored[start : start + _LENGTH_BYTES], start + _LENGTH_BYTES
            end = start + int.from_bytes(length, "big")
            pages[page], start = stored[start:end], end
        return cls(pages)


def _split(orders: bytes) -> Iterator[bytes]:
    return (orders[start : start + DIGEST_BYTES] for start in range(0, len(orders), DIGEST_BYTES))
