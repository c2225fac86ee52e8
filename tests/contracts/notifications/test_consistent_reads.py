"""Where something is concluded from what isn't there, or is counted up from what is, the read is a
consistent one. No engine here ever answers with an older version, so the parameter is looked at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.connections.aws.activity import ContactsTable
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.idempotency import RequestsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.claims import Batch
from milepost.notifications.endpoints.aws.endpoints import EndpointsTable
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.operations.erasure.aws.table import ErasuresTable
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.orders.aws.table import OrdersReader, is_erased
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.search import SearchTable
from tests.builders import KEY, NOON, minute, notice, report

TABLE = "AnyTable"


@dataclass
class Asked:
    """A table in which nothing is, and whether each of its reads was a consistent one."""

    consistent: list[bool] = field(default_factory=list)

    def get_item(self, **request: Any) -> Any:
        self.consistent.append(request.get("ConsistentRead", False))
        return {}

    def query(self, **request: Any) -> Any:
        self.consistent.append(request.get("ConsistentRead", False))
        return {"Items": [], "Count": 0}

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 - as botocore has it
        self.consistent += [one.get("ConsistentRead", False) for one in RequestItems.values()]
        return {"Responses": {name: [] for name in RequestItems}}

    def get_paginator(self, _name: str) -> "Asked":
        return self

    def paginate(self, **request: Any) -> Iterator[Any]:
        return iter([self.query(**request)])


BATCH = Batch.of(notice(), due_at=minute(60))
READS: dict[str, Callable[[Any], Any]] = {
    "whether a notice still waits": lambda c: NoticesTable(c, table_name=TABLE).waiting([notice()]),
    "what is held": lambda c: HoldsTable(c, table_name=TABLE).held(BATCH),
    "whether an order was erased": lambda c: is_erased(c, KEY, table_name=TABLE),
    "what others recorded": lambda c: TouchedTable(c, table_name=TABLE).since("c", NOON),
    "an endpoint": lambda c: EndpointsTable(c, table_name=TABLE).get("crm"),
    "a subscription": lambda c: SubscriptionsTable(c, table_name=TABLE).get("crm"),
    "a connection's polls": lambda c: ContactsTable(c, table_name=TABLE).get("c"),
    "what a key was used for": lambda c: RequestsTable(c, table_name=TABLE).contents("a", "k"),
    "what a mail told of": lambda c: MailsTable(c, table_name=TABLE).find("m"),
    "an erasure": lambda c: ErasuresTable(c, table_name=TABLE).recall("c"),
    "a customer's orders": lambda c: SearchTable(c, table_name=TABLE).orders_of_customer("c"),
    "what is counted of an order": lambda c: FiguresTable(c, table_name=TABLE).counted([KEY]),
    "whether a customer was erased": lambda c: ErasedCustomers(
        c, table_name=TABLE, orders_table=TABLE
    ).cover(report(Status.ACCEPTED)),
}


@pytest.mark.parametrize("what", READS)
def test_it_is_read_consistently(what: str) -> None:
    asked = Asked()
    READS[what](asked)
    assert asked.consistent
    assert all(asked.consistent)


def test_an_order_is_read_for_half_the_price_since_its_write_checks() -> None:
    asked = Asked()
    OrdersReader(asked, table_name=TABLE).read(KEY)
    assert asked.consistent == [False]


def test_a_batch_of_which_not_all_was_read_is_read_to_its_end() -> None:
    one, other = notice(), notice(recipient="ops@example.org")
    asked: list[list[Any]] = []

    class Slow(Asked):
        def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            ((table, wanted),) = RequestItems.items()
            first, *rest = wanted["Keys"]
            asked.append(wanted["Keys"])
            unprocessed = {table: {"Keys": rest}} if rest else {}
            item = {**first, **to_item({"state": "queued"})}
            return {"Responses": {table: [item]}, "UnprocessedKeys": unprocessed}

    assert NoticesTable(Slow(), table_name=TABLE).waiting([one, other]) == [one, other]
    assert [len(keys) for keys in asked] == [2, 1]


def test_a_batch_of_which_not_all_was_removed_is_removed_to_its_end() -> None:
    asked: list[int] = []

    class Slow:
        def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            ((table, wanted),) = RequestItems.items()
            asked.append(len(wanted))
            return {"UnprocessedItems": {table: wanted[1:]} if wanted[1:] else {}}

    many = [notice(copy=copy) for copy in range(3)]
    HoldsTable(Slow(), table_name=TABLE).let_go(BATCH, many)
    assert asked == [3, 2, 1]
