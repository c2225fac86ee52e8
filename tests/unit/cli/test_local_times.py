"""Times as operators read and write them."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.errors import WrongUse
from cli.local_times import ago, in_words, read_moment, read_zone
from milepost.common.timestamps import parse_instant


def test_instants_are_shown_in_the_zone_and_days_as_they_are() -> None:
    moments = read_zone("Europe/Berlin")
    assert moments.minute("2026-03-02T23:30:00Z") == "2026-03-03 00:30"
    assert moments.minute("2026-03-02") == "2026-03-02"
    assert moments.minute(None) == ""


def test_a_zone_that_there_is_not_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match="unknown time zone"):
        read_zone("Mars/Olympus")


@pytest.mark.parametrize(("text", "ago"), [("90m", 90), ("6h", 360), ("3d", 4320), ("5 min", 5)])
def test_a_time_may_be_said_as_how_long_ago_it_was(text: str, ago: int) -> None:
    before = datetime.now(UTC)
    said = read_moment(text, option="--since")
    assert said is not None
    expected = before - timedelta(minutes=ago)
    assert timedelta(milliseconds=-1) <= parse_instant(said) - expected < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["yesterday", "2026-03-02T12:00:00", "3w", ""])
def test_a_time_that_is_none_is_wrong_use_and_names_the_option(text: str) -> None:
    with pytest.raises(WrongUse, match="--since"):
        read_moment(text, option="--since")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (86_400, "1 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_are_said_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_how_long_ago_something_was_is_said_in_one_unit() -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert ago("2026-03-01T09:00:00Z", now=now) == "1 d ago"
    assert ago("2026-03-02T12:00:01Z", now=now) == "0 s ago"
    assert ago(None, now=now) == ""
