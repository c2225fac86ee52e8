"""Tracks and stages: by when an order's next step is due, and the whole of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.common.timestamps import sortable
from milepost.connections.tracks import TRACKS
from milepost.orders.deadlines import (
    USUAL_TRACKS,
    allowed_in_words,
    escalates_at,
    expected_by,
    next_date,
    next_step_by,
    overdue_at,
    stage_deadline,
    track_of,
    usual_end,
)
from milepost.orders.details import Details
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Order
from milepost.orders.provider_rules import Rules
from tests.builders import NOON, OFFERGRID, minute, report, tracked

DAY = timedelta(days=1)


def details(**facts: Any) -> Details:
    return Details(**facts)  # type: ignore[typeddict-item]


def order(status: Status, **facts: Any) -> Order:
    """An order that came to this status at noon."""
    return tracked(report(status, **facts)).order


@pytest.mark.parametrize(
    ("facts", "track"),
    [
        ({}, "standard"),
        ({"service_type": "insurance"}, "fast"),
        ({"service_type": "internet"}, "standard"),
        ({"service_type": "business"}, "extended"),
        ({"service_type": "new_connection"}, "extended"),
        ({"service_type": "pets"}, "standard"),
        ({"service_type": "tv"}, "extended"),
        ({"offer": {"id": "off-1"}, "service_type": "tv"}, "fast"),
        ({"offer": {"id": "off-2"}, "service_type": "insurance"}, "fast"),
        ({"offer": {"name": "without an id"}}, "standard"),
    ],
)
def test_a_track_goes_by_offer_then_service_type_then_connection(
    facts: dict[str, Any], track: str
) -> None:
    connection = replace(OFFERGRID, tracks={"off-1": "fast", "tv": "extended"})
    assert track_of(details(**facts), connection) == track


def test_where_nothing_is_usual_the_connection_says_its_track() -> None:
    assert track_of(details(), replace(OFFERGRID, track="extended")) == "extended"


def test_every_usual_track_is_one() -> None:
    assert set(USUAL_TRACKS.values()) <= TRACKS.keys()


@pytest.mark.parametrize(
    ("status", "lasts"),
    [
        (Status.PENDING, 2 * DAY),
        (Status.SUBMITTED, 2 * DAY),
        (Status.ACCEPTED, 3 * DAY),
        (Status.SCHEDULED, 14 * DAY),
        (Status.IN_PROGRESS, timedelta(hours=4)),
    ],
)
def test_a_stage_lasts_as_long_as_the_documentation_says(status: Status, lasts: timedelta) -> None:
    assert stage_deadline(order(status), OFFERGRID) == NOON + lasts


@pytest.mark.parametrize(
    ("service", "lasts"), [("insurance", 7 * DAY), ("internet", 14 * DAY), ("business", 30 * DAY)]
)
def test_a_stage_of_no_usual_length_lasts_as_long_as_its_track(
    service: str, lasts: timedelta
) -> None:
    scheduled = order(Status.SCHEDULED, service_type=service)
    assert stage_deadline(scheduled, OFFERGRID) == NOON + lasts


@pytest.mark.parametrize("days", [10, 0.5, 0])
def test_a_connection_may_say_how_long_a_stage_lasts(days: float) -> None:
    slow = replace(OFFERGRID, stage_days={"accepted": days})
    assert stage_deadline(order(Status.ACCEPTED), slow) == NOON + days * DAY
    assert stage_deadline(order(Status.PENDING), slow) == NOON + 2 * DAY


def test_an_order_of_no_known_status_is_looked_at_within_two_days() -> None:
    assert stage_deadline(order(Status.PENDING), OFFERGRID) == NOON + 2 * DAY
    unknown = tracked(report(None, raw="on_hold")).order
    assert unknown.status is Status.UNKNOWN
    assert stage_deadline(unknown, OFFERGRID) == NOON + 2 * DAY


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_closed_order_is_sorted_by_when_it_closed_and_expected_no_more(status: Status) -> None:
    closed = order(status, appointment="2026-03-12T02:00:00Z")
    assert next_date(closed, OFFERGRID) == NOON
    assert expected_by(closed, OFFERGRID) is None


@pytest.mark.parametrize(
    ("appointment", "date"),
    [
        ("2026-03-12T02:00:00Z", datetime(2026, 3, 12, 2, tzinfo=UTC)),
        ("2026-03-12", datetime(2026, 3, 12, tzinfo=UTC)),
    ],
)
def test_an_appointment_says_it_best(appointment: str, date: datetime) -> None:
    scheduled = order(Status.SCHEDULED, appointment=appointment)
    assert next_date(scheduled, OFFERGRID) == date
    assert expected_by(scheduled, OFFERGRID) == date


@pytest.mark.parametrize("appointment", ["2026-03-30T02:00:00Z", "2026-03-30"])
def test_the_next_step_of_a_scheduled_order_is_its_appointment(appointment: str) -> None:
    scheduled = order(Status.SCHEDULED, appointment=appointment)
    assert next_step_by(scheduled, OFFERGRID) == appointment
    assert usual_end(scheduled, OFFERGRID) == appointment


def test_without_an_appointment_a_scheduled_order_has_the_time_of_its_track() -> None:
    scheduled = order(Status.SCHEDULED)
    for deadline in (next_step_by, usual_end, overdue_at, next_date, expected_by):
        assert deadline(scheduled, OFFERGRID) == NOON + 14 * DAY
    assert allowed_in_words(scheduled, OFFERGRID) == "14 days"


def test_before_it_is_scheduled_an_appointment_is_no_deadline() -> None:
    named = order(Status.ACCEPTED, appointment="2026-03-12")
    assert overdue_at(named, OFFERGRID) == overdue_at(order(Status.ACCEPTED), OFFERGRID)
    assert allowed_in_words(named, OFFERGRID) == allowed_in_words(order(Status.ACCEPTED), OFFERGRID)
    agreed = order(Status.SCHEDULED, appointment="2026-03-12")
    assert allowed_in_words(agreed, OFFERGRID) == "its appointment (2026-03-12)"


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_closed_order_has_no_next_step(status: Status) -> None:
    assert next_step_by(order(status, appointment="2026-03-12"), OFFERGRID) is None


def test_on_the_day_of_the_appointment_the_stage_counts() -> None:
    started = order(Status.IN_PROGRESS, appointment="2026-03-02")
    assert next_date(started, OFFERGRID) == NOON + timedelta(hours=4)


@pytest.mark.parametrize(
    ("facts", "start"),
    [
        ({}, NOON),
        ({"ordered_at": "2026-02-27T09:00:00Z"}, datetime(2026, 2, 27, 9, tzinfo=UTC)),
        ({"signed_at": "2026-02-27"}, datetime(2026, 2, 27, tzinfo=UTC)),
        (
            {"ordered_at": "2026-02-27T09:00:00Z", "signed_at": "2026-02-20"},
            datetime(2026, 2, 27, 9, tzinfo=UTC),
        ),
        ({"ordered_at": "9999-12-31T23:59:59Z"}, NOON),
    ],
)
def test_an_order_is_expected_by_its_track_from_when_it_was_placed(
    facts: dict[str, Any], start: datetime
) -> None:
    assert expected_by(order(Status.PENDING, **facts), OFFERGRID) == start + 14 * DAY


def test_by_when_all_of_it_is_expected_does_not_move_with_its_stages() -> None:
    late = tracked(report(Status.PENDING), report(Status.ACCEPTED, 13 * 24 * 60)).order
    assert expected_by(late, OFFERGRID) == NOON + 14 * DAY
    assert next_date(late, OFFERGRID) == NOON + 16 * DAY


def test_a_timeline_that_was_shortened_starts_where_its_summary_does() -> None:
    reports = [report(Status.PENDING), *(report(None, number) for number in range(1, 130))]
    shortened = tracked(*reports).order
    assert shortened.summary is not None
    assert expected_by(shortened, OFFERGRID) == NOON + 14 * DAY


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-03-12T02:00:00", "2026-13-01T00:00:00Z", "0001-01-01", "9999-12-31",
     "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"],
)  # fmt: skip
def test_a_stored_appointment_that_cannot_be_right_is_none(text: str) -> None:
    facts = {"service_type": "internet", "ordered_at": text}
    without = tracked(report(Status.SCHEDULED, **facts)).order
    order = tracked(report(Status.SCHEDULED, **facts, appointment=text)).order
    assert order.appointment is None
    for of in (next_date, expected_by, overdue_at, stage_deadline):
        assert of(order, OFFERGRID) == of(without, OFFERGRID)


def test_dates_sort_as_texts_as_they_do_as_times() -> None:
    moments = [minute(number / 7) for number in range(-60, 60)]
    assert sorted(map(sortable, moments)) == [sortable(one) for one in moments]
    assert sortable(NOON + timedelta(milliseconds=250)) == "2026-03-02T12:00:00Z"


WAITING = Rules(waits=lambda _status, details: details.get("account_number"))
BUSINESS = replace(OFFERGRID, country="DE", time_zone="Europe/Berlin", stage_days_count="business")


def waiting(*ends: float) -> Order:
    """Accepted at noon; it waits from the first of these minutes to the second, and so on."""
    said = [
        report(Status.ACCEPTED, at, account_number="" if place % 2 else f"wait-{place}")
        for place, at in enumerate(ends)
    ]
    return tracked(report(Status.ACCEPTED, 0), *said, rules=WAITING).order


def test_time_that_was_waited_for_the_customer_is_not_counted() -> None:
    order = waiting(60, 120, 240, 300)
    assert stage_deadline(order, OFFERGRID) == NOON + 3 * DAY + timedelta(hours=2)


def test_while_it_waits_the_date_is_the_limit_of_the_wait() -> None:
    order = waiting(60, 120, 240)
    assert stage_deadline(order, OFFERGRID) == NOON + 3 * DAY + timedelta(hours=1)
    limit = NOON + timedelta(minutes=240) + 7 * DAY
    assert (next_date(order, OFFERGRID), overdue_at(order, OFFERGRID)) == (limit, limit)


@pytest.mark.parametrize(
    ("appointment", "over"),
    [
        ("2026-03-12T02:00:00Z", datetime(2026, 3, 12, 6, tzinfo=UTC)),
        # The day ends by the connection's clock, eleven hours ahead of UTC.
        ("2026-03-12", datetime(2026, 3, 12, 13, tzinfo=UTC)),
    ],
)
def test_an_appointment_is_overdue_when_its_time_on_site_or_its_day_is_over(
    appointment: str, over: datetime
) -> None:
    assert overdue_at(order(Status.SCHEDULED, appointment=appointment), OFFERGRID) == over


def test_what_has_no_appointment_is_overdue_at_its_deadline() -> None:
    assert overdue_at(order(Status.ACCEPTED), OFFERGRID) == NOON + 3 * DAY


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_closed_order_is_never_overdue(status: Status) -> None:
    assert overdue_at(order(status), OFFERGRID) is None


def test_business_days_leave_out_the_weekend() -> None:
    # Noon is on a Monday: five business days end on the next.
    connection = replace(BUSINESS, stage_days={"accepted": 5.0})
    assert stage_deadline(order(Status.ACCEPTED), connection) == NOON + 7 * DAY


def test_business_days_leave_out_the_holidays_of_the_region() -> None:
    # The second Monday of March is Labour Day in Victoria, and no holiday of all of Australia.
    five_days = replace(BUSINESS, country="AU", stage_days={"accepted": 5.0})
    accepted = order(Status.ACCEPTED)
    assert stage_deadline(accepted, five_days) == NOON + 7 * DAY
    assert stage_deadline(accepted, replace(five_days, region="VIC")) == NOON + 8 * DAY


def test_a_wait_moves_the_beginning_of_business_days() -> None:
    connection = replace(BUSINESS, stage_days={"accepted": 1.0})
    thursday = 4 * 24 * 60
    assert stage_deadline(waiting(0, thursday), connection) == NOON + 7 * DAY


def test_what_stays_overdue_is_escalated_after_the_connections_days() -> None:
    friday = NOON + 4 * DAY
    assert escalates_at(friday, OFFERGRID) == friday + 2 * DAY
    assert escalates_at(friday, replace(OFFERGRID, escalate_after_days=0.5)) == friday + DAY / 2
    assert escalates_at(friday, BUSINESS) == friday + 4 * DAY


@pytest.mark.parametrize(
    ("one", "connection", "words"),
    [
        (order(Status.ACCEPTED), OFFERGRID, "3 days"),
        (order(Status.IN_PROGRESS), OFFERGRID, "4 hours"),
        (order(Status.ACCEPTED), BUSINESS, "3 business days"),
        (order(Status.ACCEPTED), replace(OFFERGRID, stage_days={"accepted": 1.0}), "1 day"),
        (waiting(0, 60), OFFERGRID, "3 days, and 1 hour of waiting for the customer"),
        (order(Status.SCHEDULED, appointment="2026-03-12"), OFFERGRID, "its appointment (2026-03"),
    ],
)
def test_what_was_allowed_is_said_in_words(one: Order, connection: Any, words: str) -> None:
    assert allowed_in_words(one, connection).startswith(words)
