"""Polling: every page, what changed, and only then the cursor."""

import json
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from itertools import count
from urllib.parse import urlsplit

import pytest

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.orders.order import OrderKey
from milepost.polling import state
from milepost.polling.lease import LeaseHeld
from milepost.polling.result import PollOutcome
from milepost.providers.base import Response
from milepost.providers.http import FetchFailed
from tests.builders import NOON, OFFERGRID, minute, offergrid_item, rabot_order, rabot_page
from tests.unit.polling.polls import HOUR, Answer, an_order, answer, offergrid, rabot


def test_a_first_poll_takes_everything_in_and_moves_the_cursor() -> None:
    world = offergrid([an_order(1), an_order(2, "rejected", changed=3)])
    result = world.poll()
    assert (result.outcome, result.orders, result.recorded) == (PollOutcome.COMPLETE, 2, 2)
    assert world.statuses() == {"ord-1": Status.ACCEPTED, "ord-2": Status.REJECTED}
    assert world.cursor == minute(3)


def test_the_next_poll_asks_from_a_little_before_the_cursor() -> None:
    world = offergrid([an_order(1, changed=3)])
    world.poll()
    world.poll()
    first, second = world.wire.queries()
    assert "updatedSince" not in first
    assert second["updatedSince"] == [format_instant(minute(-2))]


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
    assert result.outcome is PollOutcome.FAILED
    assert result.error
    assert world.cursor is None
    assert world.polls.errors[OFFERGRID.id] == result.error
    assert not world.hashes.kept
    again = world.poll()
    assert again.outcome is PollOutcome.COMPLETE
    assert len(world.statuses()) == 5
    assert len(world.orders.written) == 5
    assert world.cursor == minute(4)


def test_a_page_of_which_rabot_says_that_it_failed_is_a_failed_poll() -> None:
    world = rabot([rabot_order()])
    world.wire.queued = [answer(rabot_page([], isSuccess=False, data=None))]
    assert world.poll().outcome is PollOutcome.FAILED
    assert world.poll().outcome is PollOutcome.COMPLETE


def test_a_refused_token_is_renewed_once() -> None:
    world = rabot([rabot_order()])
    world.wire.queued = [answer(b"", 401)]
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert world.wire.tokens == 2


def test_a_second_refusal_of_the_token_is_meant() -> None:
    world = rabot([rabot_order()])
    world.wire.queued = [answer(b"", 401), answer(b"", 401)]
    result = world.poll()
    assert (result.outcome, world.wire.tokens) == (PollOutcome.FAILED, 2)
    assert "401" in (result.error or "")


@pytest.mark.parametrize(
    ("header", "minutes"),
    [
        ("120", 2),
        ("", 1),
        ("soon", 1),
        ("-5", 1),
        ("999999", 60),
        ("9" * 5_000, 60),
        ("\uff11\uff12", 1),
    ],
)
def test_a_provider_that_asks_for_fewer_requests_is_left_alone_for_as_long(
    header: str, minutes: int
) -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, 429, retry_after=header)]
    assert world.poll().outcome is PollOutcome.FAILED
    state = world.polls.states[OFFERGRID.id]
    assert state.not_before == world.now + timedelta(minutes=minutes)


def test_before_a_provider_may_be_asked_again_it_is_not() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, 429, retry_after="600")]
    world.poll()
    assert world.poll().outcome is PollOutcome.WAITING
    assert len(world.wire.asked) == 1
    world.now += timedelta(minutes=10)
    assert world.poll().outcome is PollOutcome.COMPLETE


@pytest.mark.parametrize("status", [429, 503])
def test_a_date_to_come_back_at_is_kept_to(status: int) -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, status, retry_after=format_datetime(minute(20), usegmt=True))]
    assert world.poll().outcome is PollOutcome.FAILED
    assert world.polls.states[OFFERGRID.id].not_before == minute(20)


def test_a_date_that_has_passed_asks_for_no_wait() -> None:
    world = offergrid([an_order(1)])
    world.wire.queued = [answer({}, 503, retry_after=format_datetime(minute(-20), usegmt=True))]
    assert world.poll().outcome is PollOutcome.FAILED
    assert world.poll().outcome is PollOutcome.COMPLETE


def test_a_poll_pauses_when_the_provider_says_that_no_request_is_left() -> None:
    world = offergrid([an_order(number) for number in range(4)], limit=2)
    first = world.wire.rule({})
    assert isinstance(first, Response)
    spent = replace(first, headers={"x-ratelimit-remaining": "0"})
    world.wire.queued = [spent]
    assert (world.poll().outcome, len(world.wire.asked)) == (PollOutcome.PAUSED, 1)
    assert (world.poll().outcome, len(world.wire.asked)) == (PollOutcome.COMPLETE, 2)
    assert len(world.statuses()) == 4


def test_a_poll_whose_last_page_spent_the_last_request_is_complete() -> None:
    world = offergrid([an_order(1)])
    first = world.wire.rule({})
    assert isinstance(first, Response)
    world.wire.queued = [replace(first, headers={"x-ratelimit-remaining": "0"})]
    assert world.poll().outcome is PollOutcome.COMPLETE


def test_a_next_page_that_is_the_page_itself_is_refused() -> None:
    world = offergrid([])
    world.wire.rule = lambda _query: answer({"orders": [an_order(1)], "nextCursor": "same"})
    assert world.poll().outcome is PollOutcome.FAILED
    assert len(world.wire.asked) == 2
    assert world.cursor is None


def test_pages_without_end_are_a_failed_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_PAGES", 20)
    world = offergrid([])
    turns = count()
    world.wire.rule = lambda _: answer({"orders": [], "nextCursor": f"page {next(turns)}"})
    assert world.poll().outcome is PollOutcome.FAILED
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

    pages = world.wire.rule

    def move(query: dict[str, str]) -> Answer:
        page = pages(query)
        orders[0] = an_order(0, "scheduled", changed=8)
        return page

    world.wire.rule = move
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
    assert (result.outcome, result.quarantined) == (PollOutcome.COMPLETE, 1)
    assert list(world.statuses()) == ["ord-2"]
    ((order, why),) = world.quarantined
    assert order == json.dumps(broken).encode()
    assert "items" in why
    world.poll()
    assert len(world.quarantined) == 1


@pytest.mark.parametrize("depth", [100, 500, 900, 940, 960, 970, 975, 980, 985, 990])
def test_an_order_nested_deep_breaks_no_poll(depth: int) -> None:
    raw = json.dumps({"orders": [an_order(1), an_order(2)], "nextCursor": None}).encode()
    deep = b'"x": ' + b"[" * depth + b"]" * depth + b', "orderId"'
    world = offergrid([])
    world.wire.queued = [answer(raw.replace(b'"orderId"', deep, 1))]
    assert world.poll().outcome in (PollOutcome.COMPLETE, PollOutcome.FAILED)


def test_a_poll_without_time_goes_on_from_there_the_next_time() -> None:
    orders = [an_order(number, changed=number // 3) for number in range(10)]
    world = offergrid(orders, limit=2)
    world.time_for_pages = 2
    assert [world.poll().outcome for _ in range(3)] == [
        PollOutcome.PAUSED,
        PollOutcome.PAUSED,
        PollOutcome.COMPLETE,
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


def test_a_poll_asks_no_more_than_the_provider_allows_in_a_minute() -> None:
    orders = [an_order(number, changed=number) for number in range(20)]
    world = offergrid(orders, limit=1, requests_per_minute=6)
    assert world.poll().outcome is PollOutcome.PAUSED
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
    assert world.poll().outcome is PollOutcome.COMPLETE


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
        assert world.poll().outcome is PollOutcome.FAILED
    orders[1] = an_order(1, "completed", changed=300)
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert world.statuses()["ord-1"] is Status.COMPLETED
    key = OrderKey(OFFERGRID.id, "ord-1", offergrid_item()["itemId"])
    assert len(world.orders.kept[key].announced) == 2
