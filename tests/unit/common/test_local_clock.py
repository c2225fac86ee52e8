"""Clocks that are changed, in every zone there is and around every change of some years."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from milepost.common.local_clock import end_of_period, moment_of, next_at, next_full_hour

FIRST, LAST = datetime(2023, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


@cache
def changes() -> tuple[tuple[str, datetime], ...]:
    """Each change of a clock in these years, and the zone; of zones alike one alone."""
    found: dict[tuple[datetime, timedelta, timedelta], str] = {}
    for zone in sorted(available_timezones()):
        for at, before, after in changes_of(ZoneInfo(zone)):
            found.setdefault((at, before, after), zone)
    return tuple((zone, at) for (at, _, _), zone in found.items())


def changes_of(info: ZoneInfo) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    step, moment = 7 * DAY, FIRST
    while moment < LAST:
        before, after = offset(moment, info), offset(moment + step, info)
        if before != after:
            low, high = moment, moment + step
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset(middle, info) == before else (low, middle)
            yield high.replace(microsecond=0), before, after
        moment += step


def offset(moment: datetime, info: ZoneInfo) -> timedelta:
    found = moment.astimezone(info).utcoffset()
    assert found is not None
    return found


def test_there_are_changes_to_look_at() -> None:
    assert len(changes()) > 100


CLOCKS = [time(0), time(0, 30), time(1, 15), time(2), time(2, 30), time(3), time(23, 30)]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("clock", CLOCKS, ids=str)
def test_there_is_one_daily_digest_a_day_whatever_is_done_to_the_clock(clock: time) -> None:
    for zone, change in changes():
        moment, dues = change - 3 * DAY, list[datetime]()
        while moment < change + 3 * DAY:
            due = next_at(clock, moment, zone)
            assert due > moment
            dues.append(due)
            # Notices that come at any time before it are due then, and those after it later.
            assert next_at(clock, due - MINUTE, zone) == due
            moment = due
        for one, other in pairwise(dues):
            assert 21 * HOUR <= other - one <= 27 * HOUR, (zone, change)
        days = (
            dues[-1].astimezone(ZoneInfo(zone)).date(),
            dues[0].astimezone(ZoneInfo(zone)).date(),
        )
        assert len(dues) - 1 == (days[0] - days[1]).days, (zone, change)


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
def test_a_time_is_shown_when_it_is_due_or_was_left_out(clock: time) -> None:
    for zone, change in changes():
        info = ZoneInfo(zone)
        today = change.astimezone(info).date()
        for day in (today - DAY, today, today + DAY):
            moment = moment_of(day, clock, zone)
            shown = moment.astimezone(info).replace(tzinfo=None)
            wanted = datetime.combine(day, clock)
            if shown != wanted:
                assert moment == change, (zone, change)
                before = (moment - timedelta(seconds=1)).astimezone(info).replace(tzinfo=None)
                assert before < wanted < shown, (zone, change)


def test_the_full_hour_is_the_next_that_the_clock_shows() -> None:
    for zone, change in changes():
        info = ZoneInfo(zone)
        for minutes in range(-150, 150, 10):
            now = change + minutes * MINUTE
            due = next_full_hour(now, zone)
            assert timedelta(0) < due - now <= 2 * HOUR
            assert (due.astimezone(info).minute, due.astimezone(info).second) == (0, 0)
            between = (now + number * MINUTE for number in range(1, int((due - now) / MINUTE)))
            assert all(one.astimezone(info).minute for one in between), (zone, now)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (time(22), time(2, 30)),
        pytest.param(time(22), time(7), marks=pytest.mark.thorough),
        pytest.param(time(2, 30), time(6), marks=pytest.mark.thorough),
        pytest.param(time(0), time(2), marks=pytest.mark.thorough),
        pytest.param(time(23, 30), time(0, 30), marks=pytest.mark.thorough),
        pytest.param(time(8), time(7, 45), marks=pytest.mark.thorough),
    ],
    ids=str,
)
def test_quiet_hours_end_within_a_day_and_what_they_hold_is_out_at_their_end(
    start: time, end: time
) -> None:
    for zone, change in changes():
        near = range(-5 * 60, 5 * 60, 20)
        for minutes in (-26 * 60, -12 * 60, *near, 12 * 60, 26 * 60):
            now = change + minutes * MINUTE
            ends = end_of_period(start, end, now, zone)
            shown = now.astimezone(ZoneInfo(zone)).time()
            within = start <= shown < end if start <= end else shown >= start or shown < end
            is_near = abs(now - change) < 4 * HOUR
            assert is_near or within == (ends is not None), (zone, now)
            # Antarctica has changed its clocks by three hours at once.
            assert ends is None or timedelta(0) < ends - now <= 27 * HOUR, (zone, now)


def test_a_day_that_an_island_left_out_has_no_digest() -> None:
    # Samoa went from 29 to 31 December 2011.
    due = next_at(time(8), datetime(2011, 12, 29, 18, tzinfo=UTC), "Pacific/Apia")
    assert due == datetime(2011, 12, 30, 18, tzinfo=UTC)
    assert due.astimezone(ZoneInfo("Pacific/Apia")).date() == date(2011, 12, 31)
