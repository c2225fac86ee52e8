"""Lists of orders by the index: each order once, in order, and no more read than a page needs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.operations.erasure.aws.orders import ErasableOrders
from milepost.orders.aws import index_keys
from milepost.orders.aws.index import Misplaced, OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.search_terms import customer_id_of_email
from milepost.orders.summary import Wait
from milepost.orders.tombstones import tombstone_of
from milepost.queries import order_finder
from milepost.queries.aws import index_reading, order_lists
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.aws.search import SearchTable
from milepost.queries.list_choices import Due, Sort
from milepost.queries.order_finder import Count, OrderFinder, TooManyToSort
from milepost.queries.order_list import Listed, Page, Place, Wanted
from tests.builders import NOON, OFFERGRID, RABOT, report, tracked
from tests.stack import Stack, aws

ZONES = {one.id: one.time_zone for one in (OFFERGRID, RABOT)}
BOTH = frozenset({OFFERGRID.id, RABOT.id})
ALL = Wanted(asked_at=NOON)
ACCEPTED = Wanted(asked_at=NOON, statuses=(Status.ACCEPTED,))


@dataclass
class PastDueOrder:
    """The table's client, and what it was asked."""

    queries: list[dict[str, Any]] = field(default_factory=list)

    def query(self, **asked: Any) -> Any:
        self.queries.append(asked)
        return aws("dynamodb").query(**asked)

    def batch_get_item(self, **asked: Any) -> Any:
        return aws("dynamodb").batch_get_item(**asked)


@pytest.fixture(autouse=True)
def _several_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_keys, "SHARDS", 2)


@pytest.fixture
def client() -> PastDueOrder:
    return PastDueOrder()


@pytest.fixture
def lists(stack: Stack, client: PastDueOrder) -> OrderLists:
    return OrderLists(client, table_name=stack.resources["OrdersTable"])


@pytest.fixture
def keep(stack: Stack) -> Callable[..., None]:
    """Writes orders into the table."""

    def write(*orders: TrackedOrder) -> None:
        for one in orders:
            connection = RABOT if one.order.key.connection == RABOT.id else OFFERGRID
            table = OrdersTable(
                aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=connection
            )
            table.write(one, new=())

    return write


def order(
    number: int,
    status: Status = Status.ACCEPTED,
    *,
    connection: str = OFFERGRID.id,
    at: float | None = None,
    **details: Any,
) -> TrackedOrder:
    key = OrderKey(connection, f"ord-{number:04d}", "item-1")
    return tracked(report(status, number if at is None else at, key=key, **details))


def pages(
    lists: OrderLists, wanted: Wanted = ALL, *, limit: int = 7, after: Place | None = None
) -> Iterator[Page]:
    """The pages of a list, one after the other."""
    while True:
        page = lists.page(wanted, zones=ZONES, after=after, limit=limit)
        yield page
        after = page.last
        if after is None:
            return


def shown(found: Iterable[Page]) -> list[Listed]:
    return [one for page in found for one in page.orders]


def ids(orders: Iterable[Listed]) -> list[str]:
    return [one.key.order_id for one in orders]


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
    lists: OrderLists, keep: Callable[..., None], client: PastDueOrder
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
    client: PastDueOrder,
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
    lists: OrderLists, keep: Callable[..., None], client: PastDueOrder
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
    lists: OrderLists, keep: Callable[..., None], client: PastDueOrder
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


def test_an_order_of_an_earlier_version_is_listed_and_moved_and_announces_nothing(
    stack: Stack, client: PastDueOrder, keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
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


ANNA = {
    "customer": {"name": "Anna Müller", "email": "anna@example.org", "phone": "+49 30 1234567"},
    "address": {"street": "Hauptstr. 7", "postcode": "10115", "city": "Berlin"},
    "offer": {"name": "Fiber 250", "supplier": "Netz AG"},
    "reference": "PP-1",
}
BEN = {
    "customer": {"name": "Ben Weber", "business": "Äpfel GmbH"},
    "address": {"street": "Am Wall 3", "postcode": "28195", "city": "Bremen"},
    "charge_box": {"model": "Zap 22", "serial_number": "ZAP-9"},
    "reference": "EN-9",
}


@pytest.fixture
def finder(lists: OrderLists, stack: Stack) -> OrderFinder:
    return OrderFinder(
        lists=lists,
        search=SearchTable(aws("dynamodb"), table_name=stack.resources["SearchTable"]),
        figures=FiguresTable(aws("dynamodb"), table_name=stack.resources["FiguresTable"]),
        connections=Known(),
    )


class Known:
    def all(self) -> dict[str, Connection]:
        return {one.id: one for one in (OFFERGRID, RABOT)}

    def unusable(self) -> dict[str, Any]:
        return {}


def test_orders_of_a_list_have_their_customer_product_and_place(
    finder: OrderFinder, keep: Callable[..., None]
) -> None:
    keep(order(1, **ANNA), order(2, **BEN), order(3))
    anna, ben, nobody = finder.page(ALL).orders
    assert (anna.customer_name, anna.product, anna.supplier, anna.place) == (
        "Anna Müller",
        "Fiber 250",
        "Netz AG",
        "10115 Berlin",
    )
    assert anna.customer_id == customer_id_of_email("ANNA@example.org")
    assert (ben.customer_name, ben.product, ben.place) == ("Äpfel GmbH", "Zap 22", "28195 Bremen")
    assert (nobody.customer_name, nobody.product, nobody.place) == (None, None, None)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"customer": "muel ann"}, [1]),
        ({"customer": "030 1234567"}, [1]),
        ({"customer": customer_id_of_email("anna@example.org")}, [1]),
        ({"customer": "apfel"}, [2]),
        ({"product": "netz"}, [1]),
        ({"product": "zap"}, [2]),
        ({"place": "am wall brem"}, [2]),
        ({"place": "10115", "customer": "ben"}, []),
        ({"reference": "pp"}, [1]),
        ({"reference": "9", "place": "bremen"}, [2]),
        ({"updated_since": NOON + timedelta(minutes=4)}, [3]),
        ({"updated_since": NOON + timedelta(minutes=3), "product": "zap"}, [2]),
        ({"waiting": "any"}, [3]),
        ({"waiting": "payment"}, [3]),
        ({"waiting": "contact"}, []),
    ],
)
def test_filters_find_what_they_say_and_are_combined(
    filters: dict[str, Any], found: list[int], finder: OrderFinder, keep: Callable[..., None]
) -> None:
    waits = order(3)
    waits = replace(waits, order=replace(waits.order, waiting=Wait("payment", NOON)))
    keep(order(1, **ANNA), order(2, **BEN), waits)
    wanted = replace(ALL, **filters)
    assert ids(finder.page(wanted).orders) == [f"ord-{number:04d}" for number in found]
    assert finder.count(wanted) == Count(len(found))


def test_an_order_that_was_erased_and_is_still_in_the_index_is_in_no_list(
    lists: OrderLists, keep: Callable[..., None], stack: Stack
) -> None:
    gone, there = order(1, **ANNA), order(2, **BEN)
    keep(gone, there)
    table = ErasableOrders(aws("dynamodb"), table_name=stack.resources["OrdersTable"])
    table.write_tombstone(tombstone_of(replace(gone, version=1), at=NOON))
    keys = [one.order.key for one in (gone, there)]
    assert ids(lists.look_up(keys)) == ["ord-0002"]


def test_an_order_that_was_written_before_says_when_it_was_updated_too(
    finder: OrderFinder, keep: Callable[..., None], stack: Stack
) -> None:
    keep(order(1), order(2))
    aws("dynamodb").update_item(
        TableName=stack.resources["OrdersTable"],
        Key={"pk": {"S": f"order#{OFFERGRID.id}#ord-0001"}, "sk": {"S": "item#item-1"}},
        UpdateExpression="REMOVE updated_at",
    )
    listed = finder.page(ALL).orders
    assert [one.updated_at for one in listed] == ["2026-03-02T12:02:00Z", "2026-03-02T12:03:00Z"]


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        (Sort.NEXT_DATE, [1, 2, 3, 4]),
        (Sort.SINCE, [4, 1, 2, 3]),
        (Sort.CUSTOMER, [1, 2, 3, 4]),
        (Sort.PROVIDER, [4, 1, 3, 2]),
        (Sort.FORECAST, [3, 1, 4, 2]),
    ],
)
def test_a_list_is_sorted_in_several_ways_page_by_page(
    sort: Sort, found: list[int], finder: OrderFinder, keep: Callable[..., None]
) -> None:
    early = order(4)
    early = replace(early, order=replace(early.order, since=NOON - timedelta(days=9)))
    keep(
        order(1, customer={"name": "anna"}),
        order(2, customer={"name": "Ben"}, connection=RABOT.id),
        order(3, customer={"name": "cem"}),
        early,
    )
    if sort is Sort.NEXT_DATE:
        found = ids_by_next_date(finder)
    shown_so_far: list[str] = []
    after = None
    while True:
        page = finder.page(ALL, sort=sort, after=after, limit=2, ends=likely_ends)
        shown_so_far += ids(page.orders)
        after = page.last
        if after is None:
            break
    assert shown_so_far == [f"ord-{number:04d}" for number in found]


def likely_ends(orders: Sequence[Listed]) -> dict[OrderKey, datetime]:
    """Of the second order nobody knows; the others are asked about with their facts."""
    assert all(one.updated_at for one in orders)
    days = {"ord-0003": 1, "ord-0001": 4, "ord-0004": 9}
    return {
        one.key: NOON + timedelta(days=days[one.key.order_id])
        for one in orders
        if one.key.order_id in days
    }


def ids_by_next_date(finder: OrderFinder) -> list[int]:
    listed = finder.page(ALL).orders
    assert [one.next_date for one in listed] == sorted(one.next_date for one in listed)
    return [int(one.key.order_id.removeprefix("ord-")) for one in listed]


def test_a_list_that_is_too_long_is_not_sorted_and_counted_as_more(
    finder: OrderFinder, keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_finder, "MOST_SORTED", 3)
    keep(*(order(number, **ANNA) for number in range(4)))
    with pytest.raises(TooManyToSort):
        finder.page(ALL, sort=Sort.CUSTOMER)
    assert finder.count(replace(ALL, customer="anna"), most=3) == Count(3, more=True)
    assert finder.count(replace(ALL, customer="anna")) == Count(4)
