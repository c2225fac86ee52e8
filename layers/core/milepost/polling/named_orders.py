"""Fetches orders that a webhook only named: one by one, and immediately.

Named orders are kept until they have been fetched. Webhooks for one order that arrive before it is
fetched are one fetch; one that arrives while it is being fetched is another.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object, write_json
from milepost.orders.recording import LostRace, UnstorableOrder
from milepost.polling.sinks import MOST_UNAVAILABLE, Sinks, StoreUnavailable
from milepost.providers.base import (
    BrokenPage,
    Json,
    Response,
    SignInFailed,
)
from milepost.providers.http import FetchFailed
from milepost.providers.readable_parts import ReadOrder, read_order
from milepost.providers.session import Conversation, asked_to_wait, is_rate_spent

LONGEST_WAIT: Final = timedelta(hours=1)
_MOST_ROUNDS: Final = 100
_STOPS: Final = frozenset({401, 408, 429})
"""Responses below 500 that concern the connection, not the order."""


@dataclass(frozen=True, slots=True, order=True)
class NamedOrder:
    """An order that a webhook named; ``announce`` is False if it was replayed silently."""

    order_id: str
    announce: bool = True


class Names(Protocol):
    """The named orders of one connection, under a lease that only one process holds."""

    def take(self) -> list[NamedOrder]:
        """The orders to fetch now; orders that an interrupted process left come first."""
        ...

    def done(self, orders: Iterable[NamedOrder]) -> None:
        """Remove these orders, unless they were named again after ``take``."""
        ...

    def release(self) -> bool:
        """Release the lease; False, and still held, if orders were named in the meantime."""
        ...

    def give_up(self, *, not_before: datetime | None) -> None:
        """Release the lease and leave the other orders to the next poll or webhook."""
        ...


@dataclass(slots=True)
class FetchResult:
    """The result for the orders. ``error`` is the reason why the other orders were left."""

    fetched: int = 0
    recorded: int = 0
    quarantined: int = 0
    not_found: int = 0
    """Orders that the provider doesn't have or doesn't show; the next poll may find them."""
    error: str | None = None


class Stopped(Exception):
    """No more orders can be fetched now."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(kw_only=True)
class NamedFetch:
    """One run over the named orders of one connection."""

    conversation: Conversation
    sinks: Sinks
    clock: Callable[[], datetime]
    has_time: Callable[[], bool]
    result: FetchResult = field(default_factory=FetchResult)
    _requests: int = 0

    def run(self, names: Names) -> FetchResult:
        """Fetch orders until none is left, time is up, or the provider can't be called."""
        try:
            self._fetch_until_none_is_left(names)
        except Stopped as stop:
            self.result.error = str(stop)
            wait = min(stop.retry_after, LONGEST_WAIT) if stop.retry_after else None
            names.give_up(not_before=self.clock() + wait if wait else None)
        return self.result

    def _fetch_until_none_is_left(self, names: Names) -> None:
        for _ in range(_MOST_ROUNDS):
            orders = names.take()
            if not orders and names.release():
                return
            self._fetch_all(orders, names)
        raise Stopped("orders were named faster than they can be fetched")

    def _fetch_all(self, orders: list[NamedOrder], names: Names) -> None:
        done: list[NamedOrder] = []
        left: list[str] = []
        try:
            for one in orders:
                self._check_limits()
                try:
                    self._fetch(one)
                except LostRace:
                    left.append("too many others wrote to the same order")
                except StoreUnavailable as error:
                    left.append(str(error))
                    if len(left) >= MOST_UNAVAILABLE:
                        break
                else:
                    done.append(one)
        finally:
            if done:
                names.done(done)
        if left:
            raise Stopped(left[-1])

    def _check_limits(self) -> None:
        if not self.has_time():
            raise Stopped("there was no time for more")
        if self._requests >= self.conversation.connection.requests_per_minute:
            raise Stopped("the connection's requests of a minute are used up")

    def _fetch(self, named: NamedOrder) -> None:
        requested_at = self.clock()
        self._requests += 1
        try:
            response = self.conversation.fetch(
                self.conversation.provider.order_request(named.order_id)
            )
        except (FetchFailed, SignInFailed) as error:
            raise Stopped(str(error)) from None
        if response.status in (429, 503):
            raise Stopped(
                f"the provider answered {response.status} and asks us to wait",
                retry_after=asked_to_wait(response, self.clock()),
            )
        if response.status in _STOPS or response.status >= 500:
            raise Stopped(f"the provider answered {response.status}")
        if response.status != 200:
            self.result.not_found += 1
            return
        self.result.fetched += 1
        self._take_in(response, named, requested_at)
        if is_rate_spent(response):
            # The next request would be refused.
            self._requests = self.conversation.connection.requests_per_minute

    def _take_in(self, response: Response, named: NamedOrder, requested_at: datetime) -> None:
        provider, connection = self.conversation.provider, self.conversation.connection
        raw = response.body
        try:
            order: Json = provider.read_one(read_object(raw))
            raw = write_json(order).encode()
            found = read_order(provider, order, connection=connection, requested_at=requested_at)
            _check_ids(found, named)
        except MemoryError:
            raise
        except Exception as error:
            self._quarantine(raw, _reason("read", error))
            return
        self.sinks.look(order, found.reports)
        for bad in found.unreadable:
            is_part = bad.order is not order
            self._quarantine(
                write_json(bad.order).encode() if is_part else raw, _reason("read", bad.reason)
            )
        later: LostRace | StoreUnavailable | None = None
        for report in found.reports:
            try:
                self.result.recorded += self.sinks.record(report, announce=named.announce)
            except (LostRace, StoreUnavailable) as error:
                later = error
            except MemoryError:
                raise
            except Exception as error:
                self._quarantine(raw, _reason("recorded", error))
        if later:
            raise later

    def _quarantine(self, raw: bytes, reason: str) -> None:
        self.sinks.quarantine(raw, reason)
        self.result.quarantined += 1


def _check_ids(found: ReadOrder, named: NamedOrder) -> None:
    if any(report.order_id != named.order_id for report in found.reports):
        raise BadPayload("the provider answered with another order")


def _reason(done: str, error: Exception) -> str:
    if isinstance(error, BadPayload | BrokenPage | UnstorableOrder):
        return str(error)
    return f"could not be {done}: {type(error).__name__}"
