"""Business days: weekends and public holidays don't count, wherever they fall."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.business_days import (
    UnknownCountry,
    UnknownRegion,
    business_days_of,
    end_of_business_time,
)

BERLIN = "Europe/Berlin"


def ends(begins: str, *, country: str = "DE", region: str | None = None, **allowed: float) -> str:
    """When time that begins then is over, both by Berlin's clock."""
    end = end_of_business_time(
        datetime.fromisoformat(begins).replace(tzinfo=ZoneInfo(BERLIN)),
        timedelta(**allowed),
        counts=business_days_of(country, region),
        time_zone=BERLIN,
    )
    assert end.tzinfo is UTC
    return f"{end.astimezone(ZoneInfo(BERLIN)):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("begins", "days", "end"),
    [
        ("2026-03-02T10:00", 2, "2026-03-04T10:00"),
        ("2026-03-05T10:00", 2, "2026-03-09T10:00"),
        ("2026-03-07T10:00", 1, "2026-03-10T00:00"),
        # Good Friday and Easter Monday; the clocks were put forward before.
        ("2026-04-02T10:00", 1, "2026-04-07T10:00"),
        ("2026-03-27T10:00", 1, "2026-03-30T10:00"),
        # Christmas on Friday and Saturday.
        ("2026-12-24T15:30", 2, "2026-12-29T15:30"),
        ("2026-12-31T09:00", 1, "2027-01-04T09:00"),
    ],
)
def test_weekends_and_holidays_are_left_out(begins: str, days: int, end: str) -> None:
    assert ends(begins, days=days) == end


def test_hours_that_run_into_a_holiday_go_on_after_it() -> None:
    assert ends("2026-03-06T22:00", hours=4) == "2026-03-09T02:00"


def test_a_region_has_holidays_of_its_own() -> None:
    # Epiphany is a holiday in Bavaria, and not in Berlin.
    assert ends("2026-01-05T10:00", region="BY", days=1) == "2026-01-07T10:00"
    assert ends("2026-01-05T10:00", region="BE", days=1) == "2026-01-06T10:00"


def test_no_time_ends_at_once_on_a_business_day() -> None:
    assert ends("2026-03-02T10:00", days=0) == "2026-03-02T10:00"


@given(st.integers(0, 2 * 365 * 24), st.integers(0, 400))
def test_it_ends_on_a_business_day_and_never_sooner_than_by_the_calendar(
    begins: int, hours: int
) -> None:
    counts, allowed = business_days_of("DE", "BE"), timedelta(hours=hours)
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=begins)
    end = end_of_business_time(start, allowed, counts=counts, time_zone=BERLIN)
    assert counts(end.astimezone(ZoneInfo(BERLIN)).date())
    # A day of the clock may be an hour shorter or longer than 24 hours.
    assert end - start >= allowed - timedelta(hours=1)


def test_an_unknown_country_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnknownCountry, match="'XX': name another country, or count calendar days"):
        business_days_of("XX")


def test_an_unknown_region_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownRegion, match="DE has no region 'VIC'; its regions are: BB, BE"):
        business_days_of("DE", "VIC")


def test_every_country_of_the_examples_is_known() -> None:
    for country in ("AU", "DE", "DK", "GH"):
        assert not business_days_of(country)(date(2026, 12, 25))
