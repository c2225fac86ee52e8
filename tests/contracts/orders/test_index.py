"""The index as the watch reads it: what is past, what is overdue, what was announced lately."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.table import OrdersTable
from milepost.orders.deadline_watch import judged
from milepost.orders.indexed_orders import LastAnnounced, PastDueOrder
from milepost.orders.order import Kind, OrderKey, Overdue, TrackedOrder
from milepost.orders.overdue_list import MOST_MENTIONED
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Source
from tests.builders import NOON, OFFERGRID, announcement, minute, report, tracked

TABLE = "OrdersTable"
DAY = timedelta(days=1)
LATER = NOON + 10 * DAY
WAITING = Rules(waits=lambda _status, _details: "payment")


@pytest.fixture
def stored(dynamodb: Any, table: str) -> OrdersTable:
    return OrdersTable(dynamodb, table_name=table, connection=OFFERGRID)


@pytest.fixture
def index(dynamodb: Any, table: str) -> OrdersIndex:
    return OrdersIndex(dynamodb, table_name=table)


def key(number: int, connection: Connection = OFFERGRID) -> OrderKey:
    return OrderKey(connection.id, f"ord-{number}", f"item-{number}")


def overdue(number: int, *, acknowledged: bool = False, **details: Any) -> TrackedOrder:
    """An order that has the mark."""
    one = tracked(report(Status.ACCEPTED, number, key=key(number), **details))
    marked, _ = judged(one, OFFERGRID, now=LATER)
    assert marked is not None
    assert marked.overdue is not None
    if not acknowledged:
        return replace(marked, version=1)
    reason = marked.overdue.reason.id
    seen = report(
        None, 60, key=key(number), source=Source.PERSON, action_key="k", acknowledged=[reason]
    )
    both = tracked(report(Status.ACCEPTED, number, key=key(number), **details), seen)
    return replace(both, overdue=marked.overdue)


def test_open_orders_whose_date_is_past_are_found_and_no_others(
    stored: OrdersTable, index: OrdersIndex
) -> None:
    late = tracked(report(Status.ACCEPTED, key=key(1)))
    installed = tracked(report(Status.SCHEDULED, key=key(2), appointment="2026-03-04"))
    marked = overdue(3)
    seen_to = overdue(4, acknowledged=True)
    others = [
        tracked(report(Status.ACCEPTED, 20 * 24 * 60, key=key(5))),
        tracked(report(Status.COMPLETED, key=key(6))),
        tracked(report(Status.ACCEPTED, key=key(7)), rules=WAITING),
        replace(tracked(report(Status.ACCEPTED, key=key(8))), erased_at=minute(9)),
    ]
    for one in (late, installed, marked, seen_to, *others):
        stored.write(one, new=())
    found = {one.key: one for one in index.past(now=LATER)}
    assert found == {
        key(1): PastDueOrder(key=key(1), status=Status.ACCEPTED),
        key(2): PastDueOrder(key=key(2), status=Status.SCHEDULED, appointment="2026-03-04"),
        key(3): PastDueOrder(key=key(3), status=Status.ACCEPTED, overdue=marked.overdue),
        key(4): PastDueOrder(
            key=key(4), status=Status.ACCEPTED, overdue=seen_to.overdue, is_acknowledged=True
        ),
    }


def announced_at(number: int, at: datetime, status: Status, since: float = 0) -> TrackedOrder:
    one = announcement(Kind.ACCEPTED, announced_at=at)
    return tracked(report(status, since, key=key(number)), announced=(one,))


def test_what_was_announced_lately_is_found_of_open_orders_and_those_closed_lately(
    stored: OrdersTable, index: OrdersIndex
) -> None:
    early, late = NOON + DAY, NOON + 2 * DAY
    found = [
        announced_at(1, early, Status.ACCEPTED),
        announced_at(2, late, Status.COMPLETED),
        announced_at(3, early + timedelta(hours=1), Status.CANCELLED),
    ]
    others = [
        announced_at(4, early - timedelta(seconds=1), Status.ACCEPTED),
        announced_at(5, late + timedelta(seconds=1), Status.ACCEPTED),
        announced_at(6, early, Status.COMPLETED, since=-20 * 24 * 60),
        tracked(report(Status.ACCEPTED, key=key(7))),
    ]
    for one in (*found, *others):
        stored.write(one, new=())
    listed = index.announced(since=early, until=late, closed_since=NOON - 14 * DAY)
    assert set(listed) == {
        LastAnnounced(one.announced[-1].announced_at, one.order.key) for one in found
    }


def test_what_a_digest_mentions_is_overdue_covered_and_not_acknowledged(
    stored: OrdersTable, index: OrdersIndex
) -> None:
    for one in (
        overdue(1, reference="PP-1", service_type="tv"),
        overdue(2, service_type="energy"),
        overdue(3, acknowledged=True, service_type="tv"),
        tracked(report(Status.ACCEPTED, key=key(4), service_type="tv")),
    ):
        stored.write(one, new=())
    now = index.overdue(now=LATER, covers=lambda _connection, service: service == "tv")
    assert [(one.key, one.reference, one.status, one.since) for one in now.orders] == [
        (key(1), "PP-1", Status.ACCEPTED, minute(1))
    ]
    assert not now.more
    nothing = index.overdue(now=LATER, covers=lambda connection, _service: connection == "other")
    assert nothing.orders == ()


def test_of_many_the_longest_overdue_are_mentioned(stored: OrdersTable, index: OrdersIndex) -> None:
    for number in range(MOST_MENTIONED + 2):
        stored.write(overdue(number), new=())
    now = index.overdue(now=LATER, covers=lambda _connection, _service: True)
    assert [one.key for one in now.orders] == [key(number) for number in range(MOST_MENTIONED)]
    assert now.more


def test_a_mark_that_was_escalated_shows_in_the_index(
    stored: OrdersTable, index: OrdersIndex
) -> None:
    mark = Overdue(
        status=Status.ACCEPTED,
        since=minute(0),
        deadline=minute(4320),
        allowed="3 days",
        marked_at=minute(4321),
        escalated_at=minute(9000),
    )
    stored.write(replace(tracked(report(Status.ACCEPTED, key=key(1))), overdue=mark), new=())
    assert [one.overdue for one in index.past(now=LATER)] == [mark]
