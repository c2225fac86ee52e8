"""Pages as a poll compares them: whole if they can be, and exactly only where something is new."""

import hashlib
import json
import marshal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from milepost.payload import read_object, read_quickly
from milepost.provider import Json, Page, PageRequest, Provider
from milepost.report import format_instant, parse_instant

DIGEST_BYTES: Final = 16
_FORM: Final = 2
"""Of marshal: the last one that writes equal values alike, whatever they share in memory."""
_KEPT_AS: Final = b"milepost pages 2\n"
_LENGTH_BYTES: Final = 4


class Outline(NamedTuple):
    """What a page says of the list that it is a part of."""

    next: PageRequest | None
    newest_change: datetime | None


@dataclass(frozen=True)
class FetchedPage:
    """A page of a provider, which nearly always is one of the last poll."""

    body: bytes
    digest: bytes
    request: PageRequest
    provider: Provider
    recalled: Outline | None
    """What it said when it was asked for in the same way and looked the same."""

    @cached_property
    def page(self) -> Page:
        """What is on it, for comparing: fractions are texts, and repeated keys go unnoticed.

        :raises BadPayload: when it isn't JSON
        :raises BrokenPage: when it isn't a page
        """
        return self.provider.read_page(read_quickly(self.body), request=self.request)

    @property
    def outline(self) -> Outline:
        """What it says of the list, recalled or read.

        :raises BadPayload: when it has to be read and isn't JSON
        :raises BrokenPage: when it has to be read and isn't a page
        """
        return self.recalled or Outline(self.page.next, self.page.newest_change)

    @cached_property
    def exact(self) -> list[Json]:
        """Its orders to record, every number exact.

        :raises BadPayload: when it isn't strict JSON
        :raises BrokenPage: when it isn't a page
        """
        return self.provider.read_page(read_object(self.body), request=self.request).orders


def digest_of(order: Json) -> bytes:
    """What an order of a page looks like, in 16 bytes; the same only for equal fields."""
    return _digest(marshal.dumps(order, _FORM))  # type: ignore[arg-type]  # it is plain JSON


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


class _Kept(NamedTuple):
    """Of a page: the digests of its orders, one after the other, and its outline as JSON."""

    orders: bytes
    outline: bytes


class Seen:
    """What a poll saw: the digests of its orders, page by page.

    A page that comes again to the byte brings nothing new, whatever else has changed: its orders
    need not be looked at. If it was asked for by the same request, not even what follows it.
    """

    def __init__(self, pages: dict[bytes, _Kept] | None = None) -> None:
        """:param pages: by a page's own digest"""
        self._pages = pages or {}
        self._orders: set[bytes] | None = None

    def __contains__(self, order: bytes) -> bool:
        if self._orders is None:
            # Most polls see nothing new and never ask.
            self._orders = {one for kept in self._pages.values() for one in _split(kept.orders)}
        return order in self._orders

    def look_at(self, body: bytes, *, request: PageRequest, provider: Provider) -> FetchedPage:
        """The page in an answer's body, recalled if it is one of these."""
        digest = _digest(body)
        kept = self._pages.get(digest)
        recalled = _recall(kept.outline, request) if kept else None
        return FetchedPage(body, digest, request, provider, recalled)

    def keep(self, fetched: FetchedPage, orders: list[bytes], *, is_whole: bool) -> None:
        """Keep a page's orders. If one has to be looked at again, the page has to be as well."""
        together = b"".join(orders)
        if is_whole:
            self._keep(fetched.digest, _Kept(together, _outline_of(fetched)))
        else:
            self._keep(_digest(together), _Kept(together, b""))

    def keep_unchanged(self, fetched: FetchedPage, before: "Seen") -> int | None:
        """Keep this page as it was before, and tell how many orders it has; None if it is new."""
        kept = before._pages.get(fetched.digest)
        if kept is None:
            return None
        same = kept if fetched.recalled else _Kept(kept.orders, _outline_of(fetched))
        self._keep(fetched.digest, same)
        return len(kept.orders) // DIGEST_BYTES

    def _keep(self, page: bytes, kept: _Kept) -> None:
        self._pages[page] = kept
        if self._orders is not None:
            self._orders.update(_split(kept.orders))

    def __bytes__(self) -> bytes:
        """As it is stored: of each page its digest, then its orders and its outline by length."""
        parts = [_KEPT_AS]
        for page, kept in self._pages.items():
            parts.append(page)
            for content in kept:
                parts += (len(content).to_bytes(_LENGTH_BYTES, "big"), content)
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Seen":
        """Read what ``bytes`` gave; of what was kept in another way, nothing was seen."""
        if not stored.startswith(_KEPT_AS):
            return cls()
        pages, start = {}, len(_KEPT_AS)
        while start < len(stored):
            page, start = stored[start : start + DIGEST_BYTES], start + DIGEST_BYTES
            orders, start = _read_part(stored, start)
            outline, start = _read_part(stored, start)
            pages[page] = _Kept(orders, outline)
        return cls(pages)


def _read_part(stored: bytes, start: int) -> tuple[bytes, int]:
    content = start + _LENGTH_BYTES
    end = content + int.from_bytes(stored[start:content], "big")
    return stored[content:end], end


def _split(orders: bytes) -> Iterator[bytes]:
    return (orders[start : start + DIGEST_BYTES] for start in range(0, len(orders), DIGEST_BYTES))


def _outline_of(fetched: FetchedPage) -> bytes:
    following, newest = fetched.outline
    outline = {
        "asked": _plain(fetched.request),
        "next": _plain(following) if following else None,
        "newest_change": format_instant(newest) if newest else None,
    }
    return json.dumps(outline, separators=(",", ":")).encode()


def _recall(outline: bytes, request: PageRequest) -> Outline | None:
    """The outline; None when the page was asked for otherwise, so that another may follow it."""
    kept = json.loads(outline)
    if kept["asked"] != _plain(request):
        return None
    following, newest = kept["next"], kept["newest_change"]
    return Outline(
        PageRequest(*following) if following else None, parse_instant(newest) if newest else None
    )


def _plain(request: PageRequest) -> list[object]:
    return [request.path, dict(request.query)]
