"""Polls are killed seldom, and only while their leases end before everything is sent."""

from random import Random
from typing import Any, cast

from tests.soak.process_killer import POLLS, VICTIMS, Killer


def killer() -> Killer:
    return Killer(stack=cast(Any, None), every_seconds=1.0, rng=Random(1), polls_for_seconds=100.0)


def test_a_poll_may_be_killed_while_its_lease_ends_in_time() -> None:
    assert killer().functions_to_kill(after_seconds=99.0) == VICTIMS | {POLLS}


def test_no_poll_is_killed_whose_lease_would_last_too_long() -> None:
    assert killer().functions_to_kill(after_seconds=100.0) == VICTIMS


def test_no_more_than_two_polls_are_killed() -> None:
    one = killer()
    one.kills[POLLS] = 2
    assert one.functions_to_kill(after_seconds=1.0) == VICTIMS
