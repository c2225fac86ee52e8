"""A restore: tables from a point in time, what was lost put back, what came meanwhile polled.

The emulator restores a table as it is now, not as it was: so it is restored before the loss.
"""

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from local.deployment import Deployment
from local.restore import drop, poll_since, put_back, restore_tables, tables_of
from local.sandboxes.server import Sandboxes
from milepost.aws.dynamodb_items import from_item
from tests.e2e.account import CONNECTION, Account, running_account

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

STACK: Final = "milepost-restored"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("restore")) as running:
        yield running


def place_order(sandboxes: Sandboxes) -> None:
    url = f"{sandboxes.url(CONNECTION)}/_sandbox/orders"
    headers = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, b"{}", headers)).close()


def keys(account: Account, stack: Deployment, table: str) -> set[tuple[str, str]]:
    found = account.client("dynamodb").scan(TableName=stack.find_id(table))["Items"]
    return {(one["pk"], one.get("sk", "")) for one in map(from_item, found)}


def lose_orders(account: Account, stack: Deployment) -> None:
    for pk, sk in keys(account, stack, "OrdersTable"):
        account.client("dynamodb").delete_item(
            TableName=stack.find_id("OrdersTable"), Key={"pk": {"S": pk}, "sk": {"S": sk}}
        )


def test_what_was_lost_is_put_back_and_what_came_meanwhile_is_polled(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in account.access.environment().items():
        monkeypatch.setenv(name, value)
    stack = account.deploy(STACK, settings={"PointInTimeRecovery": "true"})
    before = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    with Sandboxes() as sandboxes:
        key = sandboxes.accounts[CONNECTION].connection.credentials["api_key"]
        account.connect(STACK, base_url=sandboxes.url(CONNECTION), api_key=key)
        place_order(sandboxes)
        poll_since(CONNECTION, stack=STACK, at=before)
        orders = keys(account, stack, "OrdersTable")
        assert orders

        tables = restore_tables(account.client, stack=STACK, at=datetime.now(UTC))
        assert {one.logical_id for one in tables} == tables_of(
            account.client("cloudformation"), STACK
        ).keys()
        lose_orders(account, stack)
        place_order(sandboxes)
        assert put_back(account.client, tables) >= len(orders)
        assert keys(account, stack, "OrdersTable") == orders
        assert put_back(account.client, tables) == 0, "what is there stays as it is"
        poll_since(CONNECTION, stack=STACK, at=before)
    assert keys(account, stack, "OrdersTable") > orders
    drop(account.client, tables)
    left: list[Any] = account.client("dynamodb").list_tables()["TableNames"]
    assert not [one for one in left if "-restored-2" in one], json.dumps(left)


def test_what_an_erasure_left_is_never_overwritten(account: Account) -> None:
    stack = account.deploy(STACK, settings={"PointInTimeRecovery": "true"})
    dynamodb, table = account.client("dynamodb"), stack.find_id("OrdersTable")
    item = {"pk": {"S": "order#offergrid-home#ord-1"}, "sk": {"S": "item#1"}}
    dynamodb.put_item(TableName=table, Item={**item, "reference": {"S": "theirs"}})
    tables = restore_tables(account.client, stack=STACK, at=datetime.now(UTC))
    dynamodb.put_item(TableName=table, Item={**item, "erased_at": {"S": "2026-03-02T12:00:00Z"}})
    put_back(account.client, tables, overwrite=True)
    assert "reference" not in dynamodb.get_item(TableName=table, Key=item)["Item"]
    drop(account.client, tables)
