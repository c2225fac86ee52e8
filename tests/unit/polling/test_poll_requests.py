"""Polls that a person requested, and polls that read everything again."""

import pytest

from milepost.polling.result import PollOutcome
from milepost.polling.state import LookAgain
from tests.builders import minute
from tests.unit.polling.polls import HOUR, World, an_order, answer, offergrid


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
    assert (result.outcome, result.recorded) == (PollOutcome.COMPLETE, 1)
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
    assert world.poll(LookAgain(since=minute(-60))).outcome is PollOutcome.PAUSED
    world.time_for_pages = 9
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert len(world.statuses()) == 4
    assert world.orders.announced == []


def test_the_poll_after_a_second_look_tells_of_what_is_new() -> None:
    orders = [an_order(1, changed=0)]
    world = offergrid(orders)
    world.poll(LookAgain(since=minute(-60)))
    orders.append(an_order(2, changed=10))
    world.poll()
    assert [one.kind for one in world.orders.announced] == ["accepted"]


def test_whoever_polls_next_does_what_was_requested() -> None:
    world = offergrid([an_order(1, changed=-60), an_order(2, changed=0)])
    world.poll()
    lose_what_was_recorded(world)
    world.request(LookAgain(since=minute(-90)))
    world.poll()
    assert set(world.statuses()) == {"ord-1", "ord-2"}
    assert world.requests == []


def test_several_requests_are_one_poll_from_the_earliest_that_tells_if_one_asked() -> None:
    world = offergrid([an_order(1, changed=-60), an_order(2, changed=0)])
    world.poll()
    lose_what_was_recorded(world)
    for again in (None, LookAgain(since=minute(-90)), LookAgain(since=minute(-1), announce=True)):
        world.request(again)
    world.poll()
    assert len(world.orders.announced) == 2
    assert world.requests == []


def test_a_request_outlives_polls_that_wait_fail_or_are_killed() -> None:
    world = offergrid([an_order(1, changed=0)])
    world.poll()
    lose_what_was_recorded(world)
    request = world.request(LookAgain(since=minute(-60)))
    world.wire.queued = [answer(b"", 429, retry_after="600")]
    outcomes = [world.poll().outcome for _ in range(2)]
    assert outcomes == [PollOutcome.FAILED, PollOutcome.WAITING]
    assert world.requests == [request]
    world.now += HOUR
    world.polls.lease(world.connection.id, now=world.now, duration=HOUR)
    world.now += 2 * HOUR
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert (list(world.statuses()), world.requests) == (["ord-1"], [])


def test_a_request_made_during_a_poll_is_left_for_the_next_one() -> None:
    world = offergrid([an_order(1, changed=-60), an_order(2, changed=0)])
    world.poll()
    lose_what_was_recorded(world)
    first = world.request(LookAgain(since=minute(-1)))
    seen: list[str] = []

    def request() -> None:
        if not seen:
            seen.append(world.request(LookAgain(since=minute(-90))))

    world.before_record = request
    world.poll()
    assert first not in world.requests
    assert world.requests == seen
    world.poll()
    assert set(world.statuses()) == {"ord-1", "ord-2"}
    assert world.requests == []


def test_a_paused_poll_keeps_its_requests_and_a_later_one_does_not_begin_it_again() -> None:
    world = offergrid([an_order(number, changed=number) for number in range(6)], limit=2)
    world.poll()
    lose_what_was_recorded(world)
    first = world.request(LookAgain(since=minute(-60)))
    world.time_for_pages = 1
    assert world.poll().outcome is PollOutcome.PAUSED
    second = world.request(LookAgain(since=minute(-90)))
    assert world.poll().outcome is PollOutcome.PAUSED
    assert world.requests == [first, second]
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert len(world.statuses()) == 6
    assert world.requests == [second]
    world.time_for_pages = 9
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert world.requests == []
