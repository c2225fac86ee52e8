"""GET /commissions: what is expected, paid and overdue."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import CommissionTerms
from milepost.orders.order import OrderKey
from milepost.queries.order_list import Listed, Place
from tests.builders import KEY, OFFERGRID, RABOT, report, tracked
from tests.unit.api.conftest import Connections, Desk

ONCE = CommissionTerms(amount="75.50", currency="AUD", due_day=15)
MONTHLY = replace(ONCE, recurring="monthly")
MAY = datetime(2026, 5, 10, 12, tzinfo=UTC)
NEXT = Place("2026-03-04T01:05:30Z", "completed#1", KEY)


@pytest.fixture
def paying(desk: Desk) -> Desk:
    """A desk at which one order of Offergrid was completed in March, seen from May."""
    terms = replace(OFFERGRID, commission=(ONCE,))
    desk.connections = Connections({one.id: one for one in (terms, RABOT)})
    desk.now = MAY
    desk.__post_init__()
    keep(desk, KEY)
    return desk


def keep(desk: Desk, key: OrderKey, **details: Any) -> None:
    desk.orders.keep(tracked(report(Status.COMPLETED, key=key, reference="PP-20417", **details)))
    listed = Listed(
        key=key,
        provider="offergrid",
        status=Status.COMPLETED,
        raw_status="completed",
        since="2026-03-02T12:00:00Z",
        next_date="2026-03-02T12:00:00Z",
    )
    desk.lists.orders.append(listed)


def test_what_an_order_earned_is_told_exactly(paying: Desk) -> None:
    answer = paying.ask("GET", "/commissions")
    assert answer.status == 200
    assert answer.body == {
        "commissions": [
            {
                "order": KEY.path_id,
                "connection": "offergrid-home",
                "reference": "PP-20417",
                "month": "2026-03",
                "due_on": "2026-04-15",
                "amount": "75.50",
                "currency": "AUD",
                "state": "overdue",
            }
        ],
        "next": None,
    }


@pytest.mark.parametrize(("state", "number"), [("overdue", 1), ("paid", 0), ("expected", 0)])
def test_states_can_be_chosen(state: str, number: int, paying: Desk) -> None:
    found = paying.ask("GET", "/commissions", query={"state": state}).body["commissions"]
    assert len(found) == number


@pytest.mark.parametrize(("month", "number"), [("2026-04", 1), ("2026-03", 0), ("2026-05", 0)])
def test_a_month_is_that_in_which_it_is_due(month: str, number: int, paying: Desk) -> None:
    found = paying.ask("GET", "/commissions", query={"month": month}).body["commissions"]
    assert len(found) == number


def test_only_orders_that_can_be_on_the_list_are_read(paying: Desk) -> None:
    paying.ask("GET", "/commissions", query={"month": "2026-04"})
    (wanted, _, _) = paying.lists.asked[0]
    assert wanted.first_day == date(2026, 3, 1)
    assert wanted.connections == {OFFERGRID.id}
    assert set(wanted.statuses) == {Status.COMPLETED, Status.ACTIVE, Status.CANCELLED}


def test_orders_that_earn_each_month_may_have_begun_long_ago(paying: Desk) -> None:
    terms = replace(OFFERGRID, commission=(MONTHLY,))
    paying.connections.known[OFFERGRID.id] = terms
    answer = paying.ask("GET", "/commissions", query={"month": "2026-05"})
    assert [one["month"] for one in answer.body["commissions"]] == ["2026-04"]
    assert paying.lists.asked[0][0].first_day is None


def test_where_no_commission_is_agreed_there_is_none(paying: Desk) -> None:
    answer = paying.ask("GET", "/commissions", query={"connection": RABOT.id})
    assert answer.body == {"commissions": [], "next": None}
    assert paying.lists.asked == []


def test_the_next_page_goes_on_where_and_when_the_first_one_began(paying: Desk) -> None:
    paying.lists.last = NEXT
    cursor = paying.ask("GET", "/commissions").body["next"]
    paying.now = datetime(2027, 5, 10, tzinfo=UTC)
    paying.ask("GET", "/commissions", query={"cursor": cursor})
    (first, _, _), (second, after, _) = paying.lists.asked
    assert (second, after) == (first, NEXT)


def test_a_cursor_of_another_list_is_refused(paying: Desk) -> None:
    paying.lists.last = NEXT
    cursor = paying.ask("GET", "/commissions").body["next"]
    refused = paying.ask("GET", "/commissions", query={"cursor": cursor, "state": "paid"})
    assert refused.status == 400


@pytest.mark.parametrize(
    "query", [{"month": "2026-00"}, {"state": "lost"}, {"limit": "51"}, {"month": "1999-01"}]
)
def test_what_makes_no_sense_is_refused(query: dict[str, str], paying: Desk) -> None:
    assert paying.ask("GET", "/commissions", query=query).status == 422
