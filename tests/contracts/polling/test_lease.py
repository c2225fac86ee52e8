"""Leases and cursors: one suite for the table on every engine, and for the fake."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.polls_keys import poll_key
from milepost.common.timestamps import format_instant
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.poll_request import PollRequest
from milepost.polling.aws.lease import PollsTable
from milepost.polling.lease import LeaseHeld
from milepost.polling.page_shift import PreviousPage
from milepost.polling.state import LookAgain, PollState, Progress, Validator
from milepost.providers.base import PageRequest
from tests.builders import minute
from tests.fakes.polling import MemoryPolls

TABLE = "PollsTable"
NAME = "offergrid-home"
FIVE = timedelta(minutes=5)


@pytest.fixture
def polls(place: Any) -> Any:
    return MemoryPolls() if place.is_memory else PollsTable(place.client, table_name=place.table)


@pytest.fixture
def requests(place: Any, polls: Any) -> Any:
    return polls if place.is_memory else PollRequests(place.client, table_name=place.table)


def lease(polls: Any, at: float = 0) -> Any:
    return polls.lease(NAME, now=minute(at), duration=FIVE)


def state(polls: Any, at: float = 60) -> PollState:
    """What the next poll finds."""
    found: PollState = lease(polls, at).state
    return found


def test_a_first_poll_finds_nothing(polls: Any) -> None:
    assert state(polls) == PollState()


def test_while_a_lease_is_held_there_is_no_other(polls: Any) -> None:
    lease(polls, 0)
    with pytest.raises(LeaseHeld):
        lease(polls, 4.9)


def test_a_lease_ends_by_itself(polls: Any) -> None:
    late = lease(polls, 0)
    lease(polls, 5.1)
    with pytest.raises(LeaseHeld):
        late.give_back()


def test_a_lease_holds_to_its_last_tenth_of_a_second(polls: Any) -> None:
    polls.lease(NAME, now=minute(0), duration=timedelta(seconds=60, milliseconds=900))
    with pytest.raises(LeaseHeld):
        polls.lease(NAME, now=minute(1), duration=FIVE)


def test_leases_of_two_connections_are_apart(polls: Any) -> None:
    lease(polls)
    other = polls.lease("rabot-energy", now=minute(0), duration=FIVE)
    other.succeed(cursor=minute(-9), validator=None, at=minute(1))
    assert state(polls) == PollState(is_memory_sound=False)


def test_a_lease_that_is_given_back_is_free(polls: Any) -> None:
    lease(polls, 0).give_back()
    assert lease(polls, 0.1).state == PollState()


def test_a_success_keeps_the_cursor_and_gives_the_lease_back(polls: Any) -> None:
    lease(polls, 0).succeed(cursor=minute(-3.5), validator=None, at=minute(1))
    assert state(polls, 1).cursor == minute(-3.5)


def test_a_success_without_a_cursor_leaves_the_one_before(polls: Any) -> None:
    lease(polls, 0).succeed(cursor=minute(-3), validator=None, at=minute(1))
    lease(polls, 1).succeed(cursor=None, validator=None, at=minute(2))
    assert state(polls, 2).cursor == minute(-3)


def test_a_validator_is_kept(polls: Any) -> None:
    known = Validator("https://api.example/orders?page=1", 'W/"abc"')
    lease(polls, 0).succeed(cursor=None, validator=known, at=minute(1))
    assert state(polls, 2).validator == known


def test_a_failure_keeps_the_cursor_and_says_when_to_come_back(polls: Any) -> None:
    lease(polls, 0).succeed(cursor=minute(-3), validator=None, at=minute(1))
    lease(polls, 2).fail(error="429", at=minute(2), not_before=minute(12))
    found = state(polls, 3)
    assert (found.cursor, found.not_before) == (minute(-3), minute(12))


def test_a_success_clears_what_a_failure_left(polls: Any) -> None:
    lease(polls, 0).fail(error="429", at=minute(0), not_before=minute(12))
    lease(polls, 12).succeed(cursor=None, validator=None, at=minute(12))
    assert state(polls, 13).not_before is None


def test_a_pause_keeps_where_to_go_on_and_a_failure_does_not_lose_it(polls: Any) -> None:
    progress = Progress(
        next=PageRequest("/reseller/orders", {"cursor": "a b&c", "limit": "100"}),
        pages=7,
        orders=650,
        empty_pages=3,
        repeated_pages=2,
        newest_change=minute(-1),
        started_at=minute(-2),
        again=LookAgain(since=minute(-60), announce=True),
        unrecorded_change=minute(-3),
        previous=PreviousPage(
            PageRequest("/service-requests", {"page": "6"}), b"\x00\xff", (b"one", b"two"), False
        ),
        requests=("a", "b"),
    )
    lease(polls, 0).pause(progress)
    lease(polls, 1).fail(error="500", at=minute(1), not_before=None)
    assert state(polls, 2).progress == progress


def test_a_failure_that_starts_over_leaves_no_place_to_go_on(polls: Any) -> None:
    progress = Progress(next=PageRequest("/x"), pages=1, newest_change=None)
    lease(polls, 0).pause(progress)
    lease(polls, 1).fail(error="endless", at=minute(1), not_before=None, starts_over=True)
    assert state(polls, 2).progress is None


def test_a_success_ends_what_was_paused(polls: Any) -> None:
    progress = Progress(next=PageRequest("/x"), pages=1, newest_change=None)
    lease(polls, 0).pause(progress)
    lease(polls, 1).succeed(cursor=None, validator=None, at=minute(1))
    assert state(polls, 2).progress is None


@pytest.mark.parametrize(
    "stored",
    [
        {"progress": "{"},
        {"progress": '{"path": "/x"}'},
        {"poll_cursor": "soon"},
        {"validator": ["etag"]},
        {"not_before": 7},
        {"request_a": {"requested_at": None}},
    ],
)
def test_a_state_that_cannot_be_read_starts_over_and_keeps_no_poll_waiting(
    stored: dict[str, Any], polls: Any, place: Any
) -> None:
    if place.is_memory:
        return
    item = {**poll_key(NAME), "poll_cursor": format_instant(minute(-9)), **stored}
    place.client.put_item(TableName=place.table, Item=to_item(item))
    held = lease(polls, 0)
    assert held.state == PollState(is_memory_sound=False)
    held.succeed(cursor=minute(-5), validator=None, at=minute(1))
    after = place.client.get_item(TableName=place.table, Key=to_item(poll_key(NAME)))["Item"]
    assert from_item(after)["poll_cursor"] == format_instant(minute(-5))
    assert not {"progress", "validator", "not_before", "lease_until"} & after.keys()


@pytest.mark.parametrize("finish", ["succeed", "fail", "pause", "give_back"])
def test_who_lost_the_lease_can_write_nothing(finish: str, polls: Any) -> None:
    late = lease(polls, 0)
    current = lease(polls, 6)
    finishes = {
        "succeed": lambda: late.succeed(cursor=minute(99), validator=None, at=minute(7)),
        "fail": lambda: late.fail(error="500", at=minute(7), not_before=minute(99)),
        "pause": lambda: late.pause(Progress(next=PageRequest("/x"), pages=1, newest_change=None)),
        "give_back": late.give_back,
    }
    with pytest.raises(LeaseHeld):
        finishes[finish]()
    current.is_memory_sound = True
    current.succeed(cursor=minute(1), validator=None, at=minute(8))
    assert state(polls, 9) == PollState(cursor=minute(1))


def test_whoever_takes_over_from_a_killed_poll_trusts_no_memory_until_it_is_sound(
    polls: Any,
) -> None:
    assert lease(polls, 0).state.is_memory_sound
    # The first one is killed: its lease ends by itself.
    second = lease(polls, 6)
    assert not second.state.is_memory_sound
    second.fail(error="S3 is down", at=minute(7), not_before=None)
    third = lease(polls, 8)
    assert not third.state.is_memory_sound
    third.is_memory_sound = True
    third.pause(Progress(next=PageRequest("/x"), pages=1, newest_change=None))
    assert lease(polls, 9).state.is_memory_sound


def test_a_success_without_a_validator_forgets_the_last_one(polls: Any) -> None:
    first = lease(polls, 0)
    first.succeed(cursor=None, validator=Validator("https://x", '"1"'), at=minute(0))
    second = lease(polls, 1)
    assert second.state.validator == Validator("https://x", '"1"')
    second.succeed(cursor=None, validator=None, at=minute(1))
    assert state(polls, 2).validator is None


A = PollRequest(id="a", requested_at=minute(0), since=minute(-60), announce=True)
B = PollRequest(id="b-2", requested_at=minute(1))


def test_requests_stay_until_a_poll_that_did_them_succeeds(polls: Any, requests: Any) -> None:
    requests.keep(NAME, B)
    requests.keep(NAME, A)
    requests.keep("rabot-energy", B)
    first = lease(polls, 2)
    assert first.state.requests == (A, B)
    first.give_back()
    lease(polls, 3)  # It is killed: its lease ends by itself.
    taken_over = lease(polls, 60)
    taken_over.is_memory_sound = True
    taken_over.pause(Progress(next=PageRequest("/x"), pages=1, newest_change=None))
    last = lease(polls, 61)
    assert last.state.requests == (A, B)
    last.succeed(cursor=None, validator=None, at=minute(61), done=["a"])
    assert last.requested_meanwhile
    assert state(polls, 62).requests == (B,)


def test_a_request_that_is_kept_twice_is_one(polls: Any, requests: Any) -> None:
    requests.keep(NAME, A)
    requests.keep(NAME, replace(A, since=minute(-1)))
    assert state(polls).requests == (A,)


def test_a_failure_is_noted_with_the_requests_that_the_poll_was_to_do(
    polls: Any, requests: Any
) -> None:
    requests.keep(NAME, A)
    failing = lease(polls, 2)
    requests.keep(NAME, B)
    failing.fail(error="500", at=minute(3), not_before=None)
    found = lease(polls, 4)
    assert found.state.requests == (replace(A, failed_at=minute(3)), B)
    found.succeed(cursor=None, validator=None, at=minute(4), done=["a", "b-2"])
    assert not found.requested_meanwhile


def test_a_poll_that_lost_its_lease_removes_no_request(polls: Any, requests: Any) -> None:
    requests.keep(NAME, A)
    late = lease(polls, 0)
    lease(polls, 6)
    with pytest.raises(LeaseHeld):
        late.succeed(cursor=None, validator=None, at=minute(7), done=["a"])
    assert state(polls, 60).requests == (A,)
