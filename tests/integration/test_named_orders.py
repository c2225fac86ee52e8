"""Webhooks that only name an order: it is fetched at once, and nothing is lost on the way."""

import json
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.connections.connection import Connection
from milepost.deliveries.aws import recorder
from milepost.polling.named_orders import NamedOrder
from milepost.providers.base import OrderNamed
from tests.batches import sqs_batch
from tests.make_webhook_events import inbox_message
from tests.stack import Context, Stack

NAME = "offergrid-home"


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes([make_connection(NAME, "offergrid")]) as running:
        yield running


@pytest.fixture
def app(stack: Stack, sandboxes: Sandboxes) -> ModuleType:
    stack.apply(Connection(id=NAME, provider="offergrid", base_url=sandboxes.url(NAME)))
    account = sandboxes.accounts[NAME]
    stack.keep_secret("ApiCredentials", {NAME: account.connection.credentials})
    return stack.load("poll_orders")


def name_orders(app: ModuleType, *ids: str) -> None:
    for one in ids:
        app.scheduled.named_orders.add(NAME, NamedOrder(one), now=app.now())


def fetch(app: ModuleType) -> dict[str, Any]:
    done: dict[str, Any] = app.handler({"connection": NAME, "fetch": "named"}, Context(300_000))
    return done


def poll_item(stack: Stack) -> dict[str, Any]:
    (item,) = [one for one in stack.items("PollsTable") if one["pk"] == f"poll#{NAME}"]
    return item


def made(sandboxes: Sandboxes) -> str:
    return str(sandboxes.accounts[NAME].create_order({})["orderId"])


def test_a_named_order_is_fetched_and_no_other(
    app: ModuleType, stack: Stack, sandboxes: Sandboxes
) -> None:
    wanted, _ = made(sandboxes), made(sandboxes)
    name_orders(app, wanted, wanted)
    result = fetch(app)
    assert (result["fetched"], result["recorded"], result["error"]) == (1, 1, None)
    assert stack.order_ids() == {wanted}
    assert not {"named", "fetching", "fetch_until"} & set(poll_item(stack))
    assert stack.items("TouchedTable")
    assert fetch(app)["fetched"] == 0


@pytest.mark.parametrize("fault", ["500", "429"])
def test_a_provider_that_is_down_loses_no_named_order(
    fault: str, app: ModuleType, stack: Stack, sandboxes: Sandboxes
) -> None:
    wanted = made(sandboxes)
    name_orders(app, wanted)
    sandboxes.accounts[NAME].faults.add({"fault": fault, "times": 1, "retry_after": 0})
    failed = fetch(app)
    assert (failed["recorded"], failed["error"] is None) == (0, False)
    assert poll_item(stack)["fetching"] == {f"+{wanted}"}
    app.handler({"connection": NAME}, Context(300_000))
    assert stack.order_ids() == {wanted}
    if fault != "429":
        assert "fetching" not in poll_item(stack)


def test_an_order_that_is_not_there_yet_is_left_to_the_next_poll(
    app: ModuleType, stack: Stack
) -> None:
    name_orders(app, "unknown")
    assert fetch(app)["not_found"] == 1
    assert "request_not-found" in poll_item(stack)


def test_an_answer_that_cannot_be_read_is_quarantined_and_not_repeated(
    app: ModuleType, stack: Stack, sandboxes: Sandboxes
) -> None:
    name_orders(app, made(sandboxes))
    sandboxes.accounts[NAME].faults.add({"fault": "broken_page", "times": 1})
    result = fetch(app)
    assert (result["recorded"], result["quarantined"], result["error"]) == (0, 1, None)
    assert "fetching" not in poll_item(stack)


def test_a_webhook_that_names_an_order_starts_one_fetch(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = stack.load("record_report")
    started: list[Any] = []
    lambdas = SimpleNamespace(invoke=lambda **call: started.append(json.loads(call["Payload"])))
    monkeypatch.setattr(app.fetches, "_open_client", lambda: lambdas)
    monkeypatch.setattr(recorder, "read_delivery", _names_an_order)
    batch = [inbox_message(f'{{"id": "{one}"}}', connection=NAME) for one in ("7", "7", "8")]
    assert app.handler(sqs_batch(batch), Context())["batchItemFailures"] == []
    assert started == [{"connection": NAME, "fetch": "named"}]
    assert poll_item(stack)["named"] == {"+7", "+8"}


def test_a_start_that_fails_is_tried_again_with_the_message(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = stack.load("record_report")

    def refuse() -> Any:
        raise TimeoutError

    monkeypatch.setattr(app.fetches, "_open_client", refuse)
    monkeypatch.setattr(recorder, "read_delivery", _names_an_order)
    batch = sqs_batch([inbox_message('{"id": "7"}', connection=NAME)])
    assert len(app.handler(batch, Context())["batchItemFailures"]) == 1
    assert poll_item(stack)["named"] == {"+7"}
    started: list[Any] = []
    lambdas = SimpleNamespace(invoke=lambda **call: started.append(call))
    monkeypatch.setattr(app.fetches, "_open_client", lambda: lambdas)
    assert app.handler(batch, Context())["batchItemFailures"] == []
    assert len(started) == 1


def _names_an_order(delivery: Any, **_context: Any) -> Any:
    raise OrderNamed(json.loads(delivery.body)["id"])
