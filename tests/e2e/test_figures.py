"""On the deployed stack, a change of an order ends in the figures and in the search."""

from datetime import UTC, datetime, timedelta

import pytest

from milepost.aws.figures_table import FiguresTable
from milepost.aws.search_table import SearchTable
from milepost.order import OrderKey
from milepost.report import Status
from tests.e2e.conftest import HOME, Client, status_changed, wait_for

pytestmark = pytest.mark.e2e


def test_stages_are_measured_and_an_order_is_found_by_its_reference(client: Client) -> None:
    dynamodb, resource = client.stack.client("dynamodb"), client.stack.resource_id
    figures = FiguresTable(dynamodb, table_name=resource("FiguresTable"))
    search = SearchTable(dynamodb, table_name=resource("SearchTable"))
    # Long ago, where no other test's orders are.
    start, order_id = datetime(2021, 3, 1, 9, 0, tzinfo=UTC), client.new_id()
    for hours, status in ((0, "pending"), (2, "accepted"), (5, "cancelled")):
        at = start + timedelta(hours=hours)
        client.send(HOME, status_changed(order_id, status, at=at))
        client.wait_for_status(HOME, order_id, "item-1", status)

    def measured() -> dict[Status, float]:
        found = figures.stages([HOME], months=["2021-03"])
        return {one.stage: one.mean / 3600 for one in found}

    expected = {Status.PENDING: 2, Status.ACCEPTED: 3}
    wait_for(lambda: measured() == expected, what="its stages", show=measured)
    assert figures.counts([HOME])[HOME][Status.CANCELLED] >= 1
    created = client.steer(HOME, "orders", {"reference": f"E2E {order_id}", "items": [{}]})
    client.poll(HOME)
    item_id = created["items"][0]["itemId"]
    key = OrderKey(HOME, created["orderId"], item_id)
    wait_for(
        lambda: search.find_by_reference(order_id.upper(), connections=[HOME]) == [key],
        what=f"{key} to be found",
    )
