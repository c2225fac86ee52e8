"""What the page shows of an order: what its holder needs, and nothing more."""

from datetime import timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.order import Order
from milepost.tracking_page.milestones import milestones_of
from milepost.tracking_page.view import TrackingView, first_name_of, place_of, view_of
from tests.builders import NOON, OFFERGRID, RABOT, minute, report, tracked
from tests.unit.tracking_page.fake_tracking import with_tracking


def order_of(*statuses: Status, **details: Any) -> Order:
    """An order that came to these statuses, an hour each."""
    reports = [report(status, 60.0 * place) for place, status in enumerate(statuses)]
    reports[-1] = report(statuses[-1], 60.0 * (len(statuses) - 1), **details)
    return tracked(*reports).order


def seen(order: Order, *, connection: Connection = OFFERGRID, after: float = 300) -> TrackingView:
    return view_of(
        order,
        with_tracking(connection),
        language="en",
        now=minute(after),
        valid_until=NOON + timedelta(days=100),
    )


def line(order: Order, *, visits: bool = True) -> str:
    """The milestones in short: ``placed accepted* (scheduled)``; a star for now."""
    marks = {"done": "{}", "now": "{}*", "ahead": "({})"}
    return " ".join(
        marks[one.progress].format(one.name) for one in milestones_of(order, visits=visits)
    )


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([Status.PENDING], "placed* (accepted) (scheduled) (in_progress) (complete)"),
        (
            [Status.SUBMITTED, Status.ACCEPTED],
            "placed accepted* (scheduled) (in_progress) (complete)",
        ),
        # Whoever completed an order accepted it; there need not have been an appointment.
        ([Status.SUBMITTED, Status.COMPLETED], "placed accepted complete"),
        ([Status.COMPLETED, Status.ACTIVE], "placed accepted complete"),
        ([Status.ACCEPTED, Status.IN_PROGRESS], "placed accepted in_progress* (complete)"),
        ([Status.SUBMITTED, Status.REJECTED], "placed rejected*"),
        ([Status.SUBMITTED, Status.ACCEPTED, Status.CANCELLED], "placed accepted cancelled*"),
    ],
)
def test_the_line_has_what_is_behind_the_order_and_what_is_ahead(
    statuses: list[Status], expected: str
) -> None:
    assert line(order_of(*statuses)) == expected


def test_the_line_has_no_work_where_nobody_comes() -> None:
    assert (
        line(order_of(Status.ACCEPTED), visits=False) == "placed accepted* (scheduled) (complete)"
    )


def test_a_step_of_several_statuses_has_the_day_of_the_first() -> None:
    steps = milestones_of(order_of(Status.PENDING, Status.SUBMITTED, Status.ACCEPTED), visits=True)
    assert [one.since for one in steps[:2]] == [minute(0), minute(120)]


@pytest.mark.parametrize(
    ("customer", "first_name"),
    [
        ({"name": "Jens Møller"}, "Jens"),
        ({"name": "Frau Dr. Anne-Marie Schmidt"}, "Anne-Marie"),
        ({"name": "Møller, Jens"}, "Jens"),
        ({"name": "Møller"}, None),
        ({"name": "J. Møller"}, None),
        ({"name": "Jens Møller", "business": "Møller ApS"}, None),
        ({"name": "<b>Jens</b> Møller"}, None),
        ({"name": "https://x.example Møller"}, None),
        ({"name": "4711 Møller"}, None),
        ({"name": "Acme Media GmbH"}, None),
        ({"name": "Holm Byg A/S"}, None),
        ({"name": "Familie Schmidt"}, None),
        ({"name": 7}, None),
        ({}, None),
    ],
)
def test_the_first_name_is_shown_only_where_it_is_clear(
    customer: dict[str, Any], first_name: str | None
) -> None:
    assert first_name_of(customer) == first_name


@pytest.mark.parametrize(
    ("city", "place"),
    [
        ("Aarhus C", "Aarhus C"),
        ("Frankfurt (Oder)", "Frankfurt (Oder)"),
        ("Vej 3, 8000 Aarhus", None),
        ("<i>", None),
        (None, None),
    ],
)
def test_the_place_is_a_town_and_no_address(city: str | None, place: str | None) -> None:
    assert place_of({"city": city, "street": "Vej 3"}) == place


def test_the_next_step_has_its_day_while_it_is_ahead_and_none_once_it_is_late() -> None:
    order = order_of(Status.SUBMITTED)
    assert seen(order).next_step == "The provider will decide on your order."
    assert seen(order).next_by == "Wednesday, 4 March 2026"
    late = seen(order, after=60 * 24 * 5)
    assert late.next_step == "It is taking longer than expected. We are looking into it."
    assert late.next_by is None


def test_what_the_customer_has_to_do_is_said_without_amounts_and_numbers() -> None:
    order = order_of(
        Status.SUBMITTED,
        invoices=[
            {"kind": "application_fee", "amount": 250, "number": "INV-1", "due_on": "2026-03-05"},
            {"kind": "connection_fee", "amount": 99, "paid": True},
        ],
    )
    assert seen(order).todo == (
        "Please pay the application fee. It is due on Thursday, 5 March 2026.",
    )
    assert seen(order_of(Status.CANCELLED, invoices=[{"kind": "fee"}])).todo == ()


@pytest.mark.parametrize(
    ("details", "after", "at", "is_past"),
    [
        ({"appointment": "2026-03-09T09:00:00Z"}, 300, "2026-03-09T09:00:00Z", False),
        ({"appointment": "2026-03-02T13:00:00Z"}, 600, "2026-03-02T13:00:00Z", True),
        ({"appointment": "0001-01-01"}, 300, None, None),
        ({}, 300, None, None),
    ],
)
def test_the_appointment_is_shown_with_whether_it_is_past(
    details: dict[str, Any], after: float, at: str | None, is_past: bool | None
) -> None:
    found = seen(order_of(Status.SCHEDULED, **details), after=after).appointment
    assert (found.at, found.is_past) == (at, is_past) if found else at is None


def test_a_supply_starts_on_a_day_of_the_connections_time_zone() -> None:
    order = order_of(
        Status.SCHEDULED, service_type="energy", appointment="2026-03-31T22:00:00+00:00"
    )
    found = seen(order, connection=RABOT).appointment
    assert found is not None
    assert (found.at, found.is_supply) == ("2026-04-01", True)
    assert seen(order, connection=RABOT).state == "The start of your supply is set."


def test_a_closed_order_has_no_appointment() -> None:
    order = order_of(Status.SCHEDULED, Status.CANCELLED, appointment="2026-03-09")
    assert seen(order).appointment is None
