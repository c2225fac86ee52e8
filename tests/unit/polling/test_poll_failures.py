"""A poll always ends in a result, and what it could not record holds its cursor."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import urllib3

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.orders.recording import LostRace
from milepost.orders.report import Report
from milepost.polling.poll import run_poll
from milepost.polling.result import PollOutcome
from milepost.polling.sinks import StoreUnavailable
from milepost.polling.state import LookAgain
from tests.builders import OFFERGRID, minute, offergrid_item, report, tracked
from tests.unit.polling.polls import HOUR, World, an_order, answer, offergrid

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
    save = world.hashes.save

    def refuse(_name: str, _seen: Any) -> None:
        raise OSError("S3 is down")

    world.hashes.save = refuse  # type: ignore[method-assign]
    assert world.poll().outcome is PollOutcome.FAILED
    world.hashes.save = save  # type: ignore[method-assign]
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


def test_one_order_that_cannot_be_written_now_delays_no_other_and_is_written_later() -> None:
    world = offergrid([an_order(number, changed=-number) for number in range(1, 7)])
    record = world._record
    fails_for(world, "ord-2", StoreUnavailable("DynamoDB: TransactionConflictException"))
    for _ in range(2):
        failed = world.poll()
        assert failed.outcome is PollOutcome.FAILED
        assert failed.error == "DynamoDB: TransactionConflictException"
        assert set(world.statuses()) == {f"ord-{number}" for number in (1, 3, 4, 5, 6)}
        assert (world.cursor, world.is_paused, world.quarantined) == (None, False, [])
    world._record = record  # type: ignore[method-assign]
    done = world.poll()
    assert (done.outcome, done.recorded, done.changed) == (PollOutcome.COMPLETE, 1, 1)
    assert world.cursor == minute(-1)


def test_after_three_orders_that_cannot_be_written_no_further_one_is_tried() -> None:
    world = offergrid([an_order(number, changed=number) for number in range(1, 9)])
    tried: list[str] = []

    def fail(report: Report, /, *, announce: bool) -> bool:
        tried.append(report.order_id)
        raise StoreUnavailable("DynamoDB: ThrottlingException")

    world._record = fail  # type: ignore[method-assign]
    assert world.poll().outcome is PollOutcome.FAILED
    assert tried == ["ord-1", "ord-2", "ord-3"]


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
