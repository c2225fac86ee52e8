"""The delivery log that tests of `milepost notices` fill and read."""

import json
from typing import Any

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.recipients import Choice
from milepost.orders.aws.table import order_item
from milepost.orders.order import Kind
from tests.builders import OFFERGRID, announcement, minute, notice, report, tracked
from tests.stack import aws
from tests.unit.cli.conftest import Deployed

TEAM = notice(Kind.ACCEPTED)
CUSTOMER = notice(
    Kind.ACCEPTED, recipient="charlotte.nguyen@example.com", audience=Audience.CUSTOMER
)
OFF = f"customer notices of kind accepted are off for {OFFERGRID.id}"


def enter(log: NoticesTable, one: Notice, skipped: str | None = None) -> None:
    log.enter(Choice(notice=one, skipped=skipped), at=minute(1))


def keep_order(deployed: Deployed) -> None:
    order = tracked(report(Status.ACCEPTED), announced=(announcement(Kind.ACCEPTED),), version=1)
    item = order_item(order, connection=OFFERGRID, new=())
    aws("dynamodb").put_item(TableName=deployed.stack.resources["OrdersTable"], Item=to_item(item))


def one_line(text: str) -> str:
    return " ".join(text.split())


def listed(deployed: Deployed, *arguments: str) -> list[dict[str, Any]]:
    result = deployed.run("notices", "list", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found
