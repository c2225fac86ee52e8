"""A page of many orders, which are recorded some at a time."""

import json
from contextlib import suppress
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from milepost.orders.aws.prefetch import ReadAhead
from tests.integration.crash_injection import Calls, Killed, clock_at
from tests.integration.killed_writes import Writes
from tests.integration.poll_orders.polled_accounts import Poll, many_orders, serve, small_order
from tests.stack import Stack


def test_new_orders_are_read_some_at_a_time_and_each_is_written_by_itself(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_orders(app, monkeypatch, 30)
    calls = Calls()
    with calls.watched(monkeypatch):
        assert poll()["recorded"] == 30
    assert len(stack.order_ids()) == 30
    assert calls.made.count("BatchGetItem") == 2
    assert calls.made.count("PutItem") == 30
    assert "TransactWriteItems" not in calls.made


def test_orders_that_cannot_be_read_ahead_fail_the_poll_and_none_is_lost(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_orders(app, monkeypatch, 3)
    with monkeypatch.context() as patched:

        def refuse(_self: Any, _keys: Any) -> None:
            said = {"Error": {"Code": "ThrottlingException", "Message": "a secret"}}
            raise ClientError(said, "BatchGetItem")  # type: ignore[arg-type]

        patched.setattr(ReadAhead, "read", refuse)
        failed = poll()
    assert (failed["outcome"], failed["error"]) == ("failed", "DynamoDB: ThrottlingException")
    assert poll()["recorded"] == len(stack.order_ids()) == 3


def test_one_key_that_dynamodb_does_not_allow_is_kept_and_stops_no_other_order(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [small_order(one) for one in ("a", "b" * 2_100, "c")]
    serve(app, monkeypatch, json.dumps({"orders": orders, "nextCursor": None}).encode())
    result = poll()
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    assert stack.order_ids() == {"a", "c"}


@pytest.mark.parametrize("at", [1, 9, 21])
def test_a_poll_that_is_killed_while_orders_are_written_loses_and_doubles_nothing(
    at: int, poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several writes are on their way when the process ends: up to seven more than are awaited."""
    many_orders(app, monkeypatch, 30)
    killed_at = Writes(at)
    with killed_at.watched(monkeypatch), suppress(Killed, Exception):
        poll()
    assert at <= len(stack.order_ids()) < 30
    vars(app)["datetime"] = clock_at(app.now() + timedelta(hours=1))
    assert poll()["outcome"] == "complete"
    items = stack.items("OrdersTable")
    assert len(items) == 30
    assert {one["version"] for one in items} == {1}
    assert all(len(json.loads(one["announce"])) == 1 for one in items)
