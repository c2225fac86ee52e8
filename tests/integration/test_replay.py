"""Replaying: what was quarantined goes back into the inbox, and is recorded or kept again."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from milepost.common.strict_json import write_json
from milepost.common.timestamps import format_instant
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.replay import BadKeptId, Kept, KeptId, NotKept, Replay
from milepost.webhooks.aws.replay_queue import ReplayQueue
from tests.builders import NOON, OFFERGRID, offergrid_event, offergrid_item, offergrid_order
from tests.make_events import sqs_batch
from tests.stack import Context, Stack, aws

HOME = OFFERGRID.id


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    return stack.load("record_report")


@pytest.fixture
def quarantine(stack: Stack) -> Quarantine:
    return Quarantine(lambda: aws("s3"), bucket=stack.resources["QuarantineBucket"])


@pytest.fixture
def replay(stack: Stack, quarantine: Quarantine) -> Replay:
    queue = ReplayQueue(aws("sqs"), queue_url=stack.resources["InboxQueue"])
    return Replay(quarantine=quarantine, inbox=queue)


def keep(
    quarantine: Quarantine,
    body: bytes | dict[str, Any],
    *,
    source: str = "webhook",
    at: datetime = NOON,
    connection: str = HOME,
) -> Kept:
    raw = body if isinstance(body, bytes) else write_json(body).encode()
    quarantine.keep(raw, connection_id=connection, source=source, reason="because", at=at)
    found = [one for one in quarantine.walk(connection_id=connection) if one.received_at == at]
    return found[-1]


def record_inbox(app: ModuleType, stack: Stack) -> None:
    bodies = [json.dumps(message) for message in stack.messages("InboxQueue")]
    assert bodies
    assert app.handler(sqs_batch(bodies), Context()) == {"batchItemFailures": []}


def test_what_can_be_read_by_now_is_recorded_in_silence_and_leaves_the_quarantine(
    app: ModuleType, stack: Stack, quarantine: Quarantine, replay: Replay
) -> None:
    kept = keep(quarantine, offergrid_event())
    replay.one(kept.id, announce=False, now=NOON)
    assert stack.objects("QuarantineBucket"), "it stays until it is recorded"
    record_inbox(app, stack)
    (item,) = stack.items("OrdersTable")
    assert (item["status"], "announce" in item) == ("accepted", False)
    assert item["timeline"][0]["seen"] == format_instant(NOON)
    assert stack.objects("QuarantineBucket") == {}


def test_a_replay_that_asks_for_notices_announces(
    app: ModuleType, stack: Stack, quarantine: Quarantine, replay: Replay
) -> None:
    replay.one(keep(quarantine, offergrid_event()).id, announce=True, now=NOON)
    record_inbox(app, stack)
    (item,) = stack.items("OrdersTable")
    assert [one["kind"] for one in json.loads(item["announce"])] == ["accepted"]


def test_what_was_dated_ahead_is_recorded_once_its_time_has_come_and_not_before(
    app: ModuleType, stack: Stack, quarantine: Quarantine, replay: Replay
) -> None:
    event = offergrid_event(timestamp=format_instant(NOON + timedelta(hours=2)))
    kept = keep(quarantine, event)
    replay.one(kept.id, announce=False, now=NOON + timedelta(hours=1))
    record_inbox(app, stack)
    assert stack.items("OrdersTable") == []
    (again,) = quarantine.walk()
    assert (again.id, again.reason) == (kept.id, "dated more than 5 minutes ahead")
    replay.one(kept.id, announce=False, now=NOON + timedelta(hours=2))
    record_inbox(app, stack)
    assert [one["status"] for one in stack.items("OrdersTable")] == ["accepted"]


def test_of_an_order_of_a_poll_only_the_bad_item_is_kept_again(
    app: ModuleType, stack: Stack, quarantine: Quarantine, replay: Replay
) -> None:
    items = [offergrid_item(itemId="item-1", status="rejected"), offergrid_item(status=None)]
    at = datetime(2026, 3, 5, tzinfo=UTC)
    kept = keep(quarantine, offergrid_order(items=items), source="poll", at=at)
    replay.one(kept.id, announce=False, now=at)
    record_inbox(app, stack)
    (item,) = stack.items("OrdersTable")
    assert (item["item_id"], item["status"]) == ("item-1", "rejected")
    (again,) = quarantine.walk()
    assert again.id != kept.id
    assert again.reason == "not the expected Order: items.0.status: missing"


def test_an_order_of_a_poll_is_read_as_its_provider_lists_it(
    app: ModuleType, stack: Stack, quarantine: Quarantine, replay: Replay
) -> None:
    commission = {"amount": Decimal("75.55"), "currency": "AUD", "status": "due", "paidAt": None}
    order = offergrid_order(items=[offergrid_item(commission=commission)])
    replay.one(
        keep(quarantine, order, source="poll", at=datetime(2026, 3, 5, tzinfo=UTC)).id,
        announce=False,
        now=datetime(2026, 3, 6, tzinfo=UTC),
    )
    record_inbox(app, stack)
    (item,) = stack.items("OrdersTable")
    assert item["timeline"][0]["source"] == "poll"
    assert item["details"]["commission"]["amount"] == Decimal("75.55")


def test_what_still_cannot_be_read_comes_back_under_the_same_id(
    app: ModuleType, stack: Stack, quarantine: Quarantine, replay: Replay
) -> None:
    kept = keep(quarantine, b"\xff no json")
    replay.one(kept.id, announce=False, now=NOON)
    record_inbox(app, stack)
    again, body = quarantine.get(kept.id)
    assert body == b"\xff no json"
    assert again.received_at == NOON
    assert again.reason == "not UTF-8"


def test_many_are_replayed_by_connection_and_time_a_part_at_a_time(
    stack: Stack, quarantine: Quarantine, replay: Replay
) -> None:
    for hour in range(5):
        keep(quarantine, f"number {hour}".encode(), at=NOON + timedelta(hours=hour))
    keep(quarantine, b"another's", connection="offergrid-business")

    def part(after: KeptId | None) -> Any:
        return replay.many(
            connection_id=HOME,
            since=NOON + timedelta(hours=1),
            until=NOON + timedelta(hours=4),
            after=after,
            most=2,
            announce=False,
            now=NOON,
        )

    first = part(None)
    second = part(first.go_on_after)
    assert (first.count, second.count, second.go_on_after) == (2, 1, None)
    received = {message["received_at"] for message in stack.messages("InboxQueue")}
    assert received == {(NOON + timedelta(hours=hour)).timestamp() for hour in (1, 2, 3)}


def test_what_is_gone_is_not_replayed(replay: Replay) -> None:
    with pytest.raises(NotKept):
        replay.one(KeptId(HOME, "2026-03-02", "0" * 32), announce=False, now=NOON)


def test_an_id_survives_its_way_through_a_path(quarantine: Quarantine) -> None:
    kept = keep(quarantine, b"x")
    assert KeptId.parse(kept.id.path_id) == kept.id


@pytest.mark.parametrize("text", ["", "a:b", "a/b:2026-01-01:" + "0" * 32, "a:2026-01-01:../x"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(BadKeptId):
        KeptId.parse(text)
