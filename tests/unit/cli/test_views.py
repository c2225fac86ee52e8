"""``milepost views``, and a list of orders by one."""

import json

from milepost.common.status import Status
from milepost.orders.order import OrderKey
from tests.builders import OFFERGRID, report
from tests.unit.cli.conftest import Deployed


def test_a_saved_view_filters_the_list(deployed: Deployed) -> None:
    deployed.keep(
        report(Status.ACCEPTED, key=OrderKey(OFFERGRID.id, "o-1", "i")),
        report(Status.REJECTED, key=OrderKey(OFFERGRID.id, "o-2", "i")),
    )
    saved = deployed.run("views", "save", "bad", "--name", "Came to nothing", "status=rejected")
    assert saved.exit_code == 0, saved.output
    listed = deployed.run("orders", "list", "--view", "came to nothing", "--json")
    assert [one["order_id"] for one in json.loads(listed.stdout)["orders"]] == ["o-2"]
    beside = deployed.run("orders", "list", "--view", "bad", "--status", "accepted", "--json")
    assert [one["order_id"] for one in json.loads(beside.stdout)["orders"]] == ["o-1"]
    assert "bad" in deployed.run("views", "list").stdout
    assert deployed.run("views", "delete", "bad").exit_code == 2
    assert deployed.run("views", "delete", "bad", "--yes").exit_code == 0
    unknown = deployed.run("orders", "list", "--view", "bad")
    assert unknown.exit_code == 2
    assert "there are: this-week" in unknown.output
