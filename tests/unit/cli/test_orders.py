"""milepost orders show: an order item by item, and what the items come to together."""

import json

import pytest

from milepost.aws.orders_table import OrdersTable
from milepost.lifecycle import Rules
from milepost.recording import record
from milepost.report import Report, Source, Status
from tests.builders import OFFERGRID, minute
from tests.stack import aws
from tests.unit.cli.conftest import Deployed


@pytest.fixture(autouse=True)
def _two_items(deployed: Deployed) -> None:
    table = OrdersTable(
        aws("dynamodb"), table_name=deployed.stack.resources["OrdersTable"], connection=OFFERGRID
    )
    for item_id, status in (("item-1", Status.ACCEPTED), ("item-2", Status.REJECTED)):
        report = Report(
            connection=OFFERGRID.id,
            order_id="ord-1",
            item_id=item_id,
            status=status,
            raw_status=str(status),
            occurred_at=minute(1),
            seen_at=minute(2),
            source=Source.WEBHOOK,
            details={"reference": "PP-1"},
        )
        record(report, orders=table, rules=Rules(), now=minute(2))


def test_the_items_of_an_order_come_with_what_they_are_together(deployed: Deployed) -> None:
    shown = deployed.run("orders", "show", "ord-1", "--connection", OFFERGRID.id, "--json")
    assert shown.exit_code == 0, shown.output
    group = json.loads(shown.stdout)
    assert group["group"]["code"] == "partly_rejected"
    assert [item["status"] for item in group["items"]] == ["accepted", "rejected"]
    assert group["items"][0]["timeline"][0]["effect"] == "moved"
    assert group["items"][0]["details"] == {"reference": "PP-1"}


def test_people_read_the_summary_first(deployed: Deployed) -> None:
    shown = deployed.run("orders", "show", "ord-1", "--connection", OFFERGRID.id)
    assert shown.stdout.startswith("2 items: 1 accepted, 1 rejected")
    assert "accepted  (moved, by webhook)" in shown.stdout


def test_an_order_that_is_not_there_is_said_and_is_no_success(deployed: Deployed) -> None:
    shown = deployed.run("orders", "show", "ord-9", "--connection", OFFERGRID.id)
    assert shown.exit_code == 1
    assert "has no order ord-9" in shown.output
