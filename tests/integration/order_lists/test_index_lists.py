"""Lists of orders by the index: each order once, in order, and no more read than a page needs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.orders.aws import index_keys
from milepost.orders.aws.index import Misplaced, OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.order import OrderKey
from milepost.orders.summary import Wait
from milepost.queries.aws import index_reading, order_lists
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.list_choices import Due
from milepost.queries.order_list import Wanted
from tests.builders import NOON, OFFERGRID, RABOT, report, tracked
from tests.integration.order_lists.listed import (
    ACCEPTED,
    ALL,
    ZONES,
    RecordingClient,
    ids,
    order,
    pages,
    shown,
)
from tests.stack import Stack, aws


@pytest.mark.thorough
def test_a_list_is_sorted_by_next_date_over_all_shards_and_statuses(
    lists: OrderLists, keep: Callable[..., None]
) -> None:
    statuses = [Status.PENDING, Status.ACCEPTED, Status.IN_PROGRESS]
    orders = [order(n, statuses[n % 3]) for n in range(24)]
    Random(7).shuffle(orders)
    keep(*orders)
    found = shown(pages(lists))
    assert sorted(ids(found)) == sorted(one.order.key.order_id for one in orders)
    assert [one.next_date for one in found] == sorted(one.next_date for one in found)


@pytest.mark.parametrize("limit", [3, 20])
def test_each_order_of_one_second_is_shown_once(
    limit: int, lists: OrderLists, keep: Callable[..., None]
) -> None:
    orders = [order(n, at=0) for n in range(20)]
    keep(*orders)
    found = ids(shown(pages(lists, ACCEPTED, limit=limit)))
    assert sorted(found) == [one.order.key.order_id for one in orders]


@pytest.mark.thorough
def test_orders_that_stay_are_shown_once_while_others_come_and_go(
    lists: OrderLists, keep: Callable[..., None], stack: Stack
) -> None:
    staying = [order(n) for n in range(0, 30, 2)]
    moving = [order(n) for n in range(1, 30, 2)]
    keep(*staying, *moving)
    found: list[str] = []
    for number, page in enumerate(pages(lists, ACCEPTED, limit=5)):
        found += ids(page.orders)
        if page.last and number < len(moving):
            # What the cursor stands on goes, and something else comes in before it and after it.
            aws("dynamodb").delete_item(
                TableName=stack.resources["OrdersTable"],
                Key={
                    "pk": {"S": f"order#{OFFERGRID.id}#{moving[number].order.key.order_id}"},
                    "sk": {"S": "item#item-1"},
                },
            )
            keep(order(1_000 + number, at=number), order(2_000 + number, at=25 + number))
    stayed = [one for one in found if one in {s.order.key.order_id for s in staying}]
    assert stayed == [one.order.key.order_id for one in staying]
    assert len(found) == len(set(found))


def test_open_orders_are_listed_and_closed_ones_only_when_asked_for(
    lists: OrderLists, keep: Callable[..., None]
) -> None:
    keep(order(1), order(2, Status.COMPLETED), order(3, Status.REJECTED))
    assert ids(shown(pages(lists))) == ["ord-0001"]
    closed = Wanted(asked_at=NOON, statuses=(Status.COMPLETED, Status.REJECTED))
    assert ids(shown(pages(lists, closed))) == ["ord-0002", "ord-0003"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"connections": frozenset({RABOT.id})}, ["ord-0002"]),
        (
            {"connections": frozenset({RABOT.id, OFFERGRID.id})},
            ["ord-0001", "ord-0002", "ord-0003"],
        ),
        ({"provider": "offergrid"}, ["ord-0001", "ord-0003"]),
        ({"service_type": "internet"}, ["ord-0001"]),
        ({"attention": "any"}, ["ord-0003"]),
        ({"attention": "unknown_status"}, ["ord-0003"]),
        ({"attention": "overdue"}, []),
        ({"provider": "nobody"}, []),
    ],
)
def test_each_filter_shows_what_it_names(
    filters: dict[str, Any], expected: list[str], lists: OrderLists, keep: Callable[..., None]
) -> None:
    key = OrderKey(OFFERGRID.id, "ord-0003", "item-1")
    odd = [report(Status.ACCEPTED, 3, key=key), report(None, 4, key=key, raw="Quux")]
    keep(order(1, service_type="internet"), order(2, connection=RABOT.id), tracked(*odd))
    assert ids(shown(pages(lists, Wanted(asked_at=NOON, **filters)))) == expected


def test_due_is_read_by_the_orders_dates(lists: OrderLists, keep: Callable[..., None]) -> None:
    appointments = {1: "2026-03-01", 2: "2026-03-04", 3: "2026-03-09", 4: "2026-03-20"}
    keep(*(order(n, Status.SCHEDULED, appointment=day) for n, day in appointments.items()))

    def due(when: Due) -> list[str]:
        return ids(shown(pages(lists, Wanted(asked_at=NOON, due=when))))

    assert due(Due.OVERDUE) == ["ord-0001"]
    assert due(Due.THIS_WEEK) == ["ord-0002"]
    assert due(Due.NEXT_WEEK) == ["ord-0003"]


def test_what_waits_for_its_customer_says_so_and_is_not_overdue_within_its_limit(
    lists: OrderLists, keep: Callable[..., None]
) -> None:
    late, waits = order(1, at=-99_999), order(2, at=-99_999)
    wait = Wait("payment", NOON)
    keep(late, replace(waits, order=replace(waits.order, waiting=wait)))
    overdue = Wanted(asked_at=NOON, due=Due.OVERDUE)
    assert ids(shown(pages(lists, overdue))) == ["ord-0001"]
    assert [one.waiting for one in shown(pages(lists))] == [None, wait]
    keys = [one.order.key for one in (late, waits)]
    found = sorted(lists.look_up(keys), key=lambda one: one.key)
    assert [one.waiting for one in found] == [None, wait]


@pytest.mark.thorough
def test_a_page_reads_no_more_however_many_orders_there_are(
    lists: OrderLists, keep: Callable[..., None], client: RecordingClient
) -> None:
    def cost() -> tuple[int, int]:
        client.queries.clear()
        next(pages(lists, ACCEPTED, limit=5))
        return len(client.queries), sum(asked["Limit"] for asked in client.queries)

    keep(*(order(n) for n in range(90)))
    few = cost()
    keep(*(order(n) for n in range(90, 180)))
    assert cost() == few


@pytest.mark.thorough
def test_a_filter_that_few_pass_ends_a_page_early_and_loses_none(
    lists: OrderLists,
    keep: Callable[..., None],
    client: RecordingClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_lists, "MOST_LOOKED_THROUGH", 12)
    monkeypatch.setattr(index_reading, "_READ", 1)
    monkeypatch.setattr(index_reading, "_FILTERED", 2)
    rare = [order(n, connection=RABOT.id) for n in range(3, 50, 20)]
    keep(*rare, *(order(n) for n in range(50) if n % 20 != 3))
    wanted = replace(ACCEPTED, connections=frozenset({RABOT.id}))
    found = list(pages(lists, wanted, limit=2))
    assert ids(shown(found)) == [one.order.key.order_id for one in rare]
    assert len(found) > len(rare), "no page ended early"


@pytest.mark.thorough
def test_more_are_read_at_a_time_only_where_a_filter_leaves_some_out(
    lists: OrderLists, keep: Callable[..., None], client: RecordingClient
) -> None:
    def limits(wanted: Wanted) -> set[int]:
        client.queries.clear()
        next(pages(lists, wanted, limit=50))
        return {asked["Limit"] for asked in client.queries}

    keep(*(order(n) for n in range(160)))
    assert limits(ALL) == {50}
    assert limits(replace(ALL, connections=frozenset({RABOT.id}))) == {500}
    assert limits(ACCEPTED) == {500}
    assert limits(replace(ALL, due=Due.THIS_WEEK)) == {50}


@pytest.mark.thorough
def test_where_dates_leave_many_out_each_read_is_longer_than_the_one_before(
    lists: OrderLists, keep: Callable[..., None], client: RecordingClient
) -> None:
    # Somebody is on site: the appointment has begun, and isn't over.
    begun = f"{NOON - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    keep(*(order(n, Status.SCHEDULED, appointment=begun) for n in range(90)))
    assert not shown(pages(lists, replace(ALL, due=Due.OVERDUE), limit=5))
    limits = sorted({asked["Limit"] for asked in client.queries})
    assert limits[:3] == [10, 20, 40]


@pytest.mark.parametrize("limit", [2, 50])
def test_first_pages_are_those_that_each_list_has_by_itself(
    limit: int, lists: OrderLists, keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_lists, "MOST_LOOKED_THROUGH", 60)
    late = [order(n, Status.ACCEPTED, at=-99_999 + n) for n in range(4)]
    waits = [replace(one, waiting=Wait("payment", NOON)) for one in (late[3].order,)]
    keep(*late[:3], replace(late[3], order=waits[0]))
    keep(*(order(n, Status.SCHEDULED, appointment="2026-03-04") for n in range(10, 14)))
    keep(*(order(n, Status.REJECTED, at=-n) for n in range(20, 24)))
    wanted = [
        Wanted(asked_at=NOON, due=Due.OVERDUE),
        Wanted(asked_at=NOON, due=Due.THIS_WEEK),
        Wanted(asked_at=NOON, attention="any"),
        Wanted(asked_at=NOON, waiting="any"),
        Wanted(asked_at=NOON, statuses=(Status.REJECTED,)),
        Wanted(asked_at=NOON, connections=frozenset({RABOT.id})),
    ]
    found = lists.first_pages(wanted, zones=ZONES, limit=limit)
    alone = [lists.page(one, zones=ZONES, after=None, limit=limit) for one in wanted]
    assert [ids(page.orders) for page in found] == [ids(page.orders) for page in alone]
    assert [page.last is None for page in found] == [page.last is None for page in alone]
    assert [len(page.orders) for page in found] == [min(limit, n) for n in (3, 4, 0, 1, 4, 0)]
    assert [(page.counted, page.counted_all) for page in found] == [
        (n, True) for n in (3, 4, 0, 1, 4, 0)
    ]


@pytest.mark.thorough
def test_what_a_read_for_several_lists_did_not_reach_is_read_by_itself(
    lists: OrderLists, keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_lists, "MOST_LOOKED_THROUGH", 20)
    keep(*(order(n, at=-99_999 + n) for n in range(40)))
    keep(order(50, Status.SCHEDULED, appointment="2026-03-04"))
    overdue, week = lists.first_pages(
        [Wanted(asked_at=NOON, due=Due.OVERDUE), Wanted(asked_at=NOON, due=Due.THIS_WEEK)],
        zones=ZONES,
        limit=5,
    )
    assert ids(overdue.orders) == [f"ord-{n:04d}" for n in range(5)]
    assert ids(week.orders) == ["ord-0050"]
    assert (overdue.counted_all, week.counted_all) == (False, False)


def test_first_pages_count_at_most_so_many_orders(
    lists: OrderLists, keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_lists, "MOST_COUNTED", 3)
    keep(*(order(n) for n in range(4)))
    [page] = lists.first_pages([Wanted(asked_at=NOON)], zones=ZONES, limit=2)
    assert (len(page.orders), page.counted, page.counted_all) == (2, 3, False)
    assert page.last is not None
    monkeypatch.setattr(order_lists, "MOST_COUNTED", 4)
    [page] = lists.first_pages([Wanted(asked_at=NOON)], zones=ZONES, limit=2)
    assert (len(page.orders), page.counted, page.counted_all) == (2, 4, True)


def test_an_order_of_an_earlier_version_is_listed_and_moved_and_announces_nothing(
    stack: Stack,
    client: RecordingClient,
    keep: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_keys, "MOST_SHARDS", 8)
    keep(order(1), order(2, Status.REJECTED), order(3))
    for number, status in ((1, "accepted"), (2, "rejected")):
        aws("dynamodb").update_item(
            TableName=stack.resources["OrdersTable"],
            Key={"pk": {"S": f"order#{OFFERGRID.id}#ord-000{number}"}, "sk": {"S": "item#item-1"}},
            UpdateExpression="SET status_shard = :was, announce = :said",
            ExpressionAttributeValues={":was": {"S": f"{status}#7"}, ":said": {"S": "[]"}},
        )
    layout = IndexLayout(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table = stack.resources["OrdersTable"]
    lists = OrderLists(client, table_name=table, layout=layout)  # type: ignore[arg-type]
    everything = replace(ALL, statuses=tuple(Status))
    for _ in range(2):
        assert sorted(ids(shown(pages(lists, everything)))) == ["ord-0001", "ord-0002", "ord-0003"]

    index = OrdersIndex(aws("dynamodb"), table_name=table)
    before = stack.orders()
    assert [index.move(one) for one in index.misplaced()] == [True, True]
    assert [*index.misplaced()] == []
    for name, item in stack.orders().items():
        assert "announce" not in item
        kept = ("status_shard", "announce")
        assert without(item, *kept) == without(before[name], *kept)

    layout.settle()
    lists = OrderLists(client, table_name=table, layout=layout)  # type: ignore[arg-type]
    client.queries.clear()
    assert sorted(ids(shown(pages(lists, everything)))) == ["ord-0001", "ord-0002", "ord-0003"]
    assert len(client.queries) == len(index_keys.partitions_of(Status))


def test_an_order_that_was_written_meanwhile_is_not_moved(
    stack: Stack, keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_keys, "SHARDS", 1)
    keep(order(1, Status.REJECTED))
    monkeypatch.setattr(index_keys, "MOST_SHARDS", 8)
    index = OrdersIndex(aws("dynamodb"), table_name=stack.resources["OrdersTable"])
    was = Misplaced(order(1).order.key, Status.ACCEPTED, "accepted#3")
    before = stack.orders()
    assert not index.move(was)
    assert stack.orders() == before


def without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}


@pytest.mark.thorough
def test_orders_are_looked_up_without_those_that_are_gone(
    lists: OrderLists, keep: Callable[..., None]
) -> None:
    keep(*(order(n) for n in range(120)))
    keys = [OrderKey(OFFERGRID.id, f"ord-{n:04d}", "item-1") for n in range(130)]
    assert sorted(ids(lists.look_up([*keys, *keys]))) == [key.order_id for key in keys[:120]]


def test_a_list_of_a_day_begins_and_ends_with_it(
    lists: OrderLists, keep: Callable[..., None]
) -> None:
    day = NOON.date()
    keep(*(order(n, Status.COMPLETED, at=60 * n) for n in range(-40, 10)))
    wanted = Wanted(
        asked_at=NOON,
        statuses=(Status.COMPLETED,),
        first_day=day - timedelta(days=1),
        last_day=day - timedelta(days=1),
    )
    found = shown(pages(lists, wanted, limit=100))
    # In Melbourne, 11 hours ahead: from 13:00 of the day before to 13:00.
    assert (found[0].since, found[-1].since) == ("2026-02-28T20:00:00Z", "2026-03-01T12:00:00Z")
