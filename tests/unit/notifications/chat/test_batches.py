"""What was held for a chat goes out as one message, once, and is retried as a whole."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from milepost.notifications.claims import CLAIM, Batch
from milepost.notifications.notice import Channel, Notice, State
from tests.builders import KEY, minute
from tests.unit.notifications.chat.chats import ADDRESSES, World, notice_to

DUE = minute(60)
KEYS = [replace(KEY, item_id=f"item-{number}") for number in range(3)]
BUSY = {Channel.SLACK: "rate_limited", Channel.TEAMS: "WorkflowTriggerRateLimited"}
DOWN = {Channel.SLACK: "rollup_error", Channel.TEAMS: "InternalServerError"}
GONE = {Channel.SLACK: "no_service", Channel.TEAMS: "WorkflowTriggerIsNotEnabled"}
FINAL = {Channel.SLACK: "invalid_payload", Channel.TEAMS: "TriggerInputSchemaMismatch"}


@pytest.fixture(params=[Channel.SLACK, Channel.TEAMS])
def world(request: pytest.FixtureRequest) -> World:
    made = World(request.param)
    for key in KEYS:
        made.keep_order(key=key)
    return made


@pytest.fixture
def three(world: World) -> list[Notice]:
    return [notice_to(world.channel, key=key) for key in KEYS]


@pytest.fixture
def batch(world: World, three: list[Notice]) -> Batch:
    return world.hold(*three, due_at=DUE)


def send(world: World, batch: Batch, *, attempt: int = 0, now: datetime = DUE) -> str | None:
    return world.batches.send(batch, attempt=attempt, now=now)


def states(world: World, notices: list[Notice]) -> list[State]:
    return [world.log.state_of(one) for one in notices]


def test_a_storm_is_one_message_and_a_redelivery_sends_nothing(
    world: World, three: list[Notice], batch: Batch
) -> None:
    assert send(world, batch) is None
    assert send(world, batch) is None
    assert len(world.chat.taken) == 1
    assert world.calls == [ADDRESSES[world.channel]]
    assert states(world, three) == [State.SENT] * 3


def test_too_many_calls_wait_as_long_as_the_platform_asks(
    world: World, three: list[Notice], batch: Batch
) -> None:
    world.chat.trouble = BUSY[world.channel]
    send(world, batch)
    assert world.retries == [(1, timedelta(seconds=30))]
    assert world.waits == [(one.id, "answered 429", DUE + timedelta(seconds=30)) for one in three]
    # The webhook is not called before that, by this batch or another one.
    send(world, batch, attempt=1, now=DUE + timedelta(seconds=10))
    assert world.retries[1:] == [(1, timedelta(seconds=20))]
    assert len(world.calls) == 1
    world.chat.trouble = None
    send(world, batch, attempt=1, now=DUE + timedelta(seconds=31))
    assert len(world.chat.taken) == 1
    assert states(world, three) == [State.SENT] * 3


def test_an_outage_is_retried_as_endpoints_are_and_ends_in_the_log(
    world: World, three: list[Notice], batch: Batch
) -> None:
    world.chat.trouble = DOWN[world.channel]
    for attempt in range(9):
        send(world, batch, attempt=attempt)
    assert [attempt for attempt, _ in world.retries] == list(range(1, 10))
    assert world.retries[1][1] == timedelta(minutes=5)
    send(world, batch, attempt=9)
    assert len(world.retries) == 9
    assert states(world, three) == [State.FAILED] * 3
    assert world.log.items[three[0].id]["reason"] == "answered 500; tried 10 times"


def test_a_disabled_webhook_is_switched_off_and_its_owner_is_told(
    world: World, three: list[Notice], batch: Batch
) -> None:
    world.chat.trouble = GONE[world.channel]
    send(world, batch)
    assert world.ended == [f"switched off on {DUE:%Y-%m-%d} because it is gone"]
    assert len(world.told) == 1
    assert states(world, three) == [State.FAILED] * 3
    assert GONE[world.channel] in world.log.items[three[0].id]["reason"]
    assert world.retries == []


def test_a_message_that_is_refused_fails_and_says_nothing_about_the_webhook(
    world: World, three: list[Notice], batch: Batch
) -> None:
    world.chat.trouble = FINAL[world.channel]
    send(world, batch)
    assert states(world, three) == [State.FAILED] * 3
    assert (world.ended, world.failing_since, world.retries) == ([], None, [])


def test_an_order_that_was_erased_meanwhile_is_not_shown(
    world: World, three: list[Notice], batch: Batch
) -> None:
    erased = world.orders.kept[KEYS[0]]
    world.orders.kept[KEYS[0]] = replace(erased, erased_at=DUE)
    send(world, batch)
    assert states(world, three) == [State.SKIPPED, State.SENT, State.SENT]


def test_a_subscription_that_was_deleted_gets_nothing(
    world: World, three: list[Notice], batch: Batch
) -> None:
    world.subscriptions.kept.clear()
    send(world, batch, now=DUE + CLAIM)
    assert world.calls == []
    assert states(world, three) == [State.SKIPPED] * 3
