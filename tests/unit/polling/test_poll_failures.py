"""A poll always ends in a result; what it could not record holds its cursor; no list is endless."""

import http.client
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import urllib3

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.orders.recording import LostRace
from milepost.orders.report import Report
from milepost.polling import page_json, state
from milepost.polling.page_recording import StoreUnavailable
from milepost.polling.poll import run_poll
from milepost.polling.result import PollOutcome
from milepost.polling.state import LookAgain
from milepost.providers.base import Response
from tests.builders import OFFERGRID, minute, offergrid_item, report, tracked
from tests.unit.polling.polls import HOUR, World, an_order, answer, offergrid, offergrid_list
from tests.unit.providers.four_providers import MODELS, Listed, world_of

SECRET = "Bearer sup3r-secret"
UNFORESEEN: list[Exception] = [
    http.client.BadStatusLine(SECRET),
    http.client.IncompleteRead(SECRET.encode()),
    urllib3.exceptions.LocationParseError(SECRET),
    RecursionError(SECRET),
    OverflowError(SECRET),
    ValueError(f"Invalid header value b'{SECRET}'"),
    AttributeError(SECRET),
    UnicodeEncodeError("latin-1", SECRET, 0, 1, SECRET),
    KeyError(SECRET),
    OSError(SECRET),
    StopIteration(SECRET),
]


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
def test_an_exception_that_nobody_foresaw_is_a_failed_poll_named_by_its_kind(
    error: Exception,
) -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [error]
    result = world.poll()
    assert result.outcome is PollOutcome.FAILED
    assert type(error).__name__ in (result.error or "")
    assert "sup3r" not in (result.error or "")
    assert world.polls.errors[OFFERGRID.id] == result.error
    assert world.poll().outcome is PollOutcome.COMPLETE


@pytest.mark.parametrize("credentials", [None, "key", ["key"], {"api_key": 7}, {"api_key": ["a"]}])
def test_credentials_of_a_wrong_type_are_a_failed_poll(credentials: Any) -> None:
    world = offergrid([an_order(1)])
    world.credentials = credentials
    request = world.wire.request

    def strictly(method: str, url: str, *, headers: Mapping[str, str], body: Any = None) -> Any:
        if not all(isinstance(value, str) for value in headers.values()):
            raise TypeError("expected string or bytes-like object")
        return request(method, url, headers=headers, body=body)

    world.wire.request = strictly  # type: ignore[method-assign]
    assert world.poll().outcome is PollOutcome.FAILED
    world.credentials = {"api_key": "k"}
    assert world.poll().outcome is PollOutcome.COMPLETE


def test_credentials_that_cannot_be_read_are_a_failed_poll_that_gives_its_lease_back() -> None:
    world = offergrid([])

    def refuse() -> Any:
        raise PermissionError(SECRET)

    lease = world.polls.lease(OFFERGRID.id, now=world.now, duration=HOUR)
    result = run_poll(lease, refuse, clock=lambda: world.now)
    assert (result.outcome, "PermissionError" in (result.error or "")) == (PollOutcome.FAILED, True)
    assert OFFERGRID.id not in world.polls.holders


def test_a_memory_that_cannot_be_saved_after_a_failure_is_not_trusted() -> None:
    orders = [an_order(1)]
    world = offergrid(orders)
    world.poll()
    orders[0] = an_order(1, "scheduled", changed=7)
    save = world.digests.save

    def refuse(_name: str, _seen: Any) -> None:
        raise OSError("S3 is down")

    world.digests.save = refuse  # type: ignore[method-assign]
    assert world.poll().outcome is PollOutcome.FAILED
    world.digests.save = save  # type: ignore[method-assign]
    result = world.poll()
    assert (result.outcome, result.changed) == (PollOutcome.COMPLETE, 1)


def fails_for(world: World, order_id: str, error: Exception) -> None:
    """Recording this order fails."""
    record = world._record

    def refuse(one: Report, /, *, announce: bool) -> bool:
        if one.order_id == order_id:
            raise error
        return record(one, announce=announce)

    world._record = refuse  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "error", [ValueError("item too large"), TypeError("float"), RecursionError(), KeyError("x")]
)
def test_an_order_that_cannot_be_written_is_kept_and_the_poll_goes_on(error: Exception) -> None:
    world = offergrid([an_order(1), an_order(2), an_order(3)])
    fails_for(world, "ord-2", error)
    result = world.poll()
    assert (result.outcome, result.quarantined) == (PollOutcome.COMPLETE, 1)
    assert sorted(world.statuses()) == ["ord-1", "ord-3"]
    ((kept, reason),) = world.quarantined
    assert json.loads(kept)["orderId"] == "ord-2"
    assert reason == f"could not be recorded: {type(error).__name__}"
    assert world.poll().changed == 0


def test_of_an_order_of_which_one_item_cannot_be_written_the_other_is() -> None:
    order = an_order(1)
    order["items"].append({**order["items"][0], "itemId": "second"})
    world = offergrid([order])
    record, first = world._record, order["items"][0]["itemId"]

    def refuse(one: Report, /, *, announce: bool) -> bool:
        if one.item_id == first:
            raise ValueError
        return record(one, announce=announce)

    world._record = refuse  # type: ignore[method-assign]
    world.poll()
    assert [key.item_id for key in world.orders.kept] == ["second"]
    assert len(world.quarantined) == 1


def test_of_an_order_of_which_one_item_lost_its_race_the_other_is_recorded() -> None:
    order = an_order(1)
    order["items"].append({**order["items"][0], "itemId": "second"})
    world = offergrid([order])
    record, first = world._record, order["items"][0]["itemId"]

    def lose(one: Report, /, *, announce: bool) -> bool:
        if one.item_id == first:
            raise lost_race()
        return record(one, announce=announce)

    world._record = lose  # type: ignore[method-assign]
    world.poll()
    assert [key.item_id for key in world.orders.kept] == ["second"]
    world._record = record  # type: ignore[method-assign]
    world.poll()
    assert {key.item_id for key in world.orders.kept} == {first, "second"}


def test_when_no_order_can_be_written_the_poll_fails_and_nothing_is_quarantined() -> None:
    world = offergrid([an_order(1), an_order(2, changed=3)])
    fails_for(world, "ord-2", StoreUnavailable("DynamoDB: ThrottlingException"))
    result = world.poll()
    assert (result.outcome, result.error) == (PollOutcome.FAILED, "DynamoDB: ThrottlingException")
    assert world.quarantined == []
    assert world.cursor is None


def lost_race() -> LostRace:
    return LostRace(tracked(report(Status.ACCEPTED)))


def test_the_cursor_stays_before_a_change_that_lost_its_race_in_later_polls_too() -> None:
    orders = [an_order(1, changed=-60), an_order(2, changed=0), an_order(3, changed=2)]
    world = offergrid(orders)
    record = world._record
    fails_for(world, "ord-1", lost_race())
    for _ in range(3):
        result = world.poll()
        assert (result.outcome, result.quarantined) == (PollOutcome.COMPLETE, 0)
        assert world.cursor == minute(-60)
        orders.append(an_order(len(orders) + 1, changed=len(orders)))
    assert "ord-3" in world.statuses()
    world._record = record  # type: ignore[method-assign]
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert "ord-1" in world.statuses()
    assert world.cursor == minute(5)


def test_a_lost_race_on_an_earlier_page_holds_the_cursor_of_a_poll_that_was_paused() -> None:
    world = offergrid([an_order(number, changed=number - 9) for number in range(6)], limit=2)
    fails_for(world, "ord-1", lost_race())
    world.time_for_pages = 1
    while world.poll().outcome is PollOutcome.PAUSED:
        pass
    assert world.cursor == minute(-8)


def test_a_second_look_that_loses_a_race_takes_the_cursor_back() -> None:
    world = offergrid([an_order(1, changed=-600), an_order(2)])
    world.poll()
    fails_for(world, "ord-1", lost_race())
    world.poll(LookAgain(since=minute(-700)))
    assert world.cursor == minute(-600)


def test_an_item_dated_ahead_holds_the_cursor_at_its_orders_change() -> None:
    ahead = an_order(1, changed=-60)
    ahead["items"] = [offergrid_item(updatedAt=format_instant(minute(120)), scheduledFor=None)]
    world = offergrid([ahead, an_order(2, changed=1)])
    world.poll()
    assert (world.cursor, list(world.statuses())) == (minute(-60), ["ord-2"])
    world.poll()
    assert len(world.quarantined) == 1
    world.now = minute(118)
    world.poll()
    assert "ord-1" in world.statuses()


def test_a_change_whose_time_cannot_be_read_leaves_the_cursor_where_it_is() -> None:
    odd = {**an_order(2, changed=1), "items": []}
    world = offergrid([an_order(1, changed=-60)])
    world.poll()
    world.wire.queued = [answer({"orders": [{**odd, "updatedAt": "soon"}], "nextCursor": None})]
    world.poll()
    assert world.cursor == minute(-60)


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_sentinel_as_time_of_change_stops_no_later_poll(year: str) -> None:
    order = {**an_order(1), "updatedAt": year}
    world = offergrid([])
    world.wire.rule = lambda _query: answer({"orders": [order], "nextCursor": None})
    assert [world.poll().outcome for _ in range(3)] == [PollOutcome.COMPLETE] * 3


# ---- Lists without an end ----


def test_cursors_that_go_round_are_a_failed_poll() -> None:
    world = offergrid([])
    following = {None: "A", "A": "B", "B": "A"}
    world.wire.rule = lambda query: answer(
        {"orders": [], "nextCursor": following[query.get("cursor")]}
    )
    result = world.poll()
    assert (result.outcome, len(world.wire.asked)) == (PollOutcome.FAILED, 3)
    assert result.error == "the provider's next page is one that this poll has read before"


def test_cursors_that_go_round_are_found_across_pauses() -> None:
    world = offergrid([])
    following = {None: "A", "A": "B", "B": "C", "C": "A"}
    turn = iter(range(100))
    world.wire.rule = lambda query: answer(
        {"orders": [an_order(next(turn))], "nextCursor": following[query.get("cursor")]}
    )
    world.time_for_pages = 1
    outcomes = [world.poll().outcome for _ in range(8)]
    assert outcomes == ([PollOutcome.PAUSED] * 3 + [PollOutcome.FAILED]) * 2


def endless(world: World, *, per_page: int) -> None:
    """A list whose every page has orders and a cursor that were never there before."""
    numbers = itertools.count()

    def rule(_query: dict[str, str]) -> Response:
        orders = [an_order(next(numbers)) for _ in range(per_page)]
        return answer({"orders": orders, "nextCursor": orders[-1]["orderId"]})

    world.wire.rule = rule


@pytest.mark.parametrize("pages_a_poll", [1, 3, 1_000_000])
def test_a_list_of_ever_new_orders_is_a_failed_poll_that_says_so(
    pages_a_poll: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "MOST_ORDERS", 30)
    world = offergrid([])
    endless(world, per_page=5)
    world.time_for_pages = pages_a_poll
    results = [world.poll() for _ in range(6)]
    failed = [one for one in results if one.outcome is PollOutcome.FAILED]
    assert failed
    assert failed[0].error == (
        "the list goes on after 30 orders, and one poll reads at most 30: "
        "it never ends, or it is too long for one connection"
    )
    assert world.cursor is None
    assert not any(one.outcome is PollOutcome.COMPLETE for one in results)


def test_after_a_list_without_end_the_next_poll_begins_at_the_first_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "MOST_ORDERS", 30)
    world = offergrid([])
    endless(world, per_page=5)
    world.time_for_pages = 2
    while world.poll().outcome is not PollOutcome.FAILED:
        pass
    world.wire.rule = offergrid_list([an_order(7, "scheduled", changed=1)])
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert world.statuses()["ord-7"] is Status.SCHEDULED


def test_a_list_as_long_as_may_be_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_ORDERS", 30)
    world = offergrid([an_order(number) for number in range(35)], limit=5)
    assert world.poll().outcome is PollOutcome.FAILED
    world = offergrid([an_order(number) for number in range(30)], limit=5)
    assert world.poll().outcome is PollOutcome.COMPLETE
    # Unchanged pages count as well: the ceiling is on what is remembered.
    assert world.poll().orders == 30


@pytest.mark.parametrize("name", ["rabot", "subs"])
def test_a_server_that_ignores_where_a_page_starts_is_a_failed_poll(name: str) -> None:
    model = MODELS[name]
    listed = [
        Listed(f"{n:02}", "9", json.dumps(model.order(f"o-{n:02}", "x", minute(0))).encode())
        for n in range(40)
    ]
    world = world_of(name, lambda: listed, limit=20)
    rule = world.wire.rule
    requests = iter(range(1000))

    def ignoring(query: dict[str, str]) -> Any:
        first = rule({**query, "page": "1"} if name == "subs" else {**query, "offset": "0"})
        # A body that differs each time, as by the id of a request.
        return Response(200, {}, first.body.replace(b"{", b'{"request": %d, ' % next(requests), 1))

    world.wire.rule = ignoring
    result = world.poll()
    # In numbered pages, the one before is looked at once more.
    requests_made = {"rabot": 2, "subs": 3}[name]
    assert (result.outcome, len(world.wire.asked)) == (PollOutcome.FAILED, requests_made)
    assert "earlier page" in (result.error or "") or "read before" in (result.error or "")


def test_overlapping_pages_and_empty_pages_still_work() -> None:
    model = MODELS["rabot"]
    listed = [
        Listed(f"{n:02}", "9", json.dumps(model.order(f"o-{n:02}", "x", minute(0))).encode())
        for n in range(40)
    ]
    world = world_of("rabot", lambda: listed, limit=20)
    assert [world.poll().outcome for _ in range(2)] == [PollOutcome.COMPLETE] * 2
    assert len(world.orders.kept) == 40
    empty = offergrid([])
    following = {None: "A", "A": "B", "B": None}
    empty.wire.rule = lambda query: answer(
        {"orders": [], "nextCursor": following[query.get("cursor")]}
    )
    assert [empty.poll().outcome for _ in range(2)] == [PollOutcome.COMPLETE] * 2


def test_a_poll_that_failed_for_its_second_page_may_read_the_first_again() -> None:
    world = offergrid([an_order(number, changed=number) for number in range(4)], limit=2)
    first = world.wire.rule({})
    world.wire.queued = [first, answer({}, 500)]
    assert [world.poll().outcome for _ in range(2)] == [PollOutcome.FAILED, PollOutcome.COMPLETE]


@pytest.mark.parametrize("broken", [b'{"orderId": "x"', b'{"x": [', b'{"orderId": "'])
def test_a_page_that_ends_within_an_order_is_named_with_its_place(broken: bytes) -> None:
    world = offergrid([an_order(n, changed=n) for n in range(5)], limit=2)
    rule = world.wire.rule

    begun = b'{"orders": [' + json.dumps(an_order(2)).encode() + b", "

    def broken_second_page(query: dict[str, str]) -> Any:
        if "cursor" not in query:
            return rule(query)
        return Response(
            200, {}, b'{"orders": [' + json.dumps(an_order(2)).encode() + b", " + broken
        )

    world.wire.rule = broken_second_page
    result = world.poll()
    assert result.outcome is PollOutcome.FAILED
    assert result.error == (
        "page 2 of this poll: not JSON: the page ends within order 2, "
        f"which starts at character {len(begun)}"
    )
    assert world.cursor is None
    world.wire.rule = rule
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert len(world.statuses()) == 5


def test_a_page_of_too_many_orders_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_json, "MOST_ORDERS", 20)
    world = offergrid([an_order(number) for number in range(21)])
    result = world.poll()
    assert result.error == "more than 20 orders on one page: set a smaller page_size"
    world.connection = replace(world.connection, page_size=20)
    world.wire.rule = lambda _query: answer(
        {"orders": [an_order(number) for number in range(20)], "nextCursor": None}
    )
    assert world.poll().outcome is PollOutcome.COMPLETE


def test_a_page_with_more_changes_than_there_is_time_for_goes_on_within_it() -> None:
    world = offergrid([an_order(number) for number in range(10)])
    world.time_for_orders = 4
    outcomes = [world.poll() for _ in range(3)]
    assert [one.outcome for one in outcomes] == [
        PollOutcome.PAUSED,
        PollOutcome.PAUSED,
        PollOutcome.COMPLETE,
    ]
    assert [one.recorded for one in outcomes] == [4, 4, 2]
    assert len(world.orders.written) == 10
    assert world.cursor == minute(0)


# ---- ETags ----


def with_etag(world: World) -> Callable[[], list[str | None]]:
    """Let the provider answer 304 to its present ETag; what was sent as if-none-match."""
    request, sent = world.wire.request, []

    def conditional(method: str, url: str, *, headers: Mapping[str, str], body: Any = None) -> Any:
        response = request(method, url, headers=headers, body=body)
        etag = f'"{hash(response.body)}"'
        sent.append(headers.get("if-none-match"))
        if headers.get("if-none-match") == etag:
            return Response(304, {"etag": etag}, b"")
        return replace(response, headers={**response.headers, "etag": etag})

    world.wire.request = conditional  # type: ignore[method-assign]
    return lambda: sent


def test_a_list_that_has_not_changed_costs_one_304() -> None:
    orders = [an_order(1)]
    world = offergrid(orders)
    sent = with_etag(world)
    # The second poll is the first that asks from the cursor on.
    outcomes = [world.poll().outcome for _ in range(4)]
    assert outcomes == [
        PollOutcome.COMPLETE,
        PollOutcome.COMPLETE,
        PollOutcome.UNCHANGED,
        PollOutcome.UNCHANGED,
    ]
    assert sent()[:2] == [None, None]
    assert None not in sent()[2:]
    orders[0] = an_order(1, "completed", changed=30)
    assert world.poll().recorded == 1


def test_a_304_is_not_asked_for_while_an_order_has_to_be_looked_at_again() -> None:
    world = offergrid([an_order(1)])
    sent = with_etag(world)
    for _ in range(3):
        world.poll()
    world.touched.mark(OFFERGRID.id, ["ord-1"], at=world.now)
    result = world.poll()
    assert (result.outcome, result.changed) == (PollOutcome.COMPLETE, 1)
    assert sent()[-1] is None


def test_the_etag_of_a_first_page_says_nothing_of_the_second() -> None:
    orders = [an_order(number) for number in range(4)]
    world = offergrid(orders, limit=2)
    sent = with_etag(world)
    for _ in range(3):
        assert world.poll().outcome is PollOutcome.COMPLETE
    assert set(sent()) == {None}


def test_a_resumed_poll_leaves_no_etag_of_a_later_page() -> None:
    world = offergrid([an_order(number) for number in range(4)], limit=2)
    with_etag(world)
    world.time_for_pages = 1
    world.poll()
    world.poll()
    assert world.polls.states[OFFERGRID.id].validator is None


@pytest.mark.parametrize("since", [-600, 600])
def test_a_second_look_asks_for_no_304(since: float) -> None:
    """Also when it begins where the next poll would begin anyway."""
    world = offergrid([an_order(1)])
    sent = with_etag(world)
    for _ in range(3):
        world.poll()
    assert world.poll(LookAgain(since=minute(since))).outcome is PollOutcome.COMPLETE
    assert sent()[-1] is None


def test_a_request_for_news_is_done_by_a_304() -> None:
    world = offergrid([an_order(1)])
    with_etag(world)
    for _ in range(3):
        world.poll()
    world.request()
    assert world.poll().outcome is PollOutcome.UNCHANGED
    assert world.requests == []


def test_an_etag_of_another_address_is_not_sent() -> None:
    world = offergrid([an_order(1)])
    sent = with_etag(world)
    for _ in range(3):
        world.poll()
    world.connection = replace(world.connection, base_url="https://moved.offergrid.example")
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert sent()[-1] is None


def test_a_304_that_was_not_asked_for_is_a_failed_poll() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer(b"", 304)]
    assert world.poll().outcome is PollOutcome.FAILED


def test_an_etag_that_is_no_header_is_not_sent_back() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [replace(world.wire.rule({}), headers={"etag": '"a\x7fb\xff"'})]  # type: ignore[type-var]
    world.poll()
    assert world.polls.states[OFFERGRID.id].validator is None


# ---- A page that is gone ----


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_poll_whose_next_page_is_gone_starts_over_in_the_same_poll(status: int) -> None:
    orders = [an_order(number, changed=number) for number in range(6)]
    world = offergrid(orders, limit=2)
    world.time_for_pages = 1
    assert world.poll().outcome is PollOutcome.PAUSED
    world.time_for_pages = 100
    world.wire.queued = [answer({}, status)]
    result = world.poll()
    assert (result.outcome, result.recorded) == (PollOutcome.COMPLETE, 4)
    assert len(world.statuses()) == 6
    assert world.cursor == minute(5)
    queries = world.wire.queries()
    assert ["cursor" in one for one in queries] == [False, True, False, True, True]
    assert not world.is_paused


def test_a_poll_that_starts_over_quarantines_nothing_twice() -> None:
    orders = [an_order(number, changed=number) for number in range(4)]
    orders[0]["items"] = "none"
    world = offergrid(orders, limit=2)
    world.time_for_pages = 1
    world.poll()
    world.time_for_pages = 100
    world.wire.queued = [answer({}, 410)]
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert len(world.quarantined) == 1


def test_a_first_page_that_is_gone_is_a_failed_poll() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, 410)]
    assert world.poll().outcome is PollOutcome.FAILED
    assert len(world.wire.asked) == 1


@pytest.mark.parametrize("left", ["0", "-1", "0.0", "-3.5", " 0 "])
def test_a_provider_says_in_many_ways_that_no_request_is_left(left: str) -> None:
    world = offergrid([an_order(number) for number in range(4)], limit=2)
    world.wire.queued = [replace(world.wire.rule({}), headers={"x-ratelimit-remaining": left})]  # type: ignore[type-var]
    assert (world.poll().outcome, len(world.wire.asked)) == (PollOutcome.PAUSED, 1)


@pytest.mark.parametrize("left", ["1", "0.5", "many", "", "nan", "inf"])
def test_a_rate_that_is_not_spent_or_not_readable_stops_nothing(left: str) -> None:
    world = offergrid([an_order(number) for number in range(4)], limit=2)
    world.wire.queued = [replace(world.wire.rule({}), headers={"x-ratelimit-remaining": left})]  # type: ignore[type-var]
    assert world.poll().outcome is PollOutcome.COMPLETE
