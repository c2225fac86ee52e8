"""Orders that are read ahead by one call: what isn't known of them is read by itself."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.prefetch import ReadAhead
from milepost.orders.aws.table import OrdersTable, order_item
from milepost.orders.order import OrderKey
from milepost.orders.recording import OrderStore
from tests.builders import KEY, OFFERGRID, report, tracked

TABLE = "OrdersTable"
KEYS = [replace(KEY, item_id=f"item-{number}") for number in range(6)]


class Counted:
    """A client that counts its reads, and leaves some keys for later."""

    def __init__(self, client: Any, *, most: int = 100) -> None:
        self._client = client
        self._most = most
        self.reads: list[str] = []

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 - boto3's name
        self.reads.append("BatchGetItem")
        ((table, asked),) = RequestItems.items()
        now, later = asked["Keys"][: self._most], asked["Keys"][self._most :]
        answer = self._client.batch_get_item(RequestItems={table: {"Keys": now}})
        return {**answer, "UnprocessedKeys": {table: {"Keys": later}} if later else {}}

    def get_item(self, **request: Any) -> Any:
        self.reads.append("GetItem")
        return self._client.get_item(**request)

    def put_item(self, **request: Any) -> Any:
        return self._client.put_item(**request)


def put(dynamodb: Any, table: str, *keys: OrderKey) -> None:
    for key in keys:
        order = replace(tracked(report(Status.ACCEPTED, key=key)), version=1)
        item = order_item(order, connection=OFFERGRID, new=())
        dynamodb.put_item(TableName=table, Item=to_item(item))


def ahead_of(client: Any, table: str) -> tuple[ReadAhead, OrderStore]:
    ahead = ReadAhead(client, table_name=table)
    return ahead, ahead.of(OrdersTable(client, table_name=table, connection=OFFERGRID))


def found(orders: OrderStore, *keys: OrderKey) -> list[OrderKey]:
    return [one.order.key for one in map(orders.read, keys) if one]


def test_orders_are_read_by_one_call_also_that_there_is_none(dynamodb: Any, table: str) -> None:
    put(dynamodb, table, *KEYS[:2])
    client = Counted(dynamodb)
    ahead, orders = ahead_of(client, table)
    ahead.read(KEYS[:3])
    assert found(orders, *KEYS[:3]) == KEYS[:2]
    assert client.reads == ["BatchGetItem"]


def test_what_the_call_left_for_later_is_read_by_itself(dynamodb: Any, table: str) -> None:
    put(dynamodb, table, *KEYS[:4])
    client = Counted(dynamodb, most=3)
    ahead, orders = ahead_of(client, table)
    ahead.read(KEYS[:4])
    assert found(orders, *KEYS[:4]) == KEYS[:4]
    assert client.reads == ["BatchGetItem", "GetItem"]


def test_the_next_orders_take_the_place_of_the_last_ones(dynamodb: Any, table: str) -> None:
    client = Counted(dynamodb)
    ahead, orders = ahead_of(client, table)
    ahead.read(KEYS[:2])
    put(dynamodb, table, *KEYS[:4])
    ahead.read(KEYS[2:4])
    assert found(orders, *KEYS[:4]) == KEYS[:4]
    ahead.read(KEYS[4:5])
    assert found(orders, *KEYS[2:4]) == KEYS[2:4]
    assert client.reads.count("GetItem") == 4


def test_an_order_that_was_written_is_known_as_it_was_written(dynamodb: Any, table: str) -> None:
    client = Counted(dynamodb)
    ahead, orders = ahead_of(client, table)
    ahead.read(KEYS[:2])
    written = replace(tracked(report(Status.ACCEPTED, key=KEYS[0])), version=1)
    orders.write(written, new=())
    assert orders.read(KEYS[0]) == written
    assert client.reads == ["BatchGetItem"]


def test_an_order_that_cannot_be_read_fails_by_itself(dynamodb: Any, table: str) -> None:
    put(dynamodb, table, *KEYS[:3])
    broken = to_item({**item_key(KEYS[1]), "version": 1})
    dynamodb.put_item(TableName=table, Item=broken)
    ahead, orders = ahead_of(Counted(dynamodb), table)
    ahead.read(KEYS[:3])
    assert found(orders, KEYS[0], KEYS[2]) == [KEYS[0], KEYS[2]]
    with pytest.raises(KeyError):
        orders.read(KEYS[1])


def test_a_call_that_fails_leaves_each_order_to_be_read_by_itself(
    dynamodb: Any, table: str
) -> None:
    put(dynamodb, table, *KEYS[:2])
    client = Counted(dynamodb)

    def refuse(**_request: Any) -> Any:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "BatchGetItem")

    ahead, orders = ahead_of(client, table)
    ahead.read(KEYS[:2])
    client.batch_get_item = refuse  # type: ignore[method-assign]
    ahead.expect(KEYS[:2])
    assert found(orders, *KEYS[:2]) == KEYS[:2]
    assert client.reads == ["BatchGetItem", "GetItem", "GetItem"]
    with pytest.raises(ClientError):
        ahead.read(KEYS[:2])
