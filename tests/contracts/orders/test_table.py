"""What keeps orders: one suite for the table on every engine, and for the fake."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status
from milepost.orders.aws.index_keys import BY_STATUS, partition_of
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import OrdersTable, announced_by
from milepost.orders.lifecycle import fold
from milepost.orders.order import Kind, OrderKey, Overdue, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import LostRace, OrderStore, record
from milepost.orders.report import Report, Source
from milepost.orders.timeline import TIMELINE_CAP
from milepost.providers.registry import adapter
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    RABOT,
    RULES,
    announcement,
    minute,
    offergrid_order,
    rabot_order,
    report,
    tracked,
)
from tests.contracts.conftest import SERVERS, make_table, open_engine
from tests.fakes.orders import MemoryOrders

TABLE = "OrdersTable"


@pytest.fixture
def stored(dynamodb: Any, table: str) -> OrdersTable:
    return OrdersTable(dynamodb, table_name=table, connection=OFFERGRID)


@pytest.fixture
def orders(place: Any) -> OrderStore:
    if place.is_memory:
        return MemoryOrders()
    return OrdersTable(place.client, table_name=place.table, connection=OFFERGRID)


@pytest.fixture(params=SERVERS)
def shared(request: pytest.FixtureRequest) -> Iterator[OrdersTable]:
    """A table for many threads; moto holds no lock over a conditional write, so not there."""
    with open_engine(request.param, request) as client:
        yield OrdersTable(client, table_name=make_table(request, client), connection=OFFERGRID)


def item_of(dynamodb: Any, table: str, key: OrderKey = KEY) -> dict[str, Any]:
    answer = dynamodb.get_item(TableName=table, Key=to_item(item_key(key)), ConsistentRead=True)
    return from_item(answer["Item"])


def next_of(one: TrackedOrder, *more: Report) -> TrackedOrder:
    reports = [*(entry.report for entry in one.order.timeline), *more]
    return replace(one, order=fold(reports, RULES), version=one.version + 1)


def test_an_order_that_nobody_wrote_is_not_there(orders: OrderStore) -> None:
    assert orders.read(KEY) is None


def test_an_order_is_read_as_it_was_written(orders: OrderStore) -> None:
    one = tracked(
        report(Status.ACCEPTED, 0, customer={"name": "Zoë"}, reference="PP-1"),
        report(None, 1, raw="on_hold"),
        report(
            Status.SCHEDULED,
            2.5,
            appointment="2026-03-12T02:00:00Z",
            commission={"amount": Decimal("75.50"), "currency": "AUD"},
            notes=[{"kind": "other", "text": "\U0001f600 \n \x00"}],
        ),
        announced=(announcement(Kind.ACCEPTED), announcement(Kind.SCHEDULED, 2, correction=True)),
    )
    orders.write(one, new=one.announced)
    assert orders.read(KEY) == one


def test_a_long_timeline_and_its_summary_are_read_as_they_were_written(orders: OrderStore) -> None:
    reports = [report(Status.ACCEPTED, at, account_number=f"AC-{at}") for at in range(130)]
    one = tracked(*reports)
    assert one.order.summary is not None
    assert len(one.order.timeline) <= TIMELINE_CAP
    orders.write(one, new=())
    assert orders.read(KEY) == one


@pytest.mark.parametrize("count", [4, 130])
def test_waits_and_acknowledgements_are_read_as_they_were_written(
    orders: OrderStore, count: int
) -> None:
    rules = Rules(waits=lambda _, details: details.get("account_number"))
    said = [report(Status.ACCEPTED, at / 7, account_number=f"AC-{at}") for at in range(count)]
    acknowledged = report(
        None, 0.01, source=Source.PERSON, action_key="k", acknowledged=["overdue#0a1b2c3d"]
    )
    one = tracked(*said, acknowledged, rules=rules)
    assert one.order.waiting is not None
    assert one.order.waited
    orders.write(one, new=())
    assert orders.read(KEY) == one


@pytest.mark.parametrize("escalated_at", [None, minute(9000)])
@pytest.mark.parametrize("acknowledged", [False, True])
def test_an_overdue_mark_is_read_as_it_was_written(
    orders: OrderStore, escalated_at: Any, acknowledged: bool
) -> None:
    mark = Overdue(
        status=Status.ACCEPTED,
        since=minute(0),
        deadline=minute(4320),
        allowed="3 days",
        marked_at=minute(4321.5),
        escalated_at=escalated_at,
    )
    seen_to = [mark.reason.id] if acknowledged else []
    person = report(None, 1, source=Source.PERSON, action_key="k", acknowledged=seen_to)
    one = replace(tracked(report(Status.ACCEPTED), person), overdue=mark)
    orders.write(one, new=())
    assert orders.read(KEY) == one


def test_a_mark_that_met_another_writer_loses_the_race(orders: OrderStore) -> None:
    first = tracked(report(Status.ACCEPTED))
    orders.write(first, new=())
    mark = Overdue(
        status=Status.ACCEPTED,
        since=minute(0),
        deadline=minute(4320),
        allowed="3 days",
        marked_at=minute(4321),
    )
    winner = next_of(first, report(Status.SCHEDULED, 5))
    orders.write(winner, new=())
    with pytest.raises(LostRace) as race:
        orders.write(replace(first, version=2, overdue=mark), new=())
    assert race.value.winner == winner


def test_a_tombstone_is_read_as_it_was_written(orders: OrderStore) -> None:
    one = replace(tracked(report(Status.ACCEPTED)), erased_at=minute(60))
    orders.write(one, new=())
    assert orders.read(KEY) == one


def test_the_next_version_takes_the_place_of_the_one_before(orders: OrderStore) -> None:
    first = tracked(report(Status.ACCEPTED, 0))
    orders.write(first, new=())
    second = next_of(first, report(Status.SCHEDULED, 5))
    orders.write(second, new=())
    assert orders.read(KEY) == second


def test_who_creates_an_order_second_sees_the_winner(orders: OrderStore) -> None:
    winner, loser = tracked(report(Status.ACCEPTED, 0)), tracked(report(Status.PENDING, 0))
    orders.write(winner, new=())
    with pytest.raises(LostRace) as race:
        orders.write(loser, new=())
    assert race.value.winner == winner
    assert orders.read(KEY) == winner


def test_who_writes_second_sees_the_winner(orders: OrderStore) -> None:
    first = tracked(report(Status.PENDING, 0))
    orders.write(first, new=())
    winner = next_of(first, report(Status.ACCEPTED, 5))
    loser = next_of(first, report(Status.SCHEDULED, 6))
    orders.write(winner, new=())
    with pytest.raises(LostRace) as race:
        orders.write(loser, new=())
    assert race.value.winner == winner


def test_a_write_whose_answer_was_lost_is_no_lost_race(orders: OrderStore) -> None:
    one = tracked(report(Status.ACCEPTED, 0), announced=(announcement(),))
    orders.write(one, new=one.announced)
    orders.write(one, new=one.announced)
    second = next_of(one, report(Status.SCHEDULED, 5))
    orders.write(second, new=())
    orders.write(second, new=())
    assert orders.read(KEY) == second


def test_items_of_one_order_are_kept_apart(orders: OrderStore) -> None:
    other = OrderKey(KEY.connection, KEY.order_id, "item-7c1e20-2")
    orders.write(tracked(report(Status.ACCEPTED)), new=())
    orders.write(tracked(report(Status.REJECTED, key=other)), new=())
    first, second = orders.read(KEY), orders.read(other)
    assert first is not None
    assert second is not None
    assert (first.order.status, second.order.status) == (Status.ACCEPTED, Status.REJECTED)


def test_many_workers_on_one_order_lose_no_report(shared: OrdersTable) -> None:
    reports = [report(Status.ACCEPTED, at, account_number=f"AC-{at}") for at in range(6)]
    with ThreadPoolExecutor(6) as pool:
        done = list(
            pool.map(lambda one: record(one, orders=shared, rules=RULES, now=NOON), reports)
        )
    kept = shared.read(KEY)
    assert kept is not None
    assert kept.version == 6
    assert {entry.report.id for entry in kept.order.timeline} == {one.id for one in reports}
    assert [one.kind for each in done for one in each.announced] == [Kind.ACCEPTED]


def test_fifty_deliveries_of_one_event_at_once_make_one_version(shared: OrdersTable) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(
                lambda at: record(
                    report(Status.ACCEPTED, 0, seen=at), orders=shared, rules=RULES, now=NOON
                ),
                range(50),
            )
        )
    kept = shared.read(KEY)
    assert kept is not None
    assert kept.version == 1
    assert sum(len(each.announced) for each in done) == 1


def test_only_a_write_that_announces_carries_the_attribute(
    stored: OrdersTable, dynamodb: Any, table: str
) -> None:
    one = tracked(report(Status.ACCEPTED, 0, reference="PP-1"), announced=(announcement(),))
    stored.write(one, new=one.announced)
    announced = announced_by(item_of(dynamodb, table))
    assert [each.announcement for each in announced] == [announcement()]
    assert announced[0].details["reference"] == "PP-1"
    stored.write(next_of(one, report(Status.ACCEPTED, 5)), new=())
    assert "announce" not in item_of(dynamodb, table)
    assert announced_by(item_of(dynamodb, table)) == []


def test_the_index_finds_orders_of_a_status_by_their_next_date(
    stored: OrdersTable, dynamodb: Any, table: str
) -> None:
    keys = [OrderKey(KEY.connection, f"ord-{number}", "item-1") for number in range(12)]
    for day, key in enumerate(keys, start=10):
        appointment = f"2026-03-{day}T02:00:00Z"
        stored.write(tracked(report(Status.SCHEDULED, key=key, appointment=appointment)), new=())
    answer = dynamodb.query(
        TableName=table,
        IndexName=BY_STATUS,
        KeyConditionExpression="status_shard = :shard AND next_date < :until",
        ExpressionAttributeValues=to_item(
            {
                ":shard": partition_of(Status.SCHEDULED, keys[0]),
                ":until": "2026-03-19T00:00:00Z",
            }
        ),
    )
    found = [from_item(item) for item in answer["Items"]]
    assert [item["order_id"] for item in found] == [key.order_id for key in keys[:9]]
    assert all(item["next_date"] == item["appointment"] for item in found)


@pytest.mark.parametrize("connection", [OFFERGRID, RABOT], ids=lambda one: one.id)
def test_what_a_poll_reads_fits_the_table(connection: Any, dynamodb: Any, table: str) -> None:
    provider = adapter(connection.provider)
    order = rabot_order() if connection is RABOT else offergrid_order()
    orders = OrdersTable(dynamodb, table_name=table, connection=connection)
    for one in provider.read_order(order, connection=connection, requested_at=NOON):
        record(one, orders=orders, rules=provider.rules, now=NOON)
        kept = orders.read(OrderKey.of(one))
        assert kept is not None
        assert [entry.report for entry in kept.order.timeline] == [one]
