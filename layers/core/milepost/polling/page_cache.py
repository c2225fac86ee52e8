"""What polls remember of a provider's pages, so that what comes again unchanged isn't read again.

The memory says of each order what it looked like when it was last recorded. It holds only as long
as nothing else is recorded for that order: whoever records it by another way leaves a mark
(``touched_orders``), and the next poll forgets the order and looks at it again.
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

DIGEST_BYTES: Final = 16
KEY_BYTES: Final = 8
NO_KEY: Final = bytes(KEY_BYTES)
"""Of an order that could not be read, so that nothing is recorded for it."""
_FORM: Final = 2
"""Of marshal: the last one that writes equal values alike, whatever they share in memory."""
_KEPT_AS: Final = b"milepost pages 3\n"
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
    def json(self) -> PageJson:
        """Its envelope and its orders, each as it came.

        :raises BadPayload: when it isn't JSON
        :raises BrokenPage: when there are too many orders on it
        """
        return read_page_json(self.body, self.provider.orders_path)

    @cached_property
    def page(self) -> Page:
        """What is on it, for comparing: see ``PageJson.orders``.

        :raises BadPayload: when it isn't JSON
        :raises BrokenPage: when it isn't a page
        """
        return self.provider.read_page(self.json.envelope, request=self.request)

    @property
    def outline(self) -> Outline:
        """What it says of the list, recalled or read.

        :raises BadPayload: when it has to be read and isn't JSON
        :raises BrokenPage: when it has to be read and isn't a page
        """
        return self.recalled or Outline(self.page.next, self.page.newest_change)

    def digests(self) -> list[bytes]:
        """What each of its orders looks like."""
        return [self._digest_at(place, order) for place, order in enumerate(self.page.orders)]

    def _digest_at(self, place: int, order: Any) -> bytes:
        try:
            return hash_of(order)
        except (TypeError, ValueError):
            # Not JSON, or nested deeper than marshal goes.
            return _digest(self.json.raw(place))


def hash_of(order: Any) -> bytes:
    """What an order of a page looks like, in 16 bytes; the same only for equal fields.

    :raises TypeError: when it isn't an object
    :raises ValueError: when it is nested too deep
    """
    if not isinstance(order, dict):
        raise TypeError("not an object")
    return _digest(marshal.dumps(order, _FORM))


def key_of(order_id: str) -> bytes:
    """Which order of a connection it is, in 8 bytes."""
    return hashlib.blake2b(order_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


class KeptPage(NamedTuple):
    """Of a page: its orders' digests, one after the other, their keys, and its outline as JSON.

    Without an outline it is what is left of a page of which something has to be looked at again.
    """

    orders: bytes
    keys: bytes
    outline: bytes

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        return zip(_cut(self.orders, DIGEST_BYTES), _cut(self.keys, KEY_BYTES), strict=True)

    @property
    def has_readable_order(self) -> bool:
        return bool(self.keys.strip(b"\0"))


@dataclass(eq=False)
class Seen:
    """What a poll saw and recorded: the digests of its orders, page by page.

    A page that comes again to the byte brings nothing new, whatever else has changed: its orders
    need not be looked at. If it was asked for by the same request, not even what follows it.
    """

    pages: dict[bytes, KeptPage] = field(default_factory=dict)
    """By a page's own digest."""
    until: datetime | None = None
    """Up to when marks of ``touched_orders`` have been applied; None when nothing is remembered."""
    quarantined: set[bytes] = field(default_factory=set)
    """Digests of orders that are in the quarantine: not to be written there again."""
    walked: set[bytes] = field(default_factory=set)
    """Requests and contents of the pages that this poll has read: none may come again."""
    is_changed: bool = False
    """Whether something was forgotten since it was loaded, so that it has to be saved."""
    _keys: dict[bytes, bytes] = field(default_factory=dict)
    """By digest, once it is indexed, with what was forgotten."""
    _digests: dict[bytes, bytes | set[bytes]] = field(default_factory=dict)
    """By key; a set only of an order with several, since a set takes as much memory as ten."""
    _forgotten: set[bytes] = field(default_factory=set)
    _is_indexed: bool = False

    def __contains__(self, order: bytes) -> bool:
        return order in self._index() and order not in self._forgotten

    def key(self, order: bytes) -> bytes:
        """The key of an order that is contained."""
        return self._index()[order]

    def _index(self) -> dict[bytes, bytes]:
        if not self._is_indexed:
            # Most polls see nothing new and never ask.
            self._is_indexed = True
            for kept in self.pages.values():
                self._add_to_index(kept.entries())
        return self._keys

    def _add_to_index(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        for digest, key in entries:
            if self._keys.get(digest) == key:
                # Kept as it is: the same bytes once more would take as much memory again.
                continue
            self._keys[digest] = key
            if key == NO_KEY:
                continue
            known = self._digests.setdefault(key, digest)
            if isinstance(known, set):
                known.add(digest)
            elif known != digest:
                self._digests[key] = {known, digest}

    def forget(self, keys: Collection[bytes]) -> None:
        """Look at these orders again, since something is, or was, recorded for them."""
        if keys:
            # Most polls have nothing to forget, and an index takes as long as the pages.
            self._index()
        for key in keys:
            found = self._digests.get(key, set())
            digests = found if isinstance(found, set) else {found}
            if digests and not digests <= self._forgotten:
                self._forgotten |= digests
                self.is_changed = True

    def look_at(self, body: bytes, *, request: PageRequest, provider: Provider) -> FetchedPage:
        """The page in an answer's body, recalled if it is one of these."""
        # What follows a page may stand beside it: then the two are one page.
        digest = _digest(body if request.link is None else body + request.link.encode())
        kept = self.pages.get(digest)
        recalled = _recall(kept.outline, request) if kept and kept.outline else None
        return FetchedPage(body, digest, request, provider, recalled)

    def is_whole_list(self, request: PageRequest) -> bool:
        """Whether the answer to this one request was all that there is, and still holds."""
        if len(self.pages) != 1 or self._forgotten:
            return False
        (kept,) = self.pages.values()
        recalled = _recall(kept.outline, request) if kept.outline else None
        return recalled is not None and recalled.next is None

    def keep(
        self, fetched: FetchedPage, entries: list[tuple[bytes, bytes]], *, is_whole: bool
    ) -> None:
        """Keep a page's orders. If one has to be looked at again, the page has to be as well.

        :param entries: digest and key of each order
        """
        orders, keys = (b"".join(one[part] for one in entries) for part in (0, 1))
        if is_whole:
            self._keep(fetched.digest, KeptPage(orders, keys, _outline_of(fetched)))
        else:
            self._keep(_digest(orders), KeptPage(orders, keys, b""))

    def keep_order(self, digest: bytes, key: bytes) -> None:
        """Remember an order of a page that is being read."""
        self._index()
        self._add_to_index([(digest, key)])
        self._forgotten.discard(digest)

    def keep_unchanged(self, fetched: FetchedPage, before: "Seen") -> "KeptPage | None":
        """Keep this page as it was before, and give what is kept of it; None if it is new."""
        kept = before.pages.get(fetched.digest)
        if kept is None or not kept.outline:
            return None
        if before._forgotten and not before._forgotten.isdisjoint(_cut(kept.orders, DIGEST_BYTES)):
            return None
        same = kept if fetched.recalled else kept._replace(outline=_outline_of(fetched))
        self._keep(fetched.digest, same)
        return same

    def _keep(self, page: bytes, kept: KeptPage) -> None:
        self.pages[page] = kept
        if self._is_indexed:
            self._add_to_index(kept.entries())

    def walk(self, step: bytes) -> bool:
        """Note a step of this poll through the list; False when it was taken before."""
        short = _digest(step)[:KEY_BYTES]
        if short in self.walked:
            return False
        self.walked.add(short)
        return True

    def has_walked(self, step: bytes) -> bool:
        """Whether this poll took this step before."""
        return _digest(step)[:KEY_BYTES] in self.walked

    def _remembered(self) -> Iterator[tuple[bytes, KeptPage]]:
        """The pages without what was forgotten."""
        if not self._forgotten:
            yield from self.pages.items()
            return
        for page, kept in self.pages.items():
            if self._forgotten.isdisjoint(_cut(kept.orders, DIGEST_BYTES)):
                yield page, kept
                continue
            left = [one for one in kept.entries() if one[0] not in self._forgotten]
            orders, keys = (b"".join(one[part] for one in left) for part in (0, 1))
            yield _digest(orders), KeptPage(orders, keys, b"")

    def __bytes__(self) -> bytes:
        """As it is stored: each content behind its length."""
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
        """Read what ``bytes`` gave; of what was kept in another way, nothing was seen."""
        if not stored.startswith(_KEPT_AS):
            return cls()
        head, start = _read_part(stored, len(_KEPT_AS))
        quarantined, start = _read_part(stored, start)
        walked, start = _read_part(stored, start)
        until = json.loads(head)["until"]
        pages = {}
        while start < len(stored):
            page, start = stored[start : start + DIGEST_BYTES], start + DIGEST_BYTES
            orders, start = _read_part(stored, start)
            keys, start = _read_part(stored, start)
            outline, start = _read_part(stored, start)
            pages[page] = KeptPage(orders, keys, outline)
        return cls(
            pages,
            parse_instant(until) if until else None,
            set(_cut(quarantined, DIGEST_BYTES)),
            set(_cut(walked, KEY_BYTES)),
        )


def _read_part(stored: bytes, start: int) -> tuple[bytes, int]:
    content = start + _LENGTH_BYTES
    end = content + int.from_bytes(stored[start:content], "big")
    return stored[content:end], end


def _cut(content: bytes, length: int) -> Iterator[bytes]:
    return (content[start : start + length] for start in range(0, len(content), length))


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
