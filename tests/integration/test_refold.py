"""watch_deadlines: stored orders are folded again, and moved to the partitions of this version."""

from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.orders.aws import index_keys
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import record
from tests.builders import NOON, RABOT, RULES, report, tracked
from tests.integration.recorded_orders import LOOKED_AFTER, keep
from tests.integration.watched_orders import DAY, NOTHING, SALES, key, run, told
from tests.stack import Context, Stack, aws


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    stack.apply(LOOKED_AFTER)
    SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"]).put(SALES)
    return stack.load("watch_deadlines")


def reread(app: ModuleType, after: str | None = None, **context: Any) -> dict[str, Any]:
    answer: dict[str, Any] = app.handler({"reread": {"after": after}}, Context(**context))
    return answer


@pytest.mark.thorough
def test_stored_orders_are_read_again_by_their_raw_statuses_and_nobody_is_notified(
    app: ModuleType, stack: Stack
) -> None:
    stack.apply(RABOT)
    table = stack.resources["OrdersTable"]
    of_rabot = OrdersTable(aws("dynamodb"), table_name=table, connection=RABOT)
    stored = OrderKey(RABOT.id, "V-1", "V-1")
    for at, status, raw in ((0, Status.PENDING, "Open"), (5, Status.ACCEPTED, "Processing")):
        one = report(status, at, raw=raw, key=stored)
        record(one, orders=of_rabot, rules=RULES, now=one.seen_at)
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)))
    before = of_rabot.read(stored)
    assert before is not None
    assert reread(app) == {"read": 2, "changed": 1, "failed": 0, "after": None}
    after = of_rabot.read(stored)
    assert after is not None
    assert (after.order.status, after.order.raw_status) == (Status.SUBMITTED, "Processing")
    assert (after.version, after.announced) == (before.version + 1, before.announced)
    assert "announce" not in stack.orders()["V-1"]
    assert reread(app) == {"read": 2, "changed": 0, "failed": 0, "after": None}
    assert told(stack) == []


@pytest.mark.thorough
def test_an_order_that_was_not_read_again_yet_is_not_overdue_by_the_old_table(
    app: ModuleType, stack: Stack
) -> None:
    stack.apply(RABOT)
    table = stack.resources["OrdersTable"]
    of_rabot = OrdersTable(aws("dynamodb"), table_name=table, connection=RABOT)
    stored = OrderKey(RABOT.id, "V-1", "V-1")
    one = report(Status.ACCEPTED, 0, raw="Processing", key=stored)
    record(one, orders=of_rabot, rules=RULES, now=one.seen_at, announce=False)
    aws("dynamodb").update_item(
        TableName=table,
        Key=to_item(item_key(stored)),
        UpdateExpression="SET next_date = :then",
        ExpressionAttributeValues=to_item({":then": format_instant(NOON + 3 * DAY)}),
    )
    assert run(app, NOON + 10 * DAY) == {}
    tracked = of_rabot.read(stored)
    assert tracked is not None
    assert (tracked.order.status, tracked.overdue) == (Status.SUBMITTED, None)
    assert run(app, NOON + 15 * DAY) == {"marked": 1}


@pytest.mark.thorough
def test_reading_again_goes_on_where_the_time_ended(app: ModuleType, stack: Stack) -> None:
    keep(stack, *(report(Status.ACCEPTED, number, key=key(number)) for number in range(1, 4)))
    ended = reread(app, milliseconds=1)
    assert ended["read"] == 0
    assert reread(app, ended["after"]) == {"read": 3, "changed": 0, "failed": 0, "after": None}


def test_an_order_of_an_earlier_version_moves_to_its_partition_and_nobody_is_told(
    app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_keys, "MOST_SHARDS", 8)
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=LOOKED_AFTER
    )
    one = OrderKey(LOOKED_AFTER.id, "ord-1", "item-1")
    at = datetime.now(UTC)
    said = replace(report(Status.ACCEPTED, key=one), occurred_at=at, seen_at=at)
    table.write(tracked(said), new=())
    aws("dynamodb").update_item(
        TableName=stack.resources["OrdersTable"],
        Key=to_item(item_key(one)),
        UpdateExpression="SET status_shard = :was",
        ExpressionAttributeValues=to_item({":was": "accepted#5"}),
    )
    layout = IndexLayout(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    assert app.handler({}, Context()) == {**NOTHING, "moved": 1}
    assert not layout.is_settled(), "another may have come meanwhile"
    [item] = stack.orders().values()
    assert item["status_shard"] == index_keys.partition_of(Status.ACCEPTED, one)
    assert app.handler({}, Context()) == NOTHING
    again = IndexLayout(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    assert again.is_settled()
