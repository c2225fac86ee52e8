"""poll_orders: against a provider on this machine, what is in tables and buckets afterwards."""

import json
from collections.abc import Callable
from types import ModuleType

import pytest

from local.sandboxes import Sandboxes
from milepost.common.timestamps import parse_instant
from milepost.polling.aws.touched_orders import TouchedTable
from tests.integration.poll_orders.polled_accounts import (
    DE,
    MAIN,
    SOME_PAGES,
    Poll,
    poll_item,
    serve,
    small_order,
)
from tests.stack import Stack, aws


@pytest.mark.parametrize("name", [MAIN, DE])
def test_a_poll_takes_in_every_page(
    name: str, poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    for _ in range(SOME_PAGES[name]):
        sandboxes.accounts[name].create_order({})
    result = poll(name)
    assert (result["outcome"], result["quarantined"]) == ("complete", 0)
    assert len(stack.order_ids()) == SOME_PAGES[name]
    assert "lease_until" not in poll_item(stack)


@pytest.mark.parametrize("name", [MAIN, DE])
def test_a_poll_of_unchanged_orders_writes_no_order(
    name: str, poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    for _ in range(5):
        sandboxes.accounts[name].create_order({})
    poll(name)
    before = stack.items("OrdersTable")
    result = poll(name)
    assert (result["outcome"], result["changed"], result["recorded"]) == ("complete", 0, 0)
    assert stack.items("OrdersTable") == before


def test_the_cursor_is_that_of_the_newest_change(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    sandboxes.accounts[MAIN].create_order({"at": "2026-03-02T10:00:00.000Z"})
    poll()
    assert parse_instant(poll_item(stack)["poll_cursor"]).year >= 2026


def test_a_poll_without_time_goes_on_the_next_time(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    for _ in range(8):
        sandboxes.accounts[MAIN].create_order({})
    outcomes = [poll(milliseconds=60_000)["outcome"]]
    while outcomes[-1] == "paused":
        outcomes.append(poll(milliseconds=60_000)["outcome"])
    assert outcomes == ["paused", "paused", "complete"]
    assert len(stack.order_ids()) == 8


def test_logs_hold_nothing_personal(
    poll: Poll, stack: Stack, sandboxes: Sandboxes, logged: Callable[[], str]
) -> None:
    for name in (MAIN, DE):
        sandboxes.accounts[name].create_order({})
        poll(name)
    text = logged()
    assert "polled" in text
    for item in stack.items("OrdersTable"):
        for personal in item["details"]["customer"].values():
            assert personal not in text
    assert "local-offergrid-home-api_key" not in text


def test_what_another_way_recorded_is_looked_at_by_the_next_poll(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(
        app,
        monkeypatch,
        json.dumps({"orders": [small_order("a"), small_order("b")], "nextCursor": None}).encode(),
    )
    poll()
    # Not by the poller's own client: only others may mark.
    others = TouchedTable(aws("dynamodb"), table_name=stack.resources["TouchedTable"])
    others.mark(MAIN, ["b"], at=app.now())
    assert poll()["changed"] == 1
