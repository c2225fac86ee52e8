"""The page cache: hashes of a provider's pages and orders, so that unchanged ones are skipped.

The cache has the hash of each order as it was last recorded. An entry is valid only as long as
nothing else is recorded for that order. Anything that records the order in another way leaves a
mark (``touched_orders``); the next poll then removes the entry and reads the order again.
"""

import hashlib
import json
import marshal
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from milepost.common.timestamps import format_instant, parse_instant
from milepost.polling.page_json import PageJson, read_page_json
from milepost.providers.base import Page, PageRequest, Provider

HASH_BYTES: Final = 16
KEY_BYTES: Final = 8
NO_KEY: Final = bytes(KEY_BYTES)
"""The key of an order that could not be read, so that nothing was recorded for it."""
_FORM: Final = 2
"""The last version of marshal that writes equal values identically, even with shared objects."""
_KEPT_AS: Final = b"milepost pages 3\n"
_LENGTH_BYTES: Final = 4


class Outline(NamedTuple):
    """The outline of a page: what it contains about its list."""

    next: PageRequest | None
    newest_change: datetime | None


@dataclass(frozen=True)
class FetchedPage:
    """A page of a provider. In nearly all cases, the last poll has already read the same page."""

    body: bytes
    digest: bytes
    request: PageRequest
    provider: Provider
    recalled: Outline | None
    """The outline of an identical page that was requested in the same way; None if there is
    none."""

    @cached_property
    def json(self) -> PageJson:
        """Its envelope and its orders, each byte for byte.

        :raises BadPayload: when it isn't JSON
        :raises BrokenPage: when there are too many orders on it
        """
        return read_page_json(self.body, self.provider.orders_path)

    @cached_property
    def page(self) -> Page:
        """The page with its orders, for comparison: see ``PageJson.orders``.

        :raises BadPayload: when it isn't JSON
        :raises BrokenPage: when it isn't a page
        """
        return self.provider.read_page(self.json.envelope, request=self.request)

    @property
    def outline(self) -> Outline:
        """Its outline, from the cache or from the page.

        :raises BadPayload: when it has to be read and isn't JSON
        :raises BrokenPage: when it has to be read and isn't a page
        """
        return self.recalled or Outline(self.page.next, self.page.newest_change)

    @property
    def kept_outline(self) -> bytes:
        """Its outline and its request, in the form in which they are cached."""
        following, newest = self.outline
        outline = {
            "asked": _plain(self.request),
            "next": _plain(following) if following else None,
            "newest_change": format_instant(newest) if newest else None,
        }
        return json.dumps(outline, separators=(",", ":")).encode()

    def hashes(self) -> list[bytes]:
        """The hash of each of its orders."""
        return [self._hash_at(place, order) for place, order in enumerate(self.page.orders)]

    def _hash_at(self, place: int, order: Any) -> bytes:
        try:
            return hash_of(order)
        except (TypeError, ValueError):
            # Not JSON, or nested deeper than marshal goes.
            return _digest(self.json.raw(place))


def hash_of(order: Any) -> bytes:
    """The hash of an order on a page, in 16 bytes; the same only for equal fields.

    :raises TypeError: when it isn't an object
    :raises ValueError: when it is nested too deep
    """
    if not isinstance(order, dict):
        raise TypeError("not an object")
    return _digest(marshal.dumps(order, _FORM))


def key_of(order_id: str) -> bytes:
    """The key of an order within its connection, in 8 bytes."""
    return hashlib.blake2b(order_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=HASH_BYTES).digest()


class KeptPage(NamedTuple):
    """A cached page: the concatenated hashes of its orders, their keys, and its outline as JSON.

    Without an outline, some of the page's orders were removed because they have to be read again.
    """

    orders: bytes
    keys: bytes
    outline: bytes

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        return zip(_cut(self.orders, HASH_BYTES), _cut(self.keys, KEY_BYTES), strict=True)

    @property
    def has_readable_order(self) -> bool:
        return bool(self.keys.strip(b"\0"))


@dataclass(eq=False)
class Seen:
    """What a poll read and recorded: the hashes of its orders, page by page.

    A page with exactly the same bytes has nothing new, so its orders need not be read. If it was
    requested in the same way, its outline needn't be read either.
    """

    pages: dict[bytes, KeptPage] = field(default_factory=dict)
    """By the page's own hash."""
    until: datetime | None = None
    """The time up to which marks of ``touched_orders`` have been applied; None if the cache is
    empty."""
    quarantined: set[bytes] = field(default_factory=set)
    """Hashes of orders that are already in the quarantine."""
    walked: dict[bytes, None] = field(default_factory=dict)
    """Hashes of requests and contents of the pages that this poll has read, one after the other: a
    repeated one means that the list never ends."""
    is_changed: bool = False
    """Whether entries were removed since it was loaded, so that it has to be saved."""
    _keys: dict[bytes, bytes] = field(default_factory=dict)
    """Keys by hash, once indexed; also of removed orders."""
    _hashes: dict[bytes, bytes | set[bytes]] = field(default_factory=dict)
    """Hashes by key. A set only if an order has several, since a set takes as much memory as ten
    hashes."""
    _forgotten: set[bytes] = field(default_factory=set)
    _is_indexed: bool = False

    def __contains__(self, order: bytes) -> bool:
        return order in self._index() and order not in self._forgotten

    def key_if_cached(self, order: bytes) -> bytes | None:
        """The key of an order; None if it isn't in the cache."""
        return None if order in self._forgotten else self._index().get(order)

    def has_order(self, key: bytes) -> bool:
        """Whether an order is in the cache, in any version, even if it was removed."""
        return bool(self._index()) and key in self._hashes

    def _index(self) -> dict[bytes, bytes]:
        if not self._is_indexed:
            # Most polls see nothing new and don't need this.
            self._is_indexed = True
            for kept in self.pages.values():
                self._add_to_index(kept.entries())
        return self._keys

    def _add_to_index(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        for digest, key in entries:
            if self._keys.get(digest) == key:
                # Not copied, since a copy of the bytes would double the memory.
                continue
            self._keys[digest] = key
            if key == NO_KEY:
                continue
            known = self._hashes.setdefault(key, digest)
            if isinstance(known, set):
                known.add(digest)
            elif known != digest:
                self._hashes[key] = {known, digest}

    def forget(self, keys: Collection[bytes]) -> None:
        """Remove these orders, since something is or was recorded for them."""
        if keys:
            # Most polls have nothing to remove, and indexing takes as long as reading the pages.
            self._index()
        for key in keys:
            found = self._hashes.get(key, set())
            hashes = found if isinstance(found, set) else {found}
            if hashes and not hashes <= self._forgotten:
                self._forgotten |= hashes
                self.is_changed = True

    def look_at(self, body: bytes, *, request: PageRequest, provider: Provider) -> FetchedPage:
        """The page in a response body, with its cached outline if it is in the cache."""
        # The Link header may name the next page. Processors have instructions for SHA-256.
        content = body if request.link is None else body + request.link.encode()
        digest = hashlib.sha256(content).digest()[:HASH_BYTES]
        kept = self.pages.get(digest)
        recalled = _recall(kept.outline, request) if kept and kept.outline else None
        return FetchedPage(body, digest, request, provider, recalled)

    def is_whole_list(self, request: PageRequest) -> bool:
        """Whether the response to this one request contained the whole list, and is still valid."""
        if len(self.pages) != 1 or self._forgotten:
            return False
        (kept,) = self.pages.values()
        recalled = _recall(kept.outline, request) if kept.outline else None
        return recalled is not None and recalled.next is None

    def keep(self, page: bytes, entries: list[tuple[bytes, bytes]], *, outline: bytes) -> None:
        """Cache a page's orders. If one of them has to be read again, so does the page.

        :param page: the page's own hash
        :param entries: hash and key of each order that need not be read again
        :param outline: ``FetchedPage.kept_outline``; empty if the page has other orders as well
        """
        orders, keys = (b"".join(one[part] for one in entries) for part in (0, 1))
        self._keep(page if outline else _digest(orders), KeptPage(orders, keys, outline))

    def keep_order(self, digest: bytes, key: bytes) -> None:
        """Cache an order of a page that is not cached yet."""
        self._index()
        self._add_to_index([(digest, key)])
        self._forgotten.discard(digest)

    def keep_unchanged(self, fetched: FetchedPage, before: "Seen") -> "KeptPage | None":
        """Copy the entry of this page from the earlier cache, or None for a new page."""
        kept = before.pages.get(fetched.digest)
        if kept is None or not kept.outline:
            return None
        if before._forgotten and not before._forgotten.isdisjoint(_cut(kept.orders, HASH_BYTES)):
            return None
        same = kept if fetched.recalled else kept._replace(outline=fetched.kept_outline)
        self._keep(fetched.digest, same)
        return same

    def _keep(self, page: bytes, kept: KeptPage) -> None:
        self.pages[page] = kept
        if self._is_indexed:
            self._add_to_index(kept.entries())

    def walk(self, step: bytes) -> bool:
        """Add a request or page of this poll; False if it already occurred."""
        short = _digest(step)[:KEY_BYTES]
        if short in self.walked:
            return False
        self.walked[short] = None
        return True

    def walk_back(self, count: int) -> None:
        """Forget all requests and pages that were noted after the first ``count``."""
        while len(self.walked) > count:
            self.walked.popitem()

    def has_walked(self, step: bytes) -> bool:
        """Whether this request or page already occurred in this poll."""
        return _digest(step)[:KEY_BYTES] in self.walked

    def _remembered(self) -> Iterator[tuple[bytes, KeptPage]]:
        """The pages without the removed orders."""
        if not self._forgotten:
            yield from self.pages.items()
            return
        for page, kept in self.pages.items():
            if self._forgotten.isdisjoint(_cut(kept.orders, HASH_BYTES)):
                yield page, kept
                continue
            left = [one for one in kept.entries() if one[0] not in self._forgotten]
            orders, keys = (b"".join(one[part] for one in left) for part in (0, 1))
            yield _digest(orders), KeptPage(orders, keys, b"")

    def __bytes__(self) -> bytes:
        """The stored form: each part is preceded by its length."""
        head = {"until": format_instant(self.until) if self.until else None}
        parts = [_KEPT_AS]
        sets = (b"".join(sorted(self.quarantined)), b"".join(sorted(self.walked)))
        for content in (json.dumps(head).encode(), *sets):
            parts += (len(content).to_bytes(_LENGTH_BYTES, "big"), content)
        for page, kept in self._remembered():
            parts.append(page)
            for content in kept:
                parts += (len(content).to_bytes(_LENGTH_BYTES, "big"), content)
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Seen":
        """Parse the stored form; an unknown form gives an empty cache."""
        if not stored.startswith(_KEPT_AS):
            return cls()
        head, start = _read_part(stored, len(_KEPT_AS))
        quarantined, start = _read_part(stored, start)
        walked, start = _read_part(stored, start)
        until = json.loads(head)["until"]
        pages = {}
        while start < len(stored):
            page, start = stored[start : start + HASH_BYTES], start + HASH_BYTES
            orders, start = _read_part(stored, start)
            keys, start = _read_part(stored, start)
            outline, start = _read_part(stored, start)
            pages[page] = KeptPage(orders, keys, outline)
        return cls(
            pages,
            parse_instant(until) if until else None,
            set(_cut(quarantined, HASH_BYTES)),
            dict.fromkeys(_cut(walked, KEY_BYTES)),
        )


def _read_part(stored: bytes, start: int) -> tuple[bytes, int]:
    content = start + _LENGTH_BYTES
    end = content + int.from_bytes(stored[start:content], "big")
    return stored[content:end], end


def _cut(content: bytes, length: int) -> Iterator[bytes]:
    return (content[start : start + length] for start in range(0, len(content), length))


def _recall(outline: bytes, request: PageRequest) -> Outline | None:
    """The outline; None if the page was requested in another way, so that its next page may
    differ."""
    kept = json.loads(outline)
    if kept["asked"] != _plain(request):
        return None
    following, newest = kept["next"], kept["newest_change"]
    return Outline(
        PageRequest(*following) if following else None, parse_instant(newest) if newest else None
    )


def _plain(request: PageRequest) -> list[object]:
    return [request.path, dict(request.query)]
