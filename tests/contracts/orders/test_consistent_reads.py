"""Orders of many notices, read so that what isn't found isn't there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import to_item
from milepost.common.errors import OrdersUnavailable
from milepost.common.status import Status
from milepost.orders.aws.consistent_reads import ConsistentOrders
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import order_item
from milepost.orders.order import OrderKey
from milepost.orders.recording import OrdersRead
from tests.builders import KEY, OFFERGRID, report, tracked

TABLE = "OrdersTable"
KEYS = [replace(KEY, item_id=f"item-{number:03}") for number in range(100)]


def keep(dynamodb: Any, table: str, *keys: OrderKey) -> None:
    for key in keys:
        order = replace(tracked(report(Status.ACCEPTED, key=key)), version=1)
        item = order_item(order, connection=OFFERGRID, new=())
        dynamodb.put_item(TableName=table, Item=to_item(item))


@dataclass
class Asked:
    """A client that notes what it is asked, answers with a part at most, and fails on demand."""

    client: Any
    most: int = 100
    error: str | None = None
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def batch_get_item(self, **request: Mapping[str, Any]) -> Mapping[str, Any]:
        tables = request["RequestItems"]
        self.requests.append(tables)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "BatchGetItem")
        ((table, asked),) = tables.items()
        now, later = asked["Keys"][: self.most], asked["Keys"][self.most :]
        answer = {"Responses": {table: []}}
        if now:
            answer = self.client.batch_get_item(RequestItems={table: {**asked, "Keys": now}})
        unprocessed = {table: {**asked, "Keys": later}} if later else {}
        return {**answer, "UnprocessedKeys": unprocessed}


def orders(asked: Asked, table: str) -> ConsistentOrders:
    return ConsistentOrders(asked, table_name=table, sleep=lambda _seconds: None)


@pytest.mark.thorough
def test_a_hundred_orders_are_found_and_those_that_are_not_there_are_not(
    dynamodb: Any, table: str
) -> None:
    keep(dynamodb, table, *KEYS[::2])
    read = orders(Asked(dynamodb), table).read_all(KEYS)
    assert sorted(read.found) == KEYS[::2]
    assert {key: one.order.key for key, one in read.found.items()} == {k: k for k in KEYS[::2]}
    assert read.unreadable == {}


def test_they_are_read_consistently_also_what_dynamodb_leaves_for_later(
    dynamodb: Any, table: str
) -> None:
    keep(dynamodb, table, *KEYS[:10])
    asked = Asked(dynamodb, most=4)
    assert sorted(orders(asked, table).read_all(KEYS[:10]).found) == KEYS[:10]
    assert len(asked.requests) == 3
    assert all(request[table]["ConsistentRead"] is True for request in asked.requests)


def test_of_no_orders_nothing_is_asked(dynamodb: Any, table: str) -> None:
    asked = Asked(dynamodb)
    assert orders(asked, table).read_all([]) == OrdersRead()
    assert asked.requests == []


def test_while_dynamodb_gives_nothing_nothing_is_concluded(dynamodb: Any, table: str) -> None:
    with pytest.raises(OrdersUnavailable):
        orders(Asked(dynamodb, most=0), table).read_all(KEYS[:2])


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalServerError"])
def test_a_throttled_table_is_unavailable(code: str, dynamodb: Any, table: str) -> None:
    with pytest.raises(OrdersUnavailable):
        orders(Asked(dynamodb, error=code), table).read_all(KEYS[:2])


def test_an_error_of_ours_comes_back_as_it_is(dynamodb: Any, table: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        orders(Asked(dynamodb, error="AccessDeniedException"), table).read_all(KEYS[:2])


@pytest.mark.parametrize(
    "changes",
    [{"status": "of another version"}, {"since": "some day"}, {"timeline": "no list"}],
)
def test_one_that_cannot_be_read_is_named_without_its_content_and_the_others_are_found(
    changes: dict[str, Any], dynamodb: Any, table: str
) -> None:
    keep(dynamodb, table, *KEYS[:3])
    stored = {**item_key(KEYS[1]), "connection": KEY.connection, "order_id": KEY.order_id}
    order = replace(tracked(report(Status.ACCEPTED, key=KEYS[1])), version=1)
    item = {**order_item(order, connection=OFFERGRID, new=()), **stored, **changes}
    dynamodb.put_item(TableName=table, Item=to_item(item))
    read = orders(Asked(dynamodb), table).read_all(KEYS[:3])
    assert sorted(read.found) == [KEYS[0], KEYS[2]]
    assert list(read.unreadable) == [KEYS[1]]
    assert read.unreadable[KEYS[1]].isidentifier()
