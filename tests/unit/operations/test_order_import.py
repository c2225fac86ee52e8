"""Rows of a table as orders: each is judged by itself, and taken in once."""

from typing import Any
from unittest.mock import Mock

import pytest

from milepost.actions.refresh import ActionContext
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.operations.order_import import FIELDS, Imported, ImportOutcome, import_row
from milepost.orders.order import OrderKey
from milepost.providers.registry import adapter
from tests.builders import NOON, OFFERGRID, RABOT
from tests.fakes.orders import MemoryOrders

ROW = {
    "order_id": "ord-9",
    "item_id": "1",
    "status": "accepted",
    "since": "2026-02-20",
    "customer_name": "Charlotte Nguyen",
    "customer_email": "charlotte.nguyen@example.com",
    "postcode": "10115",
    "city": "Berlin",
    "product": "Fiber 250",
    "reference": "",
}
KEY = OrderKey(OFFERGRID.id, "ord-9", "1")
ALSO = Connection(id="subs", provider="subs", base_url="https://subs.example")


def tools_of(orders: MemoryOrders, connection: Connection = OFFERGRID) -> ActionContext:
    conversation = Mock(connection=connection, provider=adapter(connection.provider))
    return ActionContext(
        conversation=conversation,
        orders=orders,
        plans=Mock(),
        clock=lambda: NOON,
        pause=lambda _: None,
    )


def taken(orders: MemoryOrders, row: dict[str, Any], **changed: Any) -> Imported:
    asked: dict[str, Any] = {"announce": False, "dry_run": False} | changed
    return import_row(row, tools=tools_of(orders), **asked)


def test_a_row_is_an_order_with_its_facts_and_nobody_is_notified() -> None:
    orders = MemoryOrders()
    done = taken(orders, ROW)
    assert done == Imported(outcome=ImportOutcome.NEW, order=KEY.path_id)
    kept = orders.kept[KEY]
    assert kept.order.status is Status.ACCEPTED
    assert kept.order.details["customer"]["name"] == "Charlotte Nguyen"
    assert kept.order.details["address"] == {"postcode": "10115", "city": "Berlin"}
    assert kept.announced == ()
    # A day begins where the connection is.
    assert kept.order.since.isoformat().startswith(("2026-02-19", "2026-02-20T00"))


def test_people_are_notified_if_that_is_asked_for() -> None:
    orders = MemoryOrders()
    taken(orders, {**ROW, "since": NOON.isoformat()}, announce=True)
    assert [one.kind for one in orders.kept[KEY].announced] == ["accepted"]


def test_the_same_row_again_changes_nothing_and_another_changes_the_order() -> None:
    orders = MemoryOrders()
    taken(orders, ROW)
    assert taken(orders, ROW).outcome is ImportOutcome.UNCHANGED
    later = {**ROW, "status": "completed", "since": "2026-02-25T10:00:00Z"}
    assert taken(orders, later).outcome is ImportOutcome.CHANGED
    assert orders.kept[KEY].order.status is Status.COMPLETED
    assert taken(orders, ROW).outcome is ImportOutcome.UNCHANGED
    assert orders.kept[KEY].order.status is Status.COMPLETED


def test_a_dry_run_says_the_same_and_keeps_nothing() -> None:
    orders = MemoryOrders()
    assert taken(orders, ROW, dry_run=True).outcome is ImportOutcome.NEW
    assert orders.kept == {}
    taken(orders, ROW)
    assert taken(orders, ROW, dry_run=True).outcome is ImportOutcome.UNCHANGED


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"order_id": " "}, "order_id: missing"),
        ({"order_id": "a" * 3000}, "longer than"),
        ({"item_id": None}, "item_id: missing"),
        ({"status": None}, "status: missing"),
        ({"status": "sold"}, "status: neither a word of offergrid nor one of pending"),
        ({"status": "unknown"}, "status: neither"),
        ({"since": None}, "since: missing"),
        ({"since": "20.02.2026"}, "since: not a time"),
        ({"since": "2026-13-01"}, "since: not a time"),
        ({"since": "1999-01-01"}, "since: "),
        ({"since": "2030-01-01"}, "since: dated more than 5 minutes ahead"),
        ({"customer_email": "charlotte"}, "customer_email: no email address"),
        ({"appointment": "soon"}, "appointment: not a time"),
        ({"reference": "a\x00b"}, "reference: has a control character"),
        ({"nope": "1"}, "there is no column 'nope'"),
        ({"city": ["Berlin"]}, "city: no text"),
    ],
)
def test_a_row_that_cannot_be_read_says_why_and_keeps_nothing(
    changed: dict[str, Any], why: str
) -> None:
    orders = MemoryOrders()
    done = taken(orders, {**ROW, **changed})
    assert done.outcome is ImportOutcome.REFUSED
    assert why in str(done.why)
    assert "charlotte" not in str(done.why).casefold()
    assert orders.kept == {}


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("Kim"), ValueError("Kim")])
def test_a_stored_order_that_cannot_be_read_fails_its_own_row_alone(error: Exception) -> None:
    orders = Mock(read=Mock(side_effect=error))
    done = taken(orders, ROW)
    assert (done.outcome, done.order) == (ImportOutcome.FAILED, KEY.path_id)
    assert done.why == f"the stored order can't be read or changed: {type(error).__name__}"


@pytest.mark.parametrize("connection", [RABOT, ALSO], ids=lambda one: str(one.provider))
def test_an_imported_order_without_items_is_the_one_that_a_poll_finds(
    connection: Connection,
) -> None:
    orders = MemoryOrders()
    row = {name: value for name, value in ROW.items() if name != "item_id"}
    tools = tools_of(orders, connection)
    for one in (row, {**row, "item_id": "ord-9"}):
        import_row(one, tools=tools, announce=False, dry_run=False)
    assert list(orders.kept) == [OrderKey(connection.id, "ord-9", "ord-9")]
    refused = import_row({**row, "item_id": "1"}, tools=tools, announce=False, dry_run=False)
    assert refused.why == "item_id: this provider's orders have no items: leave it out"
    assert len(orders.kept) == 1


def test_an_order_without_items_has_one_of_its_own_name_and_the_providers_words_count() -> None:
    orders = MemoryOrders()
    row = {"order_id": 4711, "status": "Contract  generated", "since": "2026-02-20T10:00:00Z"}
    done = import_row(row, tools=tools_of(orders, ALSO), announce=False, dry_run=False)
    assert done.order == "subs:4711:4711"
    [kept] = orders.kept.values()
    assert kept.order.raw_status == "Contract  generated"
    assert kept.order.status is not Status.UNKNOWN


def test_every_field_can_be_read() -> None:
    orders = MemoryOrders()
    values = dict.fromkeys(FIELDS, "x") | ROW
    values |= {"appointment": "2026-03-20", "ordered_at": "2026-02-01T09:30:00+01:00"}
    assert taken(orders, values).outcome is ImportOutcome.NEW
    details = orders.kept[KEY].order.details
    assert details["appointment"] == "2026-03-20"
    assert details["ordered_at"] == "2026-02-01T08:30:00Z"
    assert details["charge_box"] == {"serial_number": "x", "model": "x"}
