"""What was held for a chat goes out as one message, once, and is retried as a whole."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from milepost.common.errors import OrdersUnavailable
from milepost.common.status import Status
from milepost.notifications.claims import CLAIM, Batch
from milepost.notifications.notice import Channel, Notice, State
from milepost.orders.order import Kind
from milepost.orders.overdue_list import MOST_MENTIONED, OverdueNow, OverdueOrder
from tests.builders import KEY, minute, report, tracked
from tests.unit.notifications.chat.chats import ADDRESSES, CONSOLE, World, notice_to

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
    return [world.log.states[one.id] for one in notices]


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


def late(world: World, number: int, reference: str, **details: object) -> OverdueOrder:
    """An overdue order that is kept, as the index shows it."""
    key = replace(KEY, item_id=f"late-{number}")
    world.keep_order(key=key, reference=reference, **details)
    return OverdueOrder(
        key=key, reference=reference, status=Status.ACCEPTED, since=minute(-9999 + number)
    )


def test_a_digest_has_the_groups_of_mails_and_what_else_is_overdue_is_one(
    world: World, three: list[Notice]
) -> None:
    rejected = replace(three[0], announcement=replace(three[0].announcement, kind=Kind.REJECTED))
    world.orders.kept[KEYS[0]] = tracked(report(Status.REJECTED, key=KEYS[0]))
    world.overdue = OverdueNow(orders=(late(world, 1, "PP-1"), late(world, 2, "PP-2")), more=True)
    send(world, world.hold(three[1], rejected, due_at=DUE))
    (message,) = world.chat.taken
    said = json.dumps(message)
    places = [said.index(one) for one in ("Rejected (1)", "Overdue now", "Accepted (1)")]
    assert places == sorted(places)
    assert "PP-1" in said
    assert f"{CONSOLE}/orders/" in said[said.index("PP-2") :]
    assert "and more" in said[said.index("PP-2") :]


def test_an_overdue_order_has_its_id_in_place_of_a_reference_that_names_the_customer(
    world: World, batch: Batch
) -> None:
    named = late(world, 1, "NGUYEN-4", customer={"name": "Charlotte Nguyen"})
    gone = late(world, 2, "PP-GONE")
    erased = late(world, 3, "PP-ERASED")
    del world.orders.kept[gone.key]
    world.orders.kept[erased.key] = replace(world.orders.kept[erased.key], erased_at=DUE)
    world.overdue = OverdueNow(orders=(named, gone, erased))
    send(world, batch)
    said = json.dumps(world.chat.taken)
    assert [one for one in ("NGUYEN", "PP-GONE", "PP-ERASED") if one in said] == []
    assert said.count(": accepted, overdue since") == 3


def test_a_digest_with_everything_at_its_longest_is_taken_by_the_platform(world: World) -> None:
    keys = [replace(KEY, item_id=f"item-{number}") for number in range(300)]
    for key in keys:
        world.keep_order(key=key, offer={"name": "<!channel> & " * 20}, reference="R" * 60)
    world.overdue = OverdueNow(
        orders=tuple(late(world, number, "R" * 60) for number in range(MOST_MENTIONED)), more=True
    )
    notices = [notice_to(world.channel, key=key) for key in keys]
    send(world, world.hold(*notices, due_at=DUE))
    assert len(world.chat.taken) == 1
    assert "300" in json.dumps(world.chat.taken)
    assert states(world, notices) == [State.SENT] * 300


def test_while_overdue_orders_cannot_be_read_the_digest_waits(
    world: World, three: list[Notice], batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: object, **__: object) -> OverdueNow:
        raise OrdersUnavailable("OrdersTable is throttled")

    monkeypatch.setattr(World, "covered_by", throttled)
    assert send(world, batch) == "OrdersTable is throttled"
    assert world.chat.taken == []
    monkeypatch.undo()
    assert send(world, batch) is None
    assert states(world, three) == [State.SENT] * 3
