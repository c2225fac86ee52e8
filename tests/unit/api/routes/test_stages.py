"""GET /stages: how long stages took, and which open orders take longer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.orders.order import OrderKey
from milepost.queries.histogram import StageFigures
from milepost.queries.order_list import Listed, Place
from tests.builders import KEY, NOON, OFFERGRID, RABOT
from tests.unit.api.conftest import Desk

TOOK = StageFigures(
    connection=OFFERGRID.id,
    service_type="internet",
    stage=Status.ACCEPTED,
    count=40,
    mean=3600.0,
    median=3000.0,
    p90=7200.0,
)


def waiting(hours: float, *, key: OrderKey = KEY, **fields: Any) -> Listed:
    """An order that was accepted so many hours ago."""
    known: dict[str, Any] = {
        "provider": "offergrid",
        "status": Status.ACCEPTED,
        "raw_status": "accepted",
        "since": format_instant(NOON - timedelta(hours=hours)),
        "next_date": "2026-03-04T01:05:30Z",
        "service_type": "internet",
    }
    return Listed(key=key, **(known | fields))


def test_the_times_of_a_year_are_told(desk: Desk) -> None:
    desk.figures.took = [TOOK]
    answer = desk.ask("GET", "/stages")
    assert (answer.status, answer.body["slow"], answer.body["more_slow"]) == (200, [], False)
    assert answer.body["stages"] == [
        {
            "connection": "offergrid-home",
            "service_type": "internet",
            "stage": "accepted",
            "raw_status": None,
            "count": 40,
            "mean": 3600.0,
            "median": 3000.0,
            "p90": 7200.0,
        }
    ]
    assert answer.body["months"] == desk.figures.months
    assert (desk.figures.months[0], desk.figures.months[-1]) == ("2025-04", "2026-03")


def test_months_are_those_that_are_asked_for(desk: Desk) -> None:
    desk.ask("GET", "/stages", query={"from": "2025-11", "to": "2026-02"})
    assert desk.figures.months == ["2025-11", "2025-12", "2026-01", "2026-02"]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-04", "to": "2026-03"},
        {"from": "2020-01"},
        {"from": "2026-13"},
        {"to": "March"},
        {"from": "2026-04"},
    ],
)
def test_other_months_are_refused(query: dict[str, str], desk: Desk) -> None:
    assert desk.ask("GET", "/stages", query=query).status == 422


def test_connections_and_service_types_can_be_chosen(desk: Desk) -> None:
    desk.figures.took = [TOOK]
    assert desk.ask("GET", "/stages", query={"connection": RABOT.id}).body["stages"] == []
    chosen = {"connection": OFFERGRID.id, "service_type": "internet"}
    assert len(desk.ask("GET", "/stages", query=chosen).body["stages"]) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"connection": "gone"}, "There is no connection gone; there are: offergrid-home, rabot"),
        ({"service_type": "energie"}, "There is no service type energie; there are: business, "),
    ],
)
def test_an_unknown_filter_is_an_error_and_no_empty_list(
    query: dict[str, str], said: str, desk: Desk
) -> None:
    answer = desk.ask("GET", "/stages", query=query)
    assert answer.status == 422
    assert answer.body["detail"].startswith(said)


def test_of_too_few_stages_no_order_is_slow(desk: Desk) -> None:
    desk.figures.took = [replace(TOOK, count=19)]
    desk.lists.orders = [waiting(9)]
    answer = desk.ask("GET", "/stages")
    assert answer.body["slow"] == []
    assert (answer.body["stages"][0]["median"], answer.body["stages"][0]["p90"]) == (None, None)


def test_open_orders_beyond_the_p90_are_named(desk: Desk) -> None:
    desk.figures.took = [TOOK]
    desk.lists.orders = [
        waiting(2.1, reference="PP-20417"),
        waiting(2.0),
        waiting(9, service_type="energy"),
        waiting(9, key=OrderKey(RABOT.id, "V-1", "V-1")),
        waiting(9, status=Status.SCHEDULED),
    ]
    answer = desk.ask("GET", "/stages")
    assert answer.body["slow"] == [
        {
            "id": KEY.path_id,
            "connection": "offergrid-home",
            "service_type": "internet",
            "reference": "PP-20417",
            "stage": "accepted",
            "raw_status": "accepted",
            "since": format_instant(NOON - timedelta(hours=2.1)),
            "age": 7560.0,
            "p90": 7200.0,
        }
    ]
    (wanted, _, _) = desk.lists.asked[0]
    assert (wanted.statuses, wanted.connections) == ((Status.ACCEPTED,), {OFFERGRID.id})


def test_an_answer_says_when_there_may_be_more_of_them(desk: Desk) -> None:
    desk.figures.took = [TOOK]
    desk.lists.orders = [waiting(9)]
    desk.lists.last = Place("2026-03-04T01:05:30Z", "accepted#1", KEY)
    answer = desk.ask("GET", "/stages")
    assert answer.body["more_slow"] is True
    assert len(desk.lists.asked) < 20


def test_orders_that_are_closed_are_not_slow(desk: Desk) -> None:
    desk.figures.took = [
        StageFigures(
            connection=OFFERGRID.id,
            service_type="internet",
            stage=Status.COMPLETED,
            count=1,
            mean=1,
            median=1,
            p90=1,
        )
    ]
    assert desk.ask("GET", "/stages").body["slow"] == []
    assert desk.lists.asked == []


def test_times_by_raw_status_are_the_rows(desk: Desk) -> None:
    desk.figures.took = [TOOK]
    desk.figures.told_apart = [
        replace(TOOK, raw_status="Contract Generated"),
        replace(TOOK, raw_status="Connection Fee Generated", count=19),
        replace(TOOK, raw_status="Fee", service_type="energy"),
    ]
    answer = desk.ask("GET", "/stages", query={"by": "raw_status", "service_type": "internet"})
    assert [(one["stage"], one["raw_status"], one["p90"]) for one in answer.body["stages"]] == [
        ("accepted", "Contract Generated", 7200.0),
        ("accepted", "Connection Fee Generated", None),
    ]


def test_an_order_is_slow_by_its_own_raw_status_since_it_entered_that(desk: Desk) -> None:
    contract, fee = "Contract Generated", "Connection Fee Generated"
    desk.figures.took = [replace(TOOK, p90=600.0)]
    desk.figures.told_apart = [
        replace(TOOK, raw_status=contract, p90=3600.0),
        replace(TOOK, raw_status=fee, p90=9 * 3600.0),
    ]
    entered = format_instant(NOON - timedelta(minutes=50))
    desk.lists.orders = [
        waiting(2, raw_status="contract  generated", reference="slow"),
        waiting(2, raw_status=fee, reference="in time"),
        waiting(20, raw_status=contract, raw_since=entered, reference="entered late"),
    ]
    (slow,) = desk.ask("GET", "/stages").body["slow"]
    assert (slow["reference"], slow["raw_status"]) == ("slow", "contract  generated")
    assert (slow["age"], slow["p90"]) == (7200.0, 3600.0)


def test_other_rows_than_these_are_refused(desk: Desk) -> None:
    assert desk.ask("GET", "/stages", query={"by": "milestone"}).status == 422
