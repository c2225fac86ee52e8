"""Records the orders of a list one by one, so that an error in one order doesn't affect the others.

Some orders at a time, of one page or several, are read ahead by one call and recorded side by side.
Parts of one order, and versions of it in the list, are recorded one after the other.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Final

from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object, write_json
from milepost.common.timestamps import parse_instant
from milepost.connections.connection import Connection
from milepost.orders.order import OrderKey
from milepost.orders.recording import LostRace, UnstorableOrder
from milepost.orders.report import Report
from milepost.polling.page_cache import HASH_BYTES, NO_KEY, FetchedPage, Seen, key_of
from milepost.polling.page_limits import MOST_ORDER_BYTES
from milepost.polling.result import PollResult
from milepost.polling.sinks import MOST_UNAVAILABLE, Sinks, StoreUnavailable
from milepost.polling.state import EndlessList
from milepost.polling.unfinished_pages import Before, UnfinishedPage, UnfinishedPages
from milepost.polling.waiting_orders import ReadOnPage, WaitingOrders
from milepost.providers.base import Json, Provider
from milepost.providers.readable_parts import Unreadable, read_order

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class PageRecorder:
    """Records new and changed orders on the pages of one poll.

    ``memory`` is what earlier polls saw, ``seen`` what this poll sees. Orders may wait until enough
    of later pages can be recorded together with them, or until ``finish``.
    """

    connection: Connection
    provider: Provider
    sinks: Sinks
    memory: Seen
    seen: Seen
    result: PollResult
    has_time: Callable[[], bool]
    """Whether there is time to record one more order."""
    cursor: datetime | None
    trusts_memory: bool
    announce: bool
    unrecorded_change: datetime | None = None
    """The oldest change that was not recorded and may still be read by a later poll."""
    recorded_keys: set[bytes] = field(default_factory=set)
    """Keys of the orders for which something was, or may have been, recorded."""
    continues_at: Before | None = None
    """Where the list has to be continued, once there was no time for all orders."""
    unavailable: StoreUnavailable | None = None
    """Why an order could not be written, if it has to be written later: the poll has failed."""
    is_repeated: bool = False
    """Whether the last page had only orders that earlier pages of this poll had as well."""
    _unavailable_in_a_row: int = 0
    _unfinished: UnfinishedPages = field(init=False)
    _waiting: WaitingOrders = field(default_factory=WaitingOrders)
    _attempts: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)
    """Held by an order's task while it reads or changes shared data."""

    def __post_init__(self) -> None:
        self._unfinished = UnfinishedPages(self.seen)

    @property
    def waits_since(self) -> datetime | None:
        """When the first page with waiting orders was requested; None if no order waits."""
        return self._unfinished.since

    def take_in(self, fetched: FetchedPage, requested_at: datetime, *, before: Before) -> bool:
        """Record new and changed orders of a page, or add them to the waiting orders; False if time
        is up.

        :param before: what the poll was before it read this page
        :raises BadPayload: when its envelope isn't strict JSON
        :raises BrokenPage: when it isn't a page
        :raises EndlessList: when this poll has already read the page
        :raises StoreUnavailable: when orders can't be written now
        """
        self.is_repeated = False
        if self.trusts_memory:
            unchanged = self.seen.keep_unchanged(fetched, self.memory)
            if unchanged is not None:
                self.result.orders += len(unchanged.orders) // HASH_BYTES
                if unchanged.has_readable_order:
                    self._refuse_repeated(unchanged.orders)
                return True
        page = UnfinishedPage(
            before=before,
            digest=fetched.digest,
            requested_at=requested_at,
            hashes=fetched.hashes(),
        )
        self._unfinished.add(page)
        if not self._take_in_orders(fetched, page):
            return False
        page.outline = fetched.kept_outline
        if not self._waiting:
            self._unfinished.settle()
        self.result.orders += len(page.hashes)
        if any(isinstance(order, dict) for order in fetched.page.orders):
            self._refuse_repeated(b"".join(page.hashes))
        return True

    def finish(self) -> bool:
        """Record the waiting orders; False if there isn't, or wasn't, enough time for all orders.

        :raises StoreUnavailable: when orders can't be written now
        """
        return self.continues_at is None and self._record_waiting()

    def _take_in_orders(self, fetched: FetchedPage, page: UnfinishedPage) -> bool:
        """Record new and changed orders, or add them to the waiting orders; False if time is up."""
        is_new: bool | None = None
        for place, digest in enumerate(page.hashes):
            key = self._known_key(digest)
            if self._waiting.may_change(digest, key):
                if not self._record_waiting():
                    return False
                key = self._known_key(digest)
            if key is not None:
                if not is_new and key != NO_KEY:
                    is_new = not self.seen.has_order(key)
                page.keys[place] = key
                # Cached now, so that it is removed if a later version of the order is found.
                self.seen.keep_order(digest, key)
                continue
            one = self._read(fetched, page, place)
            if not self._waiting.has_room_for(one) and not self._record_waiting():
                return False
            if one.key != NO_KEY:
                is_new = is_new or not self.seen.has_order(one.key)
                # A later page that is unchanged may have an earlier version of it.
                self.memory.forget([one.key])
            self._waiting.add(one)
        # A page without any order that can be read says nothing.
        self.is_repeated = is_new is False
        return True

    def _refuse_repeated(self, orders: bytes) -> None:
        """Fail if a page has the same orders as an earlier one: the list would never end.

        Empty pages, and pages without readable orders, may repeat.
        """
        if orders and not self.seen.walk(b"orders " + orders):
            raise EndlessList(
                "the provider sent a page with the same orders as an earlier page of this poll"
            )

    def _known_key(self, digest: bytes) -> bytes | None:
        key = self.seen.key_if_cached(digest)
        if key is None and self.trusts_memory:
            key = self.memory.key_if_cached(digest)
        return key

    def _read(self, fetched: FetchedPage, page: UnfinishedPage, place: int) -> ReadOnPage:
        """Read an order on a page. Nothing is recorded yet."""
        raw, digest = fetched.json.raw(place), page.hashes[place]
        try:
            order = _read_strictly(raw)
            found = read_order(
                self.provider, order, connection=self.connection, requested_at=page.requested_at
            )
        except MemoryError:
            raise
        except Exception as error:
            problem = _reason("read", error)
            return ReadOnPage(page=page, place=place, digest=digest, raw=raw, problem=problem)
        key = key_of(found.reports[0].order_id) if found.reports else NO_KEY
        return ReadOnPage(
            page=page, place=place, digest=digest, raw=raw, order=order, found=found, key=key
        )

    def _record_waiting(self) -> bool:
        """Record the waiting orders; False if there was no time for all of them."""
        orders = self._waiting.take_all()
        left = self._record_together(orders) if orders else []
        if left:
            self.continues_at = self._unfinished.stop([one.page for one in left])
            return False
        self._unfinished.settle()
        return True

    def _record_together(self, orders: Sequence[ReadOnPage]) -> Sequence[ReadOnPage]:
        """Record orders in parallel; returns the orders that there was no time for."""
        if not self._may_start():
            # Reading them would be for nothing.
            return orders
        self._expect([report for one in orders for report in one.reports])
        # Whichever task is first takes the first order, so that those that are left are the last.
        waiting, left = deque(orders), list[ReadOnPage]()
        self.sinks.side_by_side([partial(self._record_next, waiting, left)] * len(orders))
        return left

    def _may_start(self) -> bool:
        """Whether there is time to record another order. The first order is always recorded, so
        that each poll makes progress.
        """
        return not self._attempts or self.has_time()

    def _expect(self, reports: Iterable[Report]) -> None:
        try:
            self.sinks.expect([OrderKey.of(one) for one in reports])
        except (StoreUnavailable, MemoryError):
            raise
        except Exception:  # noqa: S110 - each order is read by itself, and fails by itself
            pass

    def _record_next(self, waiting: deque[ReadOnPage], left: list[ReadOnPage]) -> None:
        """Record an order, and store its key, or None if the order has to be read again.

        Orders are recorded side by side; everything else is done for one order at a time.
        """
        with self._lock:
            one = waiting.popleft()
            if not self._may_start():
                left.append(one)
                return
            self._attempts += 1
            self.result.changed += 1
            if one.found is None:
                self._quarantine(one.digest, [(one.raw, one.problem)])
                self._keep(one, NO_KEY)
                return
            self.sinks.look(one.order, one.found.reports)
            if one.key != NO_KEY:
                # Its cached hashes are out of date, whatever happens.
                self.seen.forget([one.key])
                self.recorded_keys.add(one.key)
        problems, is_over = self._record_reports(one.found.reports)
        kept = [
            (_bytes_of(part, one.order, one.raw), _reason("read", part.reason))
            for part in one.found.unreadable
        ]
        if problems:
            kept.append((one.raw, "; ".join(dict.fromkeys(problems))))
        with self._lock:
            self._quarantine(one.digest, kept)
            if is_over and not any(part.is_only_ahead for part in one.found.unreadable):
                self._keep(one, one.key)
            else:
                self._hold_cursor(one.order)

    def _keep(self, one: ReadOnPage, key: bytes) -> None:
        one.page.keys[one.place] = key
        self.seen.keep_order(one.digest, key)

    def _record_reports(self, reports: Iterable[Report]) -> tuple[list[str], bool]:
        """Record each report; returns the errors, and False if the order has to be read again."""
        problems, is_over = [], True
        unavailable: list[StoreUnavailable] = []
        for report in reports:
            try:
                has_changed = self.sinks.record(report, announce=self.announce)
                with self._lock:
                    self.result.recorded += has_changed
                    self._unavailable_in_a_row = 0
            except MemoryError:
                raise
            except StoreUnavailable as error:
                is_over = False
                unavailable.append(error)
                if len(unavailable) >= MOST_UNAVAILABLE:
                    break
            except LostRace:
                is_over = False
            except Exception as error:
                problems.append(_reason("recorded", error))
        if unavailable:
            self._note_unavailable(unavailable[0])
        return problems, is_over

    def _note_unavailable(self, error: StoreUnavailable) -> None:
        """:raises StoreUnavailable: if no order can be written now"""
        with self._lock:
            self.unavailable = error
            self._unavailable_in_a_row += 1
            if self._unavailable_in_a_row >= MOST_UNAVAILABLE:
                raise error

    def _quarantine(self, digest: bytes, kept: Sequence[tuple[bytes, str]]) -> None:
        """Quarantine the parts of an order that could not be read or recorded, unless they are
        quarantined already."""
        if not kept:
            return
        is_there = digest in self.seen.quarantined or (
            self.trusts_memory and digest in self.memory.quarantined
        )
        if not is_there:
            for raw, reason in kept:
                self.sinks.quarantine(raw, reason)
            self.result.quarantined += len(kept)
        self.seen.quarantined.add(digest)

    def hold_cursor_at(self, place: datetime | None) -> None:
        """Keep the cursor before this time, since later changes may have been missed."""
        place = place or _EPOCH
        self.unrecorded_change = min(filter(None, (self.unrecorded_change, place)))

    def _hold_cursor(self, order: Json) -> None:
        """Keep the cursor before the change of an order that wasn't recorded."""
        name = self.provider.change_field
        text = order.get(name) if name else None
        try:
            changed = parse_instant(text) if isinstance(text, str) else None
        except BadPayload:
            changed = None
        # Without a readable time of change, the cursor doesn't move.
        self.hold_cursor_at(changed or self.cursor)


def _read_strictly(raw: bytes) -> Json:
    if len(raw) > MOST_ORDER_BYTES:
        raise BadPayload(f"an order of more than {MOST_ORDER_BYTES:,} bytes")
    return read_object(raw)


def _bytes_of(one: Unreadable, order: Json, raw: bytes) -> bytes:
    """The order's bytes, unchanged; for a single item, the JSON of the item."""
    return raw if one.order is order else write_json(one.order).encode()


def _reason(done: str, error: Exception) -> str:
    """The reason why an order was not read or recorded, without messages of other exceptions, which
    may quote its contents."""
    if isinstance(error, BadPayload | UnstorableOrder):
        return str(error)
    return f"could not be {done}: {type(error).__name__}"
