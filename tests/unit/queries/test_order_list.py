"""Which orders a list shows: days and weeks as the people at an order's connection count them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.common.timestamps import sortable
from milepost.orders.order import OVERDUE, Attention
from milepost.orders.summary import Wait
from milepost.queries.list_choices import Due
from milepost.queries.order_list import Listed, Wanted, is_wanted, next_dates
from tests.builders import KEY
from tests.unit.queries.listed_orders import listed

BERLIN = "Europe/Berlin"


SUNDAY_NIGHT = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
"""Already Monday in Berlin and in Auckland, still Sunday in New York."""


YEAR_2020 = datetime(2020, 1, 1, tzinfo=UTC)


WAIT = Wait("payment", SUNDAY_NIGHT)


MARKED = (Attention(OVERDUE, "It waits for its customer."),)


ZONES = ["Pacific/Kiritimati", "Pacific/Auckland", BERLIN, "America/New_York", "Etc/GMT+12"]


def on_day(day: str) -> Listed:
    """An order with an appointment on a day, without an hour."""
    return listed(day, status=Status.SCHEDULED, appointment=day)


def in_scheduled(instant: str, **changed: Any) -> Listed:
    """An order with an appointment at an hour."""
    return listed(instant, status=Status.SCHEDULED, appointment=instant, **changed)


def shows(one: Listed, *, zone: str = BERLIN, **wanted: Any) -> bool:
    return is_wanted(one, Wanted(**{"asked_at": SUNDAY_NIGHT, **wanted}), zone=zone)


@pytest.mark.parametrize(
    ("next_date", "zone", "due"),
    [
        ("2026-03-08T22:59:59Z", BERLIN, None),
        ("2026-03-08T23:00:00Z", BERLIN, Due.THIS_WEEK),
        ("2026-03-15T22:59:59Z", BERLIN, Due.THIS_WEEK),
        ("2026-03-15T23:00:00Z", BERLIN, Due.NEXT_WEEK),
        ("2026-03-22T22:59:59Z", BERLIN, Due.NEXT_WEEK),
        ("2026-03-22T23:00:00Z", BERLIN, None),
        ("2026-03-02T05:00:00Z", "America/New_York", Due.THIS_WEEK),
        ("2026-03-09T03:59:59Z", "America/New_York", Due.THIS_WEEK),
        ("2026-03-09T04:00:00Z", "America/New_York", Due.NEXT_WEEK),
    ],
)
def test_a_week_is_that_of_the_orders_own_zone(next_date: str, zone: str, due: Due | None) -> None:
    weeks = (Due.THIS_WEEK, Due.NEXT_WEEK)
    assert [d for d in weeks if shows(listed(next_date), zone=zone, due=d)] == (
        [due] if due else []
    )


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_that_was_agreed_is_that_day_in_every_zone(zone: str) -> None:
    day = date(2026, 3, 10)
    assert shows(on_day("2026-03-10"), zone=zone, first_day=day, last_day=day)
    assert not shows(on_day("2026-03-11"), zone=zone, first_day=day, last_day=day)


@pytest.mark.parametrize(
    ("one", "zone", "expected"),
    [
        (listed("2026-03-08T23:29:59Z"), BERLIN, True),
        (listed("2026-03-08T23:30:00Z"), BERLIN, False),
        (on_day("2026-03-08"), BERLIN, True),
        (on_day("2026-03-08"), "America/New_York", False),
        (on_day("2026-03-09"), BERLIN, False),
        (listed("2026-03-08T23:30:00Z", waiting=WAIT), BERLIN, False),
        (listed("2026-03-08T23:29:59Z", waiting=WAIT), BERLIN, True),
        (in_scheduled("2026-03-08T19:29:59Z", waiting=WAIT), BERLIN, False),
        (in_scheduled("2026-03-08T19:29:59Z", waiting=WAIT, attention=MARKED), BERLIN, True),
        (in_scheduled("2026-03-08T19:29:59Z"), BERLIN, True),
        (in_scheduled("2026-03-08T19:30:00Z"), BERLIN, False),
        (listed("2026-03-01", status=Status.COMPLETED), BERLIN, False),
    ],
)
def test_overdue_is_an_open_order_whose_date_or_the_limit_of_its_wait_is_over(
    one: Listed, zone: str, expected: bool
) -> None:
    assert shows(one, zone=zone, due=Due.OVERDUE, statuses=tuple(Status)) == expected


moments = st.integers(0, 10**7).map(lambda minutes: YEAR_2020 + timedelta(minutes=minutes))


@given(
    asked_at=moments,
    next_date=moments,
    zone=st.sampled_from(ZONES),
    due=st.none() | st.sampled_from(Due),
    days=st.tuples(*[st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))] * 2),
    agreed=st.booleans(),
)
@example(
    asked_at=SUNDAY_NIGHT,
    next_date=SUNDAY_NIGHT,
    zone="Etc/GMT+12",
    due=Due.THIS_WEEK,
    days=(None, None),
    agreed=False,
)
def test_what_is_wanted_lies_within_the_dates_that_are_read(
    *,
    asked_at: datetime,
    next_date: datetime,
    zone: str,
    due: Due | None,
    days: tuple[date | None, date | None],
    agreed: bool,
) -> None:
    one = on_day(next_date.date().isoformat()) if agreed else listed(sortable(next_date))
    first, last = (None, None) if due else days
    wanted = Wanted(asked_at=asked_at, due=due, first_day=first, last_day=last)
    lower, upper = next_dates(wanted, [zone])
    if is_wanted(one, wanted, zone=zone):
        assert (lower or "") <= one.next_date <= (upper or "~")


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        # In Berlin it is already the week of the 9th, in UTC still that of the 2nd.
        ([BERLIN], ("2026-03-01T23:59:59Z", "2026-03-16T00:00:00Z")),
        (["America/New_York"], ("2026-03-01T23:59:59Z", "2026-03-09T04:00:00Z")),
        ([], ("2026-03-01T23:59:59Z", "2026-03-09T00:00:00Z")),
    ],
)
def test_a_week_is_read_from_midnight_to_midnight_in_the_zones_of_the_connections(
    zones: list[str], expected: tuple[str, str]
) -> None:
    assert next_dates(Wanted(asked_at=SUNDAY_NIGHT, due=Due.THIS_WEEK), zones) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"attention": "any"}, True),
        ({"attention": "missing_data"}, True),
        ({"attention": "overdue"}, False),
        ({"connections": frozenset({KEY.connection, "other"})}, True),
        ({"connections": frozenset({"other"})}, False),
        ({"provider": "rabot"}, False),
        ({"service_type": "internet"}, True),
        ({"service_type": "energy"}, False),
        ({"statuses": (Status.PENDING,)}, False),
    ],
)
def test_each_filter_lets_through_what_it_names(filters: dict[str, Any], expected: bool) -> None:
    reasons = (Attention("missing_data", "No meter number."),)
    one = listed("2026-03-10", attention=reasons, service_type="internet")
    assert shows(one, **filters) == expected
