"""Polling: every page, what changed, and only then the cursor."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from milepost import pages, polling
from milepost.connection import Connection
from milepost.fetching import FetchFailed
from milepost.order import OrderKey
from milepost.pages import digest_of
from milepost.payload import read_quickly
from milepost.poll_state import LookAgain
from milepost.polling import LeaseHeld, Outcome, Poll, PollResult, Sinks
from milepost.provider import Json, Provider, Response
from milepost.providers.offergrid import Offergrid
from milepost.providers.rabot import Rabot
from milepost.recording import Outcome as Recorded
from milepost.recording import record
from milepost.report import Report, Status, format_instant
from tests.builders import (
    NOON,
    OFFERGRID,
    RABOT,
    minute,
    offergrid_item,
    offergrid_order,
    rabot_order,
    rabot_page,
)
from tests.fakes import MemoryDigests, MemoryOrders, MemoryPolls

HOUR = timedelta(hours=1)
Answer = Response | Exception


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): v for name, v in headers.items()}, raw)


@dataclass
class Wire:
    """A provider at the other end: answers in the order in which they are queued, then by rule."""

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
    """Everything that stays between the polls of one connection."""

    connection: Connection
    provider: Provider
    wire: Wire
    polls: MemoryPolls = field(default_factory=MemoryPolls)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    digests: MemoryDigests = field(default_factory=MemoryDigests)
    quarantined: list[tuple[Json, str]] = field(default_factory=list)
    now: datetime = NOON
    time_for_pages: int = 1_000_000
    before_record: Callable[[], None] = lambda: None

    def poll(self, again: LookAgain | None = None) -> PollResult:
        self.now += timedelta(minutes=5)
        lease = self.polls.lease(self.connection.id, now=self.now, duration=HOUR)
        asked = len(self.wire.asked)
        poll = Poll(
            connection=self.connection,
            provider=self.provider,
            credentials={"api_key": "k", "client_id": "c", "client_secret": "s"},
            http=self.wire,
            digests=self.digests,
            sinks=Sinks(
                record=self._record, quarantine=lambda o, why: self.quarantined.append((o, why))
            ),
            clock=lambda: self.now,
            again=again,
            has_time=lambda: len(self.wire.asked) - asked < self.time_for_pages,
        )
        return poll.run(lease)

    def _record(self, report: Report, /, *, announce: bool) -> bool:
        self.before_record()
        done = record(
            report,
            orders=self.orders,
            rules=self.provider.rules,
            now=self.now,
            announce=announce,
        )
        return done.outcome in (Recorded.TRANSITION, Recorded.RECORDED)

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
    """The list endpoint of docs/providers/offergrid.md over these orders, as they are by then."""

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


def test_a_first_poll_takes_everything_in_and_moves_the_cursor() -> None:
    world = offergrid([an_order(1), an_order(2, "rejected", changed=3)])
    result = world.poll()
    assert (result.outcome, result.orders, result.recorded) == (Outcome.COMPLETE, 2, 2)
    assert world.statuses() == {"ord-1": Status.ACCEPTED, "ord-2": Status.REJECTED}
    assert world.cursor == minute(3)


def test_the_next_poll_asks_from_a_little_before_the_cursor() -> None:
    world = offergrid([an_order(1, changed=3)])
    world.poll()
    world.poll()
    first, second = world.wire.queries()
    assert "updatedSince" not in first
    assert second["updatedSince"] == [format_instant(minute(-2))]


def test_a_poll_of_unchanged_orders_records_nothing() -> None:
    world = offergrid([an_order(number) for number in range(30)])
    world.poll()
    world.before_record = lambda: pytest.fail("an unchanged order was taken in again")
    result = world.poll()
    assert (result.outcome, result.orders, result.changed) == (Outcome.COMPLETE, 30, 0)


def test_a_provider_without_a_clock_is_compared_with_the_last_poll() -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(25)]
    world = rabot(orders)
    world.poll()
    orders[7] = rabot_order("Processing", contractNumber="V-7")
    result = world.poll()
    assert (result.changed, result.recorded) == (1, 1)
    assert world.statuses()["V-7"] is Status.ACCEPTED
    (kept,) = (k for key, k in world.orders.kept.items() if key.order_id == "V-7")
    assert kept.order.since == world.now


def test_of_pages_that_come_again_to_the_byte_no_order_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(25)]
    world = rabot(orders)
    world.connection = replace(world.connection, page_size=10)
    world.poll()
    looked_at: list[Json] = []
    monkeypatch.setattr(polling, "digest_of", lambda o: looked_at.append(o) or digest_of(o))
    orders[24] = rabot_order("Processing", contractNumber="V-24")
    assert world.poll().changed == 1
    assert 0 < len(looked_at) < len(orders)


def test_a_page_that_is_asked_for_and_comes_as_it_did_before_is_not_even_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(25)]
    world = rabot(orders)
    world.connection = replace(world.connection, page_size=10)
    first = world.poll()
    read: list[bytes] = []
    monkeypatch.setattr(pages, "read_quickly", lambda raw: read.append(raw) or read_quickly(raw))
    second = world.poll()
    assert (second.outcome, second.pages, second.orders) == (
        Outcome.COMPLETE,
        first.pages,
        first.orders,
    )
    assert read == []
    orders[24] = rabot_order("Processing", contractNumber="V-24")
    assert world.poll().changed == 1
    assert 0 < len(read) < first.pages


def test_a_page_that_comes_again_at_another_place_is_followed_by_what_follows_there() -> None:
    first, second, new = (
        [rabot_order(contractNumber=f"V-{name}-{number}") for number in range(20)]
        for name in ("a", "b", "new")
    )
    world = rabot([])
    world.connection = replace(world.connection, page_size=20)

    def serve(*served: list[Json]) -> None:
        bodies = [rabot_page(one, more=one is not served[-1]) for one in served]
        # Ten of twenty overlap, so that the next page is ten further on.
        world.wire.rule = lambda query: answer(bodies[int(query["offset"]) // 10])

    serve(first, second)
    world.poll()
    serve(new, first, second)
    result = world.poll()
    assert (result.outcome, result.pages, result.changed) == (Outcome.COMPLETE, 3, 20)


def test_what_was_kept_of_pages_in_another_way_was_not_seen() -> None:
    world = rabot([rabot_order("Processing")])
    world.poll()
    world.digests.kept = dict.fromkeys(world.digests.kept, b"\x00" * 40)
    result = world.poll()
    assert (result.outcome, result.changed, result.recorded) == (Outcome.COMPLETE, 1, 0)


def test_orders_of_a_page_that_did_not_change_are_known_when_they_move_to_another() -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(25)]
    world = rabot(orders)
    world.poll()
    assert world.poll().changed == 0
    orders.insert(0, rabot_order(contractNumber="V-new"))
    result = world.poll()
    assert (result.changed, result.recorded) == (1, 1)


def test_a_page_that_goes_back_to_what_it_once_was_has_changed() -> None:
    orders = [rabot_order("PendingDelivery")]
    world = rabot(orders)
    world.poll()
    orders[0] = rabot_order("Delivery")
    world.poll()
    orders[0] = rabot_order("PendingDelivery")
    assert world.poll().changed == 1


def test_an_order_that_could_not_be_taken_in_is_looked_at_again_on_the_same_page() -> None:
    world = offergrid([])
    page = answer({"orders": [an_order(1), an_order(2, changed=600)], "nextCursor": None})
    world.wire.rule = lambda _query: page
    world.poll()
    assert len(world.quarantined) == 1
    world.now = minute(600)
    result = world.poll()
    assert (result.changed, result.recorded) == (1, 1)


def test_lost_digests_cost_time_and_nothing_else() -> None:
    world = rabot([rabot_order("Processing")])
    world.poll()
    world.digests.kept.clear()
    result = world.poll()
    assert (result.changed, result.recorded) == (1, 0)


FAILED_PAGES: dict[str, Answer] = {
    "500": answer({"message": "oops"}, 500),
    "502": answer(b"<html>", 502),
    "404": answer({"message": "gone"}, 404),
    "302": answer(b"", 302, location="https://elsewhere.example/"),
    "204": answer(b"", 204),
    "429": answer({"message": "slow down"}, 429),
    "broken JSON": answer(b'{"orders": ['),
    "no JSON": answer(b"<html>login</html>"),
    "NaN": answer(b'{"orders": [], "nextCursor": null, "x": NaN}'),
    "nested deep": answer(b"[" * 100_000),
    "a list": answer([]),
    "no orders": answer({"nextCursor": None}),
    "an error with 200": answer({"statusCode": 500, "message": "x", "error": "y"}),
    "hangs": FetchFailed("no answer: ReadTimeoutError"),
}


@pytest.mark.parametrize("page", FAILED_PAGES.values(), ids=FAILED_PAGES)
def test_a_failed_second_page_loses_nothing_and_leaves_the_cursor(page: Answer) -> None:
    orders = [an_order(number, changed=number) for number in range(5)]
    world = offergrid(orders, limit=2)
    first = world.wire.rule({"limit": "2"})
    world.wire.queued = [first, page]
    result = world.poll()
    assert result.outcome is Outcome.FAILED
    assert result.error
    assert world.cursor is None
    assert world.polls.errors[OFFERGRID.id] == result.error
    assert not world.digests.kept
    again = world.poll()
    assert again.outcome is Outcome.COMPLETE
    assert len(world.statuses()) == 5
    assert len(world.orders.written) == 5
    assert world.cursor == minute(4)


def test_a_page_of_which_rabot_says_that_it_failed_is_a_failed_poll() -> None:
    world = rabot([rabot_order()])
    world.wire.queued = [answer(rabot_page([], isSuccess=False, data=None))]
    assert world.poll().outcome is Outcome.FAILED
    assert world.poll().outcome is Outcome.COMPLETE


def test_a_refused_token_is_renewed_once() -> None:
    world = rabot([rabot_order()])
    world.wire.queued = [answer(b"", 401)]
    assert world.poll().outcome is Outcome.COMPLETE
    assert world.wire.tokens == 2


def test_a_second_refusal_of_the_token_is_meant() -> None:
    world = rabot([rabot_order()])
    world.wire.queued = [answer(b"", 401), answer(b"", 401)]
    result = world.poll()
    assert (result.outcome, world.wire.tokens) == (Outcome.FAILED, 2)
    assert "401" in (result.error or "")


@pytest.mark.parametrize(
    ("header", "minutes"),
    [
        ("120", 2),
        ("", 1),
        ("soon", 1),
        ("-5", 1),
        ("999999", 60),
        ("9" * 5_000, 1),
        ("\uff11\uff12", 1),
    ],
)
def test_a_provider_that_asks_for_fewer_requests_is_left_alone_for_as_long(
    header: str, minutes: int
) -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, 429, retry_after=header)]
    assert world.poll().outcome is Outcome.FAILED
    state = world.polls.states[OFFERGRID.id]
    assert state.not_before == world.now + timedelta(minutes=minutes)


def test_before_a_provider_may_be_asked_again_it_is_not() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, 429, retry_after="600")]
    world.poll()
    assert world.poll().outcome is Outcome.WAITING
    assert len(world.wire.asked) == 1
    world.now += timedelta(minutes=10)
    assert world.poll().outcome is Outcome.COMPLETE


@pytest.mark.parametrize("status", [429, 503])
def test_a_date_to_come_back_at_is_kept_to(status: int) -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, status, retry_after=format_datetime(minute(20), usegmt=True))]
    assert world.poll().outcome is Outcome.FAILED
    assert world.polls.states[OFFERGRID.id].not_before == minute(20)


def test_a_date_that_has_passed_asks_for_no_wait() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, 503, retry_after=format_datetime(minute(-20), usegmt=True))]
    assert world.poll().outcome is Outcome.FAILED
    assert world.poll().outcome is Outcome.COMPLETE


def test_a_poll_pauses_when_the_provider_says_that_no_request_is_left() -> None:
    world = offergrid([an_order(number) for number in range(4)], limit=2)
    first = world.wire.rule({})
    assert isinstance(first, Response)
    spent = replace(first, headers={"x-ratelimit-remaining": "0"})
    world.wire.queued = [spent]
    assert (world.poll().outcome, len(world.wire.asked)) == (Outcome.PAUSED, 1)
    assert (world.poll().outcome, len(world.wire.asked)) == (Outcome.COMPLETE, 2)
    assert len(world.statuses()) == 4


def test_a_poll_whose_last_page_spent_the_last_request_is_complete() -> None:
    world = offergrid([an_order(1)])
    first = world.wire.rule({})
    assert isinstance(first, Response)
    world.wire.queued = [replace(first, headers={"x-ratelimit-remaining": "0"})]
    assert world.poll().outcome is Outcome.COMPLETE


def test_a_next_page_that_is_the_page_itself_is_refused() -> None:
    world = offergrid([])
    world.wire.rule = lambda _query: answer({"orders": [an_order(1)], "nextCursor": "same"})
    assert world.poll().outcome is Outcome.FAILED
    assert len(world.wire.asked) == 2
    assert world.cursor is None


def test_pages_without_end_are_a_failed_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "MOST_PAGES", 20)
    world = offergrid([])
    turns = count()
    world.wire.rule = lambda _: answer({"orders": [], "nextCursor": f"page {next(turns)}"})
    assert world.poll().outcome is Outcome.FAILED
    assert len(world.wire.asked) <= 22
    assert world.cursor is None


def test_a_next_page_is_never_on_another_host() -> None:
    world = offergrid([])
    world.wire.queued = [
        answer({"orders": [], "nextCursor": "http://169.254.169.254/latest/meta-data"})
    ]
    world.poll()
    assert {urlsplit(url).netloc for url in world.wire.asked} == {"api.offergrid.example"}


def test_five_hundred_orders_of_one_instant_are_all_taken_in() -> None:
    world = offergrid([an_order(number) for number in range(500)])
    world.poll()
    assert len(world.statuses()) == 500


def test_an_order_that_moves_between_pages_is_not_missed() -> None:
    orders = [an_order(number, changed=number) for number in range(6)]
    world = offergrid(orders, limit=2)

    def move() -> None:
        orders[0] = an_order(0, "scheduled", changed=8)

    world.before_record = move
    world.poll()
    assert world.statuses()["ord-0"] is Status.SCHEDULED
    assert len(world.statuses()) == 6


def test_a_change_dated_ahead_is_set_aside_and_hides_no_later_one() -> None:
    orders = [an_order(1, changed=3), an_order(2, changed=60 * 24 * 365)]
    world = offergrid(orders)
    result = world.poll()
    assert (result.quarantined, result.recorded) == (1, 1)
    assert world.cursor is not None
    assert world.cursor <= world.now
    orders[0] = an_order(1, "completed", changed=7)
    world.poll()
    assert world.statuses()["ord-1"] is Status.COMPLETED


def test_an_order_that_cannot_be_read_delays_no_other() -> None:
    broken = {**an_order(1), "items": "none"}
    world = offergrid([broken, an_order(2)])
    result = world.poll()
    assert (result.outcome, result.quarantined) == (Outcome.COMPLETE, 1)
    assert list(world.statuses()) == ["ord-2"]
    ((order, why),) = world.quarantined
    assert order["orderId"] == "ord-1"
    assert "items" in why
    world.poll()
    assert len(world.quarantined) == 1


@pytest.mark.parametrize("depth", [100, 500, 900, 940, 960, 970, 975, 980, 985, 990])
def test_an_order_nested_deep_breaks_no_poll(depth: int) -> None:
    raw = json.dumps({"orders": [an_order(1), an_order(2)], "nextCursor": None}).encode()
    deep = b'"x": ' + b"[" * depth + b"]" * depth + b', "orderId"'
    world = offergrid([])
    world.wire.queued = [answer(raw.replace(b'"orderId"', deep, 1))]
    assert world.poll().outcome in (Outcome.COMPLETE, Outcome.FAILED)


def test_a_poll_without_time_goes_on_from_there_the_next_time() -> None:
    orders = [an_order(number, changed=number // 3) for number in range(10)]
    world = offergrid(orders, limit=2)
    world.time_for_pages = 2
    assert [world.poll().outcome for _ in range(3)] == [
        Outcome.PAUSED,
        Outcome.PAUSED,
        Outcome.COMPLETE,
    ]
    assert len(world.statuses()) == 10
    assert len(world.wire.asked) == 5
    assert world.cursor == minute(3)
    assert world.polls.states[OFFERGRID.id].progress is None


def test_while_a_poll_is_paused_its_cursor_stays() -> None:
    world = offergrid([an_order(number, changed=number) for number in range(4)], limit=2)
    world.time_for_pages = 1
    world.poll()
    assert world.cursor is None


def test_what_a_paused_poll_saw_is_unchanged_for_the_one_after() -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(60)]
    world = rabot(orders, page_size=20)
    world.time_for_pages = 2
    while world.poll().outcome is Outcome.PAUSED:
        pass
    world.before_record = lambda: pytest.fail("an unchanged order was taken in again")
    while world.poll().outcome is Outcome.PAUSED:
        pass
    assert len(world.statuses()) == 60


def test_a_poll_asks_no_more_than_the_provider_allows_in_a_minute() -> None:
    orders = [an_order(number, changed=number) for number in range(20)]
    world = offergrid(orders, limit=1, requests_per_minute=6)
    assert world.poll().outcome is Outcome.PAUSED
    assert len(world.wire.asked) == 6


def test_two_polls_of_one_connection_do_not_overlap() -> None:
    world = offergrid([an_order(1)])
    world.polls.lease(OFFERGRID.id, now=NOON, duration=timedelta(minutes=30))
    with pytest.raises(LeaseHeld):
        world.poll()
    assert not world.wire.asked


def test_a_killed_poll_is_taken_over_when_its_lease_ends() -> None:
    world = offergrid([an_order(1)])
    world.polls.lease(OFFERGRID.id, now=NOON, duration=timedelta(minutes=2))
    assert world.poll().outcome is Outcome.COMPLETE


def test_a_poll_that_outlived_its_lease_moves_no_cursor() -> None:
    world = offergrid([an_order(1, changed=4)])

    def overtake() -> None:
        world.before_record = lambda: None
        world.polls.lease(OFFERGRID.id, now=world.now + 2 * HOUR, duration=HOUR)

    world.before_record = overtake
    with pytest.raises(LeaseHeld):
        world.poll()
    assert world.cursor is None


def test_a_poll_killed_between_recording_and_cursor_is_made_up_for() -> None:
    world = offergrid([an_order(number, changed=number) for number in range(3)])

    class Killed(BaseException):
        pass

    def kill() -> None:
        if len(world.statuses()) == 2:
            raise Killed

    world.before_record = kill
    with pytest.raises(Killed):
        world.poll()
    world.before_record = lambda: None
    world.now += 2 * HOUR
    assert world.poll().recorded == 1
    assert len(world.statuses()) == 3


def test_after_twelve_hours_without_an_answer_everything_is_caught_up() -> None:
    orders = [an_order(number) for number in range(3)]
    world = offergrid(orders)
    world.poll()
    world.wire.queued = [FetchFailed("no answer")] * 144
    for _ in range(144):
        assert world.poll().outcome is Outcome.FAILED
    orders[1] = an_order(1, "completed", changed=300)
    assert world.poll().outcome is Outcome.COMPLETE
    assert world.statuses()["ord-1"] is Status.COMPLETED
    key = OrderKey(OFFERGRID.id, "ord-1", offergrid_item()["itemId"])
    assert len(world.orders.kept[key].announced) == 2


def lose_what_was_recorded(world: World) -> None:
    """As if the adapter had not understood any of it until now."""
    world.orders.kept.clear()
    world.orders.written.clear()


@pytest.mark.parametrize("announce", [False, True])
def test_a_second_look_reads_what_is_unchanged_too_and_tells_of_it_only_when_asked(
    announce: bool,
) -> None:
    world = offergrid([an_order(1, changed=-60), an_order(2, changed=0)])
    world.poll()
    cursor = world.cursor
    lose_what_was_recorded(world)
    result = world.poll(LookAgain(since=minute(-30), announce=announce))
    assert (result.outcome, result.recorded) == (Outcome.COMPLETE, 1)
    assert list(world.statuses()) == ["ord-2"]
    assert bool(world.orders.announced) is announce
    assert world.cursor == cursor


def test_a_second_look_from_a_late_time_leaves_out_nothing_that_is_new() -> None:
    orders = [an_order(1, changed=0)]
    world = offergrid(orders)
    world.poll()
    orders.append(an_order(2, changed=10))
    world.poll(LookAgain(since=minute(100_000)))
    assert "ord-2" in world.statuses()


def test_a_second_look_that_runs_out_of_time_goes_on_as_silent_as_it_began() -> None:
    world = offergrid([an_order(number, changed=number) for number in range(4)], limit=2)
    world.poll()
    lose_what_was_recorded(world)
    world.time_for_pages = 1
    assert world.poll(LookAgain(since=minute(-60))).outcome is Outcome.PAUSED
    world.time_for_pages = 9
    assert world.poll().outcome is Outcome.COMPLETE
    assert len(world.statuses()) == 4
    assert world.orders.announced == []


def test_the_poll_after_a_second_look_tells_of_what_is_new() -> None:
    orders = [an_order(1, changed=0)]
    world = offergrid(orders)
    world.poll(LookAgain(since=minute(-60)))
    orders.append(an_order(2, changed=10))
    world.poll()
    assert [one.kind for one in world.orders.announced] == ["accepted"]


def test_a_page_with_a_repeated_key_is_refused_once_something_on_it_is_new() -> None:
    world = offergrid([offergrid_order()], limit=2)
    assert world.poll().outcome is Outcome.COMPLETE
    body = json.dumps({"orders": [offergrid_order(reference="PP-2")], "nextCursor": None})
    world.wire.queued = [
        answer(body.replace('"reference"', '"reference": "PP-1", "reference"').encode())
    ]
    result = world.poll()
    assert (result.outcome, result.recorded) == (Outcome.FAILED, 0)


def test_a_digit_far_behind_the_point_makes_an_order_another() -> None:
    first, second = (
        json.dumps(offergrid_order()).replace("75.5", f"75.5000000000000000000000{digit}")
        for digit in "12"
    )
    assert first != second
    read = [digest_of(read_quickly(text.encode())) for text in (first, first, second)]
    assert read[0] == read[1] != read[2]
