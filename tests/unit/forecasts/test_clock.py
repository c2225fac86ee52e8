"""The clock of forecasts: calendar time, or business time, there and back."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.forecasts.clock import CALENDAR, clock_of, on_clock
from milepost.forecasts.slowdown import DAY
from milepost.forecasts.stays import Stay
from tests.builders import OFFERGRID

BUSINESS = replace(
    OFFERGRID, stage_days_count="business", country="DE", region=None, time_zone="Europe/Berlin"
)
BERLIN = ZoneInfo("Europe/Berlin")


def at(*numbers: int) -> float:
    return datetime(*numbers, tzinfo=BERLIN).timestamp()  # type: ignore[misc, arg-type]


def test_without_business_days_every_second_counts() -> None:
    assert clock_of(None) is clock_of(OFFERGRID) is CALENDAR
    assert CALENDAR.counted(123.5) == CALENDAR.moment(123.5) == 123.5


def test_weekends_and_holidays_take_no_time() -> None:
    clock = clock_of(BUSINESS)
    friday, tuesday = at(2026, 4, 2, 12), at(2026, 4, 7, 12)
    # Good Friday to Easter Monday lie between.
    assert clock.counted(tuesday) - clock.counted(friday) == DAY
    assert clock.moment(clock.counted(friday) + DAY) == tuesday
    saturday, sunday = at(2026, 4, 4, 3), at(2026, 4, 5, 23)
    assert clock.counted(saturday) == clock.counted(sunday) == clock.counted(at(2026, 4, 7))


def test_a_stay_is_as_long_as_its_business_days() -> None:
    stay = Stay(stage="a", entered=at(2026, 4, 2, 12), left=at(2026, 4, 7, 12))
    found = on_clock(stay, clock_of(BUSINESS))
    assert found.left is not None
    assert (found.left - found.entered, found.ended) == (DAY, None)


@given(at=st.floats(min_value=at(1990, 1, 1), max_value=at(2120, 1, 1)))
def test_the_clock_never_goes_back_and_finds_a_moment_again(at: float) -> None:
    clock = clock_of(BUSINESS)
    counted = clock.counted(at)
    assert clock.counted(at + 3600) >= counted
    # Within a day that doesn't count, the clock stands still; its moment is the next one that does.
    assert clock.moment(counted) == pytest.approx(at, abs=timedelta(days=6).total_seconds())
    assert clock.counted(clock.moment(counted)) == pytest.approx(counted, abs=3601)
