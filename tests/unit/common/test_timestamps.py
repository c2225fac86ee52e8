"""Dates and times as systems write them, and arithmetic at the ends of the calendar."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.errors import BadPayload
from milepost.common.timestamps import (
    NotATime,
    format_instant,
    in_zone,
    later,
    parse_instant,
    read_day,
    read_instant,
    stored_day,
    stored_moment,
)
from tests.malformed_payloads import ODD_DATES, UNREADABLE_DATES

BERLIN = ZoneInfo("Europe/Berlin")
ENDS = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"),
        ("2026-03-01t09:00:00z", "2026-03-01T09:00:00Z"),
        (" 2026-03-01T09:00:00.123456789Z ", "2026-03-01T09:00:00.123Z"),
        ("2026-03-01 10:00:00 +0100", "2026-03-01T09:00:00Z"),
        ("2026-03-01T10:00:00+01", "2026-03-01T09:00:00Z"),
        ("2026-03-01T03:30:00-0530", "2026-03-01T09:00:00Z"),
        ("20260301T090000Z", "2026-03-01T09:00:00Z"),
        ("2026-03-01T09:00Z", "2026-03-01T09:00:00Z"),
        ("2026-03-01T24:00:00Z", "2026-03-02T00:00:00Z"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"),
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
        ("2099-12-31T23:59:59.999Z", "2099-12-31T23:59:59.999Z"),
        (1772355600, "2026-03-01T09:00:00Z"),
        (1772355600123, "2026-03-01T09:00:00.123Z"),
    ],
)
def test_every_usual_form_is_read(value: Any, utc: str) -> None:
    assert format_instant(read_instant(value)) == utc


@pytest.mark.parametrize("value", [*ODD_DATES, *UNREADABLE_DATES], ids=repr)
def test_what_cannot_be_right_is_no_time(value: Any) -> None:
    for zone in (None, BERLIN):
        with pytest.raises(NotATime) as refusal:
            read_instant(value, zone=zone)
        assert "2026-03-12" not in str(refusal.value)


def test_a_time_without_a_zone_needs_one() -> None:
    with pytest.raises(NotATime, match="without a zone"):
        read_instant("2026-03-01T09:00:00")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25 02:30:00+01:00", "2026-10-25T01:30:00Z"),
        ("2026-04-01", "2026-03-31T22:00:00Z"),
    ],
)
def test_the_hours_when_clocks_change(text: str, utc: str) -> None:
    """The missing hour counts on from the one before; of the repeated hour it is the first."""
    assert format_instant(read_instant(text, zone=BERLIN)) == utc


def test_a_day_is_that_of_its_text() -> None:
    assert read_day("2026-03-20") == read_day("2026-03-20T23:59:59-11:00") == date(2026, 3, 20)
    for text in ("", "20.03.2026", "0001-01-01", "9999-12-31", "2026-02-30", 7, None):
        with pytest.raises(NotATime):
            read_day(text)


def test_the_parser_of_stored_instants_reads_every_form_and_refuses_the_rest() -> None:
    assert parse_instant("2026-03-01t09:00:00z") == parse_instant("2026-03-01 10:00 +0100")
    for text in ("9999-12-31T24:00:00Z", "0001-01-01T00:00:00+14:00", "2026-03-01T09:00:00"):
        with pytest.raises(BadPayload):
            parse_instant(text)


@pytest.mark.parametrize("text", ["", "soon", "0001-01-01", "9999-12-31T23:59:59Z", None])
def test_a_stored_date_that_cannot_be_right_is_none(text: str | None) -> None:
    assert (stored_moment(text), stored_day(text)) == (None, None)


@pytest.mark.parametrize("moment", ENDS, ids=lambda one: str(one.year))
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"])
def test_shifting_and_adding_stop_at_the_ends_of_the_calendar(moment: datetime, zone: str) -> None:
    assert abs(in_zone(moment, ZoneInfo(zone)).year - moment.year) == 0
    for by in (timedelta.min, timedelta(days=-1), timedelta(0), timedelta(days=1), timedelta.max):
        assert in_zone(later(moment, by), ZoneInfo(zone)).year in (1, 9999)


@given(st.text() | st.integers() | st.decimals() | st.floats() | st.booleans() | st.none())
def test_no_value_gives_anything_but_a_time_in_range_or_a_refusal(value: Any) -> None:
    try:
        assert 2000 <= read_instant(value, zone=BERLIN).year < 2100
    except NotATime as refusal:
        assert str(refusal)  # noqa: PT017 - either way out is right
