"""Orders that cannot be read or stored keep no other from being recorded."""

import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.sandboxes import Sandboxes
from milepost.orders.aws.table import OrdersTable
from tests.integration.poll_orders.polled_accounts import (
    DE,
    MAIN,
    Poll,
    poll_item,
    serve,
    small_order,
)
from tests.malformed_payloads import nested
from tests.stack import Stack


def test_an_order_that_cannot_be_read_is_set_aside_without_what_may_not_be_kept(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    account = sandboxes.accounts[DE]
    secrets = {"password": "hunter2", "nested": [{"IBAN": "DE02120300000000202051"}]}
    account.create_order(secrets)["state"] = ["gestern"]
    account.create_order({})
    result = poll(DE)
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    assert len(stack.order_ids()) == 1
    (kept,) = stack.objects("QuarantineBucket").values()
    assert b"gestern" in kept
    assert b"hunter2" not in kept
    assert b"DE0212" not in kept


@pytest.mark.parametrize("depth", [100, 400])
def test_an_unreadable_order_is_set_aside_whole_however_deep_it_is_nested(
    depth: int, poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    """The page itself can be read: what is deep is a field that nobody knows."""
    account = sandboxes.accounts[DE]
    account.create_order({"surprise": nested(depth), "iban": "DE02120300000000202051"})["state"] = (
        None
    )
    account.create_order({})
    result = poll(DE)
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    (kept,) = stack.objects("QuarantineBucket").values()
    assert b"[" * depth in kept
    assert b"DE0212" not in kept
    assert len(stack.order_ids()) == 1


def test_a_bad_item_is_set_aside_alone_and_its_sibling_recorded(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    order = sandboxes.accounts[MAIN].create_order({"items": [{}, {}]})
    order["items"][0] |= {"status": "rejected", "reason": "No coverage"}
    order["items"][1]["status"] = ""
    result = poll(MAIN)
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    (item,) = stack.items("OrdersTable")
    assert (item["item_id"], item["status"]) == (order["items"][0]["itemId"], "rejected")
    (kept,) = stack.objects("QuarantineBucket").values()
    alone = json.loads(kept)
    assert [one["itemId"] for one in alone["items"]] == [order["items"][1]["itemId"]]
    assert alone["orderId"] == order["orderId"]


def test_an_amount_that_cannot_be_read_withholds_no_status(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    order = sandboxes.accounts[MAIN].create_order({"items": [{}, {}]})
    order["items"][0] |= {"status": "rejected", "reason": "No coverage"}
    order["items"][1] |= {"status": "Accepted ", "commission": {"amount": "1,280.00"}}
    assert poll(MAIN)["quarantined"] == 0
    found = {item["status"]: item for item in stack.items("OrdersTable")}
    assert set(found) == {"rejected", "accepted"}
    assert "attention" not in found["rejected"]
    (reason,) = found["accepted"]["attention"]
    assert reason["code"] == "unreadable_data"
    assert "items.commission.amount" in reason["text"]
    assert "1,280" not in reason["text"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "hostile",
    [
        b'{"x": ' + b"[" * 400 + b"]" * 400 + b"}",
        *(b'{"x": ' + b"[" * depth + b"]" * depth + b"}" for depth in (900, 990, 1_950, 5_000)),
        b'{"x": ' + b'{"x":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"orderId": "\\ud800"}',
        b'{"orderId": "\xff"}',
        b"null",
        b'{"orderId": 1e999999}',
    ],
    ids=[
        *(f"nested {depth} deep" for depth in (400, 900, 990, 1_950, 5_000)),
        "objects nested 5000 deep",
        "nested deep",
        "half a character",
        "not UTF-8",
        "null",
        "out of range",
    ],
)
def test_a_hostile_order_is_in_the_quarantine_byte_for_byte_and_delays_no_other(
    hostile: bytes, poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = [json.dumps(small_order(one)).encode() for one in ("a", "b")]
    serve(
        app,
        monkeypatch,
        b'{"nextCursor": null, "orders": [' + b",".join([good[0], hostile, good[1]]) + b"]}",
    )
    result = poll()
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    assert sorted(stack.order_ids()) == ["a", "b"]
    assert list(stack.objects("QuarantineBucket").values()) == [hostile]
    assert poll()["quarantined"] == 0
    assert "lease_until" not in poll_item(stack)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("opening", ["[", '{"x":'], ids=["lists", "objects"])
@pytest.mark.parametrize("depth", [100, 300, 900, 990, 1_950, 5_000, 50_000])
def test_an_order_with_a_deep_field_that_nobody_reads_is_recorded_or_kept_as_it_came(
    depth: int,
    opening: str,
    *,
    poll: Poll,
    app: ModuleType,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closing = "]" if opening == "[" else "}"
    deep = opening * depth + "1" + closing * depth
    orders = [json.dumps(small_order(one)) for one in ("a", "b", "c")]
    orders[1] = orders[1][:-1] + f', "surprise": {deep}}}'
    serve(app, monkeypatch, f'{{"nextCursor": null, "orders": [{",".join(orders)}]}}'.encode())
    result = poll()
    assert result["outcome"] == "complete"
    kept = stack.objects("QuarantineBucket")
    assert sorted(stack.order_ids()) == (["a", "c"] if kept else ["a", "b", "c"])
    assert list(kept.values()) in ([], [orders[1].encode()])
    assert result["quarantined"] == len(kept)
    assert kept or depth <= 900
    assert "lease_until" not in poll_item(stack)
    assert poll()["quarantined"] == 0


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("code", "outcome", "quarantined"),
    [
        ("ValidationException", "complete", 1),
        ("ProvisionedThroughputExceededException", "failed", 0),
        ("ThrottlingException", "failed", 0),
        ("InternalServerError", "failed", 0),
        ("AccessDeniedException", "failed", 0),
        ("ResourceNotFoundException", "failed", 0),
    ],
)
def test_an_item_that_dynamodb_refuses_is_kept_and_an_outage_fails_the_poll(
    code: str,
    outcome: str,
    quarantined: int,
    *,
    poll: Poll,
    app: ModuleType,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = [small_order(one) for one in ("a", "b", "c")]
    serve(app, monkeypatch, json.dumps({"orders": orders, "nextCursor": None}).encode())
    write = OrdersTable.write

    def refuse(self: Any, tracked: Any, **more: Any) -> None:
        if tracked.order.key.order_id == "b":
            said = {"Error": {"Code": code, "Message": "a secret"}}
            raise ClientError(said, "PutItem")  # type: ignore[arg-type]
        write(self, tracked, **more)

    monkeypatch.setattr(OrdersTable, "write", refuse)
    result = poll()
    assert (result["outcome"], result["quarantined"]) == (outcome, quarantined)
    assert "secret" not in json.dumps(result)
    item = poll_item(stack)
    assert "lease_until" not in item
    assert item["failures"] == (outcome == "failed")
    assert ("poll_cursor" in item) is (outcome == "complete")
    if outcome == "failed":
        assert code in item["last_error"]
    monkeypatch.setattr(OrdersTable, "write", write)
    assert poll()["outcome"] == "complete"
    assert sorted(stack.order_ids()) == (["a", "b", "c"] if outcome == "failed" else ["a", "c"])
