"""Recording the orders of one page, each by itself: none can keep another from being recorded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object, write_json
from milepost.common.timestamps import parse_instant
from milepost.connections.connection import Connection
from milepost.orders.recording import LostRace, UnstorableOrder
from milepost.orders.report import Report
from milepost.polling.page_cache import DIGEST_BYTES, NO_KEY, FetchedPage, Seen, key_of
from milepost.polling.page_json import MOST_ORDER_BYTES
from milepost.polling.result import PollResult
from milepost.polling.state import EndlessList
from milepost.providers.base import Json, Provider, Unreadable, read_order

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class StoreUnavailable(Exception):
    """Orders can't be read or written now, whichever they are: the poll fails, no order does."""


class Record(Protocol):
    """Records a report, notifying people of it or not; True when that changed its order.

    :raises LostRace: when too many others write to the order
    :raises StoreUnavailable: when no order could be recorded now

    Any other exception is about this order alone.
    """

    def __call__(self, report: Report, /, *, announce: bool) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinks:
    """Where what a poll finds goes."""

    record: Record
    quarantine: Callable[[bytes, str], None]
    """Keeps an order that could not be read or recorded, as it came, with the reason."""


@dataclass(kw_only=True)
class PageRecorder:
    """Records what is new on the pages of one poll.

    ``memory`` is what polls before this one saw, ``seen`` what this one sees.
    """

    connection: Connection
    provider: Provider
    sinks: Sinks
    memory: Seen
    seen: Seen
    result: PollResult
    has_time: Callable[[], bool]
    """Whether there is time to record one order more."""
    cursor: datetime | None
    trusts_memory: bool
    announce: bool
    unrecorded_change: datetime | None = None
    """The oldest change that could not be recorded, and isn't in the quarantine for good."""
    recorded_keys: set[bytes] = field(default_factory=set)
    """Of the orders for which something was recorded, or might have been."""
    _attempts: int = 0

    def take_in(self, fetched: FetchedPage, requested_at: datetime) -> bool:
        """Record what is new on a page; False when there was no time for the rest of it.

        :raises BadPayload: when its envelope isn't strict JSON
        :raises BrokenPage: when it isn't a page
        :raises EndlessList: when this poll has read it before
        :raises StoreUnavailable: when orders can't be written now
        """
        if self.trusts_memory:
            unchanged = self.seen.keep_unchanged(fetched, self.memory)
            if unchanged is not None:
                self.result.orders += len(unchanged.orders) // DIGEST_BYTES
                if unchanged.has_readable_order:
                    self._refuse_repeated(unchanged.orders)
                return True
        digests = fetched.digests()
        entries: list[tuple[bytes, bytes]] = []
        for place, digest in enumerate(digests):
            key = self._known_key(digest)
            if key is None:
                if self._attempts and not self.has_time():
                    self.seen.keep(fetched, entries, is_whole=False)
                    return False
                self._attempts += 1
                self.result.changed += 1
                key = self._record(fetched, place, digest, requested_at)
                if key is None:
                    continue
                self.seen.keep_order(digest, key)
            entries.append((digest, key))
        self.result.orders += len(digests)
        self.seen.keep(fetched, entries, is_whole=len(entries) == len(digests))
        if any(isinstance(order, dict) for order in fetched.page.orders):
            self._refuse_repeated(b"".join(digests))
        return True

    def _refuse_repeated(self, orders: bytes) -> None:
        """A list goes on for ever when a page of it has the same orders as one before.

        Empty pages are alike, and so may be pages of what can't be read.
        """
        if orders and not self.seen.walk(b"orders " + orders):
            raise EndlessList(
                "the provider sent a page with the same orders as an earlier page of this poll"
            )

    def _known_key(self, digest: bytes) -> bytes | None:
        if digest in self.seen:
            return self.seen.key(digest)
        if self.trusts_memory and digest in self.memory:
            return self.memory.key(digest)
        return None

    def _record(
        self, fetched: FetchedPage, place: int, digest: bytes, requested_at: datetime
    ) -> bytes | None:
        """Record one order; its key, or None when it has to be looked at again next time."""
        raw = fetched.json.raw(place)
        try:
            order = _read_strictly(raw)
            found = read_order(
                self.provider, order, connection=self.connection, requested_at=requested_at
            )
        except MemoryError:
            raise
        except Exception as error:
            self._quarantine(digest, [(raw, _reason("read", error))])
            return NO_KEY
        key = self._forget(found.reports)
        problems, is_over = self._record_reports(found.reports)
        kept = [
            (_bytes_of(one, order, raw), _reason("read", one.reason)) for one in found.unreadable
        ]
        if problems:
            kept.append((raw, "; ".join(dict.fromkeys(problems))))
        self._quarantine(digest, kept)
        if is_over and not any(one.is_only_ahead for one in found.unreadable):
            return key
        self._hold_cursor(order)
        return None

    def _forget(self, reports: Sequence[Report]) -> bytes:
        """The key of an order that is recorded now: whatever becomes of it, what it looked like
        before is not what was recorded last."""
        if not reports:
            return NO_KEY
        key = key_of(reports[0].order_id)
        self.recorded_keys.add(key)
        self.memory.forget([key])
        self.seen.forget([key])
        return key

    def _record_reports(self, reports: Iterable[Report]) -> tuple[list[str], bool]:
        """Record each report; what is wrong with some, and False when they come again."""
        problems, is_over = [], True
        for report in reports:
            try:
                self.result.recorded += self.sinks.record(report, announce=self.announce)
            except (StoreUnavailable, MemoryError):
                raise
            except LostRace:
                is_over = False
            except Exception as error:
                problems.append(_reason("recorded", error))
        return problems, is_over

    def _quarantine(self, digest: bytes, kept: Sequence[tuple[bytes, str]]) -> None:
        """Keep what could not be read or recorded of an order, unless it is kept already."""
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
        """Keep the cursor from passing a place: what is behind it may have been missed."""
        place = place or _EPOCH
        self.unrecorded_change = min(filter(None, (self.unrecorded_change, place)))

    def _hold_cursor(self, order: Json) -> None:
        """Keep the cursor from passing the change of an order that was not recorded."""
        name = self.provider.change_field
        text = order.get(name) if name else None
        try:
            changed = parse_instant(text) if isinstance(text, str) else None
        except BadPayload:
            changed = None
        # Without a time of change that can be read, the cursor stays where it is.
        self.hold_cursor_at(changed or self.cursor)


def _read_strictly(raw: bytes) -> Json:
    if len(raw) > MOST_ORDER_BYTES:
        raise BadPayload(f"an order of more than {MOST_ORDER_BYTES:,} bytes")
    return read_object(raw)


def _bytes_of(one: Unreadable, order: Json, raw: bytes) -> bytes:
    """As it came; a part of an order is written by itself."""
    return raw if one.order is order else write_json(one.order).encode()


def _reason(done: str, error: Exception) -> str:
    """Why an order was not read or recorded; other exceptions' messages may quote its contents."""
    if isinstance(error, BadPayload | UnstorableOrder):
        return str(error)
    return f"could not be {done}: {type(error).__name__}"
