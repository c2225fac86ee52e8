"""Tombstones in OrdersTable: one conditional write, in no list, for who comes later to find."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.operations.erasure.aws.orders import ErasableOrders
from milepost.orders.aws.index_keys import BY_STATUS, partition_of
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import TrackedOrder
from milepost.orders.recording import LostRace, RecordOutcome, record
from milepost.orders.tombstones import tombstone_of
from tests.builders import KEY, NOON, OFFERGRID, RULES, minute, report

TABLE = "OrdersTable"
CUSTOMER = {"name": "Charlotte Nguyen", "email": "charlotte.nguyen@example.com"}


@pytest.fixture
def orders(dynamodb: Any, table: str) -> OrdersTable:
    return OrdersTable(dynamodb, table_name=table, connection=OFFERGRID)


@pytest.fixture
def erasable(dynamodb: Any, table: str) -> ErasableOrders:
    return ErasableOrders(dynamodb, table_name=table)


def take_in(orders: OrdersTable, status: Status, at: float = 0) -> RecordOutcome:
    said = report(status, at, customer=CUSTOMER, service_type="internet")
    return record(said, orders=orders, rules=RULES, now=minute(at + 1)).outcome


def read(orders: OrdersTable) -> TrackedOrder:
    found = orders.read(KEY)
    assert found is not None
    return found


def test_a_tombstone_is_read_as_it_was_written_and_stands_in_no_list(
    dynamodb: Any, table: str, orders: OrdersTable, erasable: ErasableOrders
) -> None:
    take_in(orders, Status.ACCEPTED)
    tombstone = tombstone_of(read(orders), at=NOON)
    erasable.write_tombstone(tombstone)
    assert read(orders) == tombstone
    listed = dynamodb.query(
        TableName=table,
        IndexName=BY_STATUS,
        KeyConditionExpression="status_shard = :shard",
        ExpressionAttributeValues={":shard": {"S": partition_of(Status.ACCEPTED, KEY)}},
    )
    assert listed["Items"] == []


def test_who_wrote_meanwhile_is_not_buried_unseen(
    orders: OrdersTable, erasable: ErasableOrders
) -> None:
    take_in(orders, Status.SUBMITTED)
    tombstone = tombstone_of(read(orders), at=NOON)
    take_in(orders, Status.ACCEPTED, at=5)
    with pytest.raises(LostRace) as race:
        erasable.write_tombstone(tombstone)
    assert race.value.winner == read(orders)
    assert read(orders).erased_at is None


def test_an_answer_that_was_lost_is_no_lost_race(
    orders: OrdersTable, erasable: ErasableOrders
) -> None:
    take_in(orders, Status.ACCEPTED)
    tombstone = tombstone_of(read(orders), at=NOON)
    for _ in range(2):
        erasable.write_tombstone(tombstone)
    assert read(orders) == tombstone


def test_what_comes_late_changes_nothing(orders: OrdersTable, erasable: ErasableOrders) -> None:
    take_in(orders, Status.ACCEPTED)
    erasable.write_tombstone(tombstone_of(read(orders), at=NOON))
    before = read(orders)
    assert take_in(orders, Status.COMPLETED, at=90) is RecordOutcome.ERASED
    assert read(orders) == replace(before)
