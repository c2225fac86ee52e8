"""record_report: orders of a batch are recorded side by side, as if they came one by one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Barrier
from types import ModuleType
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.builders import offergrid_event
from tests.integration.adjusted_functions import use_one_thread
from tests.integration.crash_injection import Killed
from tests.integration.killed_writes import Writes
from tests.make_events import sqs_batch
from tests.make_webhook_events import inbox_message
from tests.stack import Context, Stack

PATIENCE = 30
STATUSES = ("accepted", "scheduled", "completed")


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    return stack.load("record_report")


def webhook(order: str, status: str) -> str:
    """The message of an order's webhook; a later status has a later date."""
    at = f"2026-03-0{STATUSES.index(status) + 2}T10:30:00.000Z"
    body = offergrid_event(orderId=order, itemId=f"{order}-1", newStatus=status, timestamp=at)
    return inbox_message(json.dumps(body))


def batch_of(*orders: str) -> dict[str, Any]:
    """All webhooks of these orders: a status of each, then the next status of each."""
    return sqs_batch([webhook(order, status) for status in STATUSES for order in orders])


def invoke(app: ModuleType, batch: dict[str, Any]) -> list[str]:
    """The ids of the messages that failed."""
    answer = app.handler(batch, Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


@contextmanager
def before_orders_are_written(monkeypatch: pytest.MonkeyPatch, look: Any) -> Iterator[None]:
    """``look`` gets each item of OrdersTable before it is written."""
    send = BaseClient._make_api_call

    def call(client: Any, operation: str, parameters: Any) -> Any:
        if operation == "PutItem" and parameters["TableName"] == "OrdersTable":
            look(parameters["Item"])
        return send(client, operation, parameters)

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", call)
        yield


def test_orders_of_a_batch_are_written_at_the_same_time_and_each_in_its_order(
    app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No order is written before all three are about to be.
    together, written = Barrier(3, timeout=PATIENCE), list[tuple[str, str]]()

    def look(item: Any) -> None:
        written.append((item["order_id"]["S"], item["status"]["S"]))
        together.wait()

    with before_orders_are_written(monkeypatch, look):
        assert invoke(app, batch_of("a", "b", "c")) == []
    for order in "abc":
        assert [status for one, status in written if one == order] == [*STATUSES]
    assert {item["version"] for item in stack.items("OrdersTable")} == {3}


def test_a_batch_ends_as_if_its_webhooks_were_recorded_one_by_one(
    app: ModuleType, stack: Stack
) -> None:
    def ends(prefix: str) -> list[dict[str, Any]]:
        late = [webhook(f"{prefix}1", status) for status in ("completed", "accepted")]
        orders = [f"{prefix}{number}" for number in range(4)]
        batch = sqs_batch([*late, *(one["body"] for one in batch_of(*orders)["Records"])])
        assert invoke(app, batch) == []
        items = [one for one in stack.items("OrdersTable") if one["order_id"] in orders]
        said = ("status", "timeline", "announced", "version", "since")
        found = sorted(items, key=lambda one: str(one["order_id"]))
        without = [{name: one[name] for name in said} for one in found]
        for one in without:
            for announced in one["announced"]:
                del announced["announced_at"]
        return without

    side_by_side = ends("x")
    use_one_thread(app)
    assert side_by_side == ends("y")


def test_an_order_that_cannot_be_written_sends_back_its_own_webhooks_alone(
    app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(item: Any) -> None:
        if item["order_id"]["S"] == "b":
            said: Any = {"Error": {"Code": "ThrottlingException", "Message": ""}}
            raise ClientError(said, "PutItem")

    batch = batch_of("a", "b", "c")
    of_b = [one["messageId"] for one in batch["Records"][1::3]]
    with before_orders_are_written(monkeypatch, refuse):
        assert sorted(invoke(app, batch)) == of_b
    assert stack.order_ids() == {"a", "c"}
    assert invoke(app, batch) == []
    assert {(one["version"], one["status"]) for one in stack.items("OrdersTable")} == {
        (3, "completed")
    }


@pytest.mark.parametrize("at", [1, 4])
def test_a_worker_that_is_killed_while_orders_are_written_loses_and_doubles_nothing(
    at: int, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [f"o{number}" for number in range(10)]
    batch = sqs_batch([webhook(order, "accepted") for order in orders])
    with Writes(at).watched(monkeypatch), suppress(Killed):
        invoke(app, batch)
        pytest.fail("it was not killed")
    assert len(stack.order_ids()) >= at
    assert invoke(app, batch) == []
    items = stack.items("OrdersTable")
    assert {one["order_id"] for one in items} == {*orders}
    assert {(one["version"], len(one["announced"])) for one in items} == {(1, 1)}


def test_several_of_a_batch_that_cannot_be_stored_are_kept_and_each_is_counted(
    app: ModuleType,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(item: Any) -> None:
        if item["order_id"]["S"] != "fine":
            said: Any = {"Error": {"Code": "ValidationException", "Message": "Item size"}}
            raise ClientError(said, "PutItem")

    batch = sqs_batch([webhook(one, "accepted") for one in ("a", "b", "fine", "c", "d")])
    with before_orders_are_written(monkeypatch, refuse):
        assert invoke(app, batch) == []
    assert len(stack.objects("QuarantineBucket")) == 4
    assert '"Quarantined":[1.0,1.0,1.0,1.0]' in capsys.readouterr().out.replace(" ", "")
