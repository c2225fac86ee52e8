"""Consecutive polls of one connection, whose provider is a function."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from milepost.common.side_by_side import SideBySide, in_turn
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.connections.poll_request import PollRequest
from milepost.orders.order import OrderKey
from milepost.orders.recording import RecordOutcome, record
from milepost.orders.report import Report
from milepost.polling.poll import Poll, run_poll
from milepost.polling.result import PollResult
from milepost.polling.sinks import Sinks, StoreUnavailable
from milepost.polling.state import LookAgain
from milepost.providers.base import Provider, Response
from milepost.providers.offergrid import Offergrid
from milepost.providers.rabot import Rabot
from tests.builders import (
    NOON,
    OFFERGRID,
    RABOT,
    minute,
    offergrid_item,
    offergrid_order,
    rabot_page,
)
from tests.fakes.orders import MemoryOrders
from tests.fakes.polling import MemoryPageHashes, MemoryPolls, MemoryTouched

HOUR = timedelta(hours=1)
Answer = Response | Exception


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): v for name, v in headers.items()}, raw)


@dataclass
class Wire:
    """A fake provider: returns queued responses in order, then responds by a rule."""

    rule: Callable[[dict[str, str]], Answer]
    queued: list[Answer] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: int = 0

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        if method == "POST":
            self.tokens += 1
            return answer({"access_token": f"token-{self.tokens}", "expires_in": 3599})
        self.asked.append(url)
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        one = self.queued.pop(0) if self.queued else self.rule(query)
        if isinstance(one, Exception):
            raise one
        return one

    def queries(self) -> list[dict[str, list[str]]]:
        return [parse_qs(urlsplit(url).query) for url in self.asked]


@dataclass
class World:
    """The state that is preserved between the polls of one connection."""

    connection: Connection
    provider: Provider
    wire: Wire
    polls: MemoryPolls = field(default_factory=MemoryPolls)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    hashes: MemoryPageHashes = field(default_factory=MemoryPageHashes)
    touched: MemoryTouched = field(default_factory=MemoryTouched)
    quarantined: list[tuple[bytes, str]] = field(default_factory=list)
    now: datetime = NOON
    time_for_pages: int = 1_000_000
    time_for_orders: int = 1_000_000
    before_record: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None
    """Called after an order was written: where the database may turn out to be down."""
    side_by_side: SideBySide = in_turn
    expect: Callable[[Sequence[OrderKey]], None] = lambda _keys: None
    credentials: Mapping[str, str] = field(
        default_factory=lambda: {"api_key": "k", "client_id": "c", "client_secret": "s"}
    )

    def request(self, again: LookAgain | None = None) -> str:
        """Request a poll."""
        request = PollRequest(
            id=uuid4().hex,
            requested_at=self.now,
            since=again.since if again else None,
            announce=bool(again and again.announce),
        )
        self.polls.keep(self.connection.id, request)
        return request.id

    @property
    def requests(self) -> list[str]:
        """Requests that have not been fulfilled yet."""
        state = self.polls.states.get(self.connection.id)
        return [one.id for one in state.requests] if state else []

    def poll(self, again: LookAgain | None = None) -> PollResult:
        if again:
            self.request(again)
        self.now += timedelta(minutes=5)
        lease = self.polls.lease(self.connection.id, now=self.now, duration=HOUR)
        asked = len(self.wire.asked)
        poll = Poll(
            connection=self.connection,
            provider=self.provider,
            credentials=self.credentials,
            http=self.wire,
            hashes=self.hashes,
            touched=self.touched,
            sinks=Sinks(
                record=self._record,
                expect=self.expect,
                side_by_side=self.side_by_side,
                quarantine=lambda o, why: self.quarantined.append((o, why)),
            ),
            clock=lambda: self.now,
            has_time=lambda: len(self.wire.asked) - asked < self.time_for_pages,
            has_time_for_order=lambda: poll.result.changed < self.time_for_orders,
        )
        return run_poll(lease, lambda: poll, clock=lambda: self.now)

    def _record(self, report: Report, /, *, announce: bool) -> bool:
        self.before_record()
        done = record(
            report,
            orders=self.orders,
            rules=self.provider.rules,
            now=self.now,
            announce=announce,
        )
        try:
            self.stop()
        except OSError as error:
            raise StoreUnavailable("the database is down") from error
        return done.outcome in (RecordOutcome.TRANSITION, RecordOutcome.RECORDED)

    @property
    def is_paused(self) -> bool:
        state = self.polls.states.get(self.connection.id)
        return state is not None and state.progress is not None

    @property
    def cursor(self) -> datetime | None:
        state = self.polls.states.get(self.connection.id)
        return state.cursor if state else None

    def statuses(self) -> dict[str, Status]:
        return {key.order_id: kept.order.status for key, kept in self.orders.kept.items()}


def an_order(number: int, status: str = "accepted", changed: float = 0, **item: Any) -> Any:
    at = format_instant(minute(changed))
    items = [offergrid_item(status=status, updatedAt=at, scheduledFor=None, **item)]
    return offergrid_order(orderId=f"ord-{number}", updatedAt=at, items=items)


def offergrid_list(orders: list[Any], limit: int = 100) -> Callable[[dict[str, str]], Answer]:
    """The list endpoint of docs/providers/offergrid.md, with the current state of these orders."""

    def rule(query: dict[str, str]) -> Answer:
        since = query.get("updatedSince", "")
        found = [one for one in orders if one["updatedAt"] >= since]
        found.sort(key=lambda one: (one["updatedAt"], one["orderId"]))
        if "cursor" in query:
            found = [
                o for o in found if [o["updatedAt"], o["orderId"]] > query["cursor"].split("|")
            ]
        page = found[:limit]
        more = len(found) > limit
        cursor = f"{page[-1]['updatedAt']}|{page[-1]['orderId']}" if more else None
        return answer({"orders": page, "nextCursor": cursor})

    return rule


def rabot_list(orders: list[Any]) -> Callable[[dict[str, str]], Answer]:
    def rule(query: dict[str, str]) -> Answer:
        start, limit = int(query["offset"]), int(query["limit"])
        served = orders[start : start + limit]
        return answer(rabot_page(served, more=start + limit < len(orders)))

    return rule


def offergrid(orders: list[Any], *, limit: int = 100, **connection: Any) -> World:
    settings = replace(OFFERGRID, **connection)
    return World(settings, Offergrid(), Wire(offergrid_list(orders, limit)))


def rabot(orders: list[Any], **connection: Any) -> World:
    return World(replace(RABOT, **connection), Rabot(), Wire(rabot_list(orders)))
