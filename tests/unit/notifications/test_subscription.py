"""Who wants to be told, and when a notice is due by the subscriber's own clock."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.notifications.notice import Channel
from milepost.notifications.subscription import (
    QUIET_HOURS_EXEMPT,
    DigestReason,
    Mode,
    QuietHours,
    Subscription,
    digest_reason,
)
from milepost.orders.order import Kind, OrderKey
from tests.builders import KEY, announced

NIGHT = QuietHours(start=time(22), end=time(7))
ZONES = ["Europe/Berlin", "Australia/Melbourne", "America/New_York", "Asia/Kathmandu", "UTC"]


def subscription(**fields: Any) -> Subscription:
    return Subscription(**{"id": "s1", "recipient": "sales@example.org", **fields})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(now: str, kind: Kind = Kind.ACCEPTED, **fields: Any) -> str | None:
    """When a notice of that moment is due, both in UTC."""
    at = subscription(**fields).due_at(kind, now=utc(now))
    return f"{at:%Y-%m-%dT%H:%M}" if at else None


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, True),
        ({"kinds": frozenset({Kind.REJECTED})}, False),
        ({"kinds": frozenset()}, False),
        ({"connections": frozenset({KEY.connection})}, True),
        ({"connections": frozenset({"another"})}, False),
        ({"service_types": frozenset({"internet", "tv"})}, True),
        ({"service_types": frozenset({"Internet "})}, True),
        ({"service_types": frozenset({"insurance"})}, False),
        (
            {
                "connections": frozenset({KEY.connection}),
                "service_types": frozenset({"insurance"}),
            },
            False,
        ),
    ],
)
def test_a_subscription_wants_what_it_names_and_all_where_it_names_nothing(
    fields: dict[str, Any], wanted: bool
) -> None:
    assert subscription(**fields).wants(announced(service_type="internet")) is wanted


def test_an_order_of_no_known_service_type_is_for_those_who_take_all() -> None:
    key = OrderKey("another", "order", "item")
    assert subscription().wants(announced(key=key))
    assert not subscription(service_types=frozenset({"internet"})).wants(announced(key=key))


@pytest.mark.parametrize("kind", [Kind.FAILED, Kind.ATTENTION, Kind.OVERDUE])
def test_what_is_not_told_by_default_is_told_to_those_who_name_it(kind: Kind) -> None:
    assert not subscription().wants(announced(kind))
    assert subscription(kinds=frozenset({kind})).wants(announced(kind))


@pytest.mark.parametrize(
    ("now", "mode", "expected"),
    [
        ("2026-03-02T12:00", Mode.AT_ONCE, None),
        ("2026-03-02T12:00", Mode.HOURLY, "2026-03-02T13:00"),
        ("2026-03-02T12:59:59.999999", Mode.HOURLY, "2026-03-02T13:00"),
        ("2026-03-02T23:30", Mode.HOURLY, "2026-03-03T00:00"),
        ("2026-03-02T06:59", Mode.DAILY, "2026-03-02T07:00"),
        ("2026-03-02T07:00", Mode.DAILY, "2026-03-03T07:00"),
        ("2026-03-02T23:30", Mode.DAILY, "2026-03-03T07:00"),
    ],
)
def test_a_mode_says_how_long_notices_are_gathered(
    now: str, mode: Mode, expected: str | None
) -> None:
    assert due(now, mode=mode) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-02T20:59", None),
        ("2026-03-02T21:00", "2026-03-03T06:00"),
        ("2026-03-02T23:30", "2026-03-03T06:00"),
        ("2026-03-03T05:59:59", "2026-03-03T06:00"),
        ("2026-03-03T06:00", None),
    ],
)
def test_quiet_hours_last_over_midnight_until_their_end(now: str, expected: str | None) -> None:
    assert due(now, quiet_hours=NIGHT) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-02T10:59", None),
        ("2026-03-02T11:00", "2026-03-02T13:00"),
        ("2026-03-02T13:00", None),
    ],
)
def test_quiet_hours_within_a_day_end_on_that_day(now: str, expected: str | None) -> None:
    assert due(now, quiet_hours=QuietHours(start=time(12), end=time(14))) == expected


def test_quiet_hours_from_an_hour_to_the_same_hour_are_none() -> None:
    assert due("2026-03-02T11:00", quiet_hours=QuietHours(start=time(12), end=time(12))) is None


@pytest.mark.parametrize(
    ("mode", "daily_at", "expected"),
    [
        # 21:00 in Berlin is before the night, and so is the digest's hour.
        (Mode.HOURLY, time(8), "2026-03-03T06:00"),
        (Mode.DAILY, time(8), "2026-03-03T07:00"),
        (Mode.DAILY, time(5), "2026-03-03T06:00"),
    ],
)
def test_a_digest_that_is_due_in_quiet_hours_waits_for_their_end(
    mode: Mode, daily_at: time, expected: str
) -> None:
    assert due("2026-03-02T20:30", mode=mode, daily_at=daily_at, quiet_hours=NIGHT) == expected


@pytest.mark.parametrize("kind", sorted(QUIET_HOURS_EXEMPT))
def test_a_kind_that_may_pass_is_not_kept_for_the_night(kind: Kind) -> None:
    passing = QuietHours(start=time(22), end=time(7), passing=frozenset({kind}))
    assert due("2026-03-02T23:30", kind, quiet_hours=passing) is None
    assert due("2026-03-02T23:30", Kind.ACCEPTED, quiet_hours=passing) == "2026-03-03T06:00"


def test_a_kind_that_may_pass_still_waits_for_the_digest_that_was_asked_for() -> None:
    passing = QuietHours(start=time(22), end=time(7), passing=QUIET_HOURS_EXEMPT)
    at = due("2026-03-02T23:30", Kind.REJECTED, mode=Mode.HOURLY, quiet_hours=passing)
    assert at == "2026-03-03T00:00"


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Australia/Melbourne", "2026-03-02T11:00", "2026-03-02T20:00"),
        ("Australia/Melbourne", "2026-03-02T20:00", None),
        ("America/New_York", "2026-03-02T11:00", "2026-03-02T12:00"),
        ("America/New_York", "2026-03-02T12:00", None),
        ("Asia/Kathmandu", "2026-03-02T16:15", "2026-03-03T01:15"),
    ],
)
def test_quiet_hours_are_by_the_subscribers_clock(
    zone: str, now: str, expected: str | None
) -> None:
    assert due(now, time_zone=zone, quiet_hours=NIGHT) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # Berlin goes from 2:00 to 3:00 on 29 March and back from 3:00 to 2:00 on 25 October.
        ("2026-03-28T23:00", "2026-03-29T05:00"),
        ("2026-03-29T01:30", "2026-03-29T05:00"),
        ("2026-10-24T22:30", "2026-10-25T06:00"),
        ("2026-10-25T00:30", "2026-10-25T06:00"),
        ("2026-10-25T01:30", "2026-10-25T06:00"),
    ],
)
def test_a_night_in_which_the_clock_is_changed_ends_by_the_new_time(
    now: str, expected: str
) -> None:
    assert due(now, quiet_hours=NIGHT) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-28T12:00", "2026-03-29T06:00"),
        ("2026-03-29T12:00", "2026-03-30T06:00"),
        ("2026-10-24T12:00", "2026-10-25T07:00"),
    ],
)
def test_a_daily_digest_comes_at_the_same_time_on_the_clock_all_year(
    now: str, expected: str
) -> None:
    assert due(now, mode=Mode.DAILY) == expected


def test_an_hour_that_the_clock_leaves_out_is_the_next_minute_that_there_is() -> None:
    at = due("2026-03-29T00:50", mode=Mode.DAILY, daily_at=time(2, 30))
    assert at == "2026-03-29T01:00"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-10-25T00:20", "2026-10-25T00:45"),
        ("2026-10-25T00:45", "2026-10-26T01:45"),
        ("2026-10-25T00:50", "2026-10-26T01:45"),
        ("2026-10-25T01:20", "2026-10-26T01:45"),
        ("2026-10-25T01:50", "2026-10-26T01:45"),
    ],
)
def test_in_the_hour_that_comes_twice_a_daily_digest_is_due_once(now: str, expected: str) -> None:
    assert due(now, mode=Mode.DAILY, daily_at=time(2, 45)) == expected


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Asia/Kolkata", "2026-03-02T12:00", "2026-03-02T12:30"),
        ("Asia/Kolkata", "2026-03-02T12:30", "2026-03-02T13:30"),
        ("Asia/Kathmandu", "2026-03-02T12:20", "2026-03-02T13:15"),
        ("Australia/Adelaide", "2026-03-02T12:29:59", "2026-03-02T12:30"),
        # Lord Howe goes from 2:00 to 2:30 on 4 October: there is no full hour between 1 and 3.
        ("Australia/Lord_Howe", "2026-10-03T15:20", "2026-10-03T16:00"),
    ],
)
def test_an_hourly_digest_comes_at_the_full_hour_of_the_recipient(
    zone: str, now: str, expected: str
) -> None:
    assert due(now, mode=Mode.HOURLY, time_zone=zone) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-28T22:00", "2026-03-29T01:00"),
        ("2026-03-29T00:59", "2026-03-29T01:00"),
        ("2026-03-29T01:00", None),
        ("2026-10-24T22:00", "2026-10-25T00:30"),
        ("2026-10-25T00:30", None),
        ("2026-10-25T01:10", None),
    ],
)
def test_quiet_hours_end_once_also_in_an_hour_that_is_left_out_or_comes_twice(
    now: str, expected: str | None
) -> None:
    assert due(now, quiet_hours=QuietHours(start=time(22), end=time(2, 30))) == expected


def test_quiet_hours_that_lie_in_the_hour_left_out_are_none() -> None:
    quiet = QuietHours(start=time(2, 15), end=time(2, 45))
    for minute in ("00:59", "01:00", "01:01"):
        assert due(f"2026-03-29T{minute}", quiet_hours=quiet) is None


@given(
    seconds=st.integers(0, 2 * 365 * 86_400),
    zone=st.sampled_from(ZONES),
    mode=st.sampled_from(Mode),
    clocks=st.tuples(*[st.integers(0, 24 * 12 - 1)] * 3),
)
def test_whatever_is_due_later_is_due_after_now_and_within_two_days(
    seconds: int, zone: str, mode: Mode, clocks: tuple[int, int, int]
) -> None:
    now = utc("2026-01-01T00:00") + timedelta(seconds=seconds)
    daily_at, start, end = (time(five // 12, five % 12 * 5) for five in clocks)
    one = subscription(
        mode=mode,
        time_zone=zone,
        daily_at=daily_at,
        quiet_hours=QuietHours(start=start, end=end),
    )
    at = one.due_at(Kind.ACCEPTED, now=now)
    assert at is None or timedelta(0) < at - now <= timedelta(hours=50)
    awake = one.awake_from(Kind.ACCEPTED, now)
    assert timedelta(0) <= awake - now <= timedelta(hours=25)


def test_an_endpoint_is_called_at_once_whatever_the_hour() -> None:
    fields: dict[str, Any] = {"channel": Channel.HTTPS, "recipient": "https://crm.example/hooks"}
    assert due("2026-03-02T23:30", mode=Mode.DAILY, quiet_hours=NIGHT, **fields) is None


DAILY = Subscription(id="s", recipient="a@b.example", mode=Mode.DAILY, daily_at=time(8))
HOURLY = replace(DAILY, mode=Mode.HOURLY)
QUIET = replace(DAILY, mode=Mode.AT_ONCE, quiet_hours=QuietHours(start=time(20), end=time(6, 30)))
AT_ONCE = replace(DAILY, mode=Mode.AT_ONCE)


@pytest.mark.parametrize(
    ("subscriptions", "due_at", "expected"),
    [
        ([DAILY], "07:00", DigestReason.DAILY),
        ([HOURLY], "14:00", DigestReason.HOURLY),
        ([QUIET], "05:30", DigestReason.QUIET_HOURS),
        ([QUIET], "14:00", DigestReason.MANY),
        ([AT_ONCE], "14:00", DigestReason.MANY),
        ([replace(DAILY, quiet_hours=QUIET.quiet_hours)], "05:30", DigestReason.QUIET_HOURS),
        ([replace(DAILY, quiet_hours=QUIET.quiet_hours)], "07:00", DigestReason.DAILY),
        ([None], "14:00", DigestReason.MANY),
        ([DAILY, HOURLY], "07:00", DigestReason.TOGETHER),
        ([], "07:00", DigestReason.TOGETHER),
        # A daily digest whose time is in quiet hours comes when they end.
        ([replace(QUIET, mode=Mode.DAILY, daily_at=time(22))], "05:30", DigestReason.DAILY),
        ([replace(QUIET, mode=Mode.DAILY, daily_at=time(6, 30))], "05:30", DigestReason.DAILY),
        ([replace(QUIET, mode=Mode.HOURLY)], "05:30", DigestReason.QUIET_HOURS),
        ([replace(QUIET, mode=Mode.HOURLY)], "14:00", DigestReason.HOURLY),
        # Neither the end of quiet hours nor that of an hour: it was held under other settings.
        ([AT_ONCE], "14:17", DigestReason.TOGETHER),
        ([QUIET, AT_ONCE], "05:30", DigestReason.TOGETHER),
        ([AT_ONCE, None], "14:00", DigestReason.MANY),
    ],
)
def test_which_digest_it_is_follows_from_the_subscription_and_the_hour(
    subscriptions: list[Subscription | None], due_at: str, expected: DigestReason
) -> None:
    moment = datetime.fromisoformat(f"2026-03-02T{due_at}:00Z")
    assert digest_reason(subscriptions, due_at=moment) is expected


@pytest.mark.parametrize(
    ("zone", "due_at"),
    [
        ("Europe/Berlin", "2026-03-28T07:00"),
        ("Europe/Berlin", "2026-03-29T06:00"),
        ("Europe/Copenhagen", "2026-10-25T07:00"),
        ("Atlantic/Reykjavik", "2026-03-29T08:00"),
        ("Pacific/Auckland", "2026-04-04T20:00"),
        ("Pacific/Auckland", "2026-09-26T19:00"),
        ("Pacific/Auckland", "2026-12-31T19:00"),
    ],
)
def test_a_daily_digest_at_the_end_of_quiet_hours_is_called_so_on_days_of_any_length(
    zone: str, due_at: str
) -> None:
    quiet = QuietHours(start=time(20), end=time(8))
    one = replace(DAILY, daily_at=time(7, 30), quiet_hours=quiet, time_zone=zone)
    moment = utc(due_at)
    assert one.due_at(Kind.ACCEPTED, now=moment - timedelta(hours=3)) == moment
    assert digest_reason([one], due_at=moment) is DigestReason.DAILY


@pytest.mark.parametrize(
    ("zone", "mornings"),
    [
        # In UTC: the day before the change, of the change, and after it; New Year; the 53rd week.
        ("Europe/Berlin", ["03-28T06:30", "03-29T05:30", "03-30T05:30"]),
        ("Europe/Copenhagen", ["10-24T05:30", "10-25T06:30", "10-26T06:30"]),
        ("Atlantic/Reykjavik", ["03-28T07:30", "03-29T07:30", "03-30T07:30"]),
        ("Pacific/Auckland", ["04-03T18:30", "04-04T19:30", "04-05T19:30"]),
        ("Pacific/Auckland", ["09-25T19:30", "09-26T18:30", "09-27T18:30"]),
        ("Europe/Berlin", ["12-31T06:30", "01-01T06:30", "01-02T06:30", "01-03T06:30"]),
        ("Pacific/Auckland", ["12-30T18:30", "12-31T18:30", "01-01T18:30"]),
    ],
)
def test_there_is_one_daily_digest_each_morning_whatever_happens_to_the_clock(
    zone: str, mornings: list[str]
) -> None:
    one = replace(DAILY, daily_at=time(7, 30), time_zone=zone)
    expected = [
        utc(f"{2027 if morning.startswith('01') else 2026}-{morning}") for morning in mornings
    ]
    minutes = int((expected[-1] - expected[0]) / timedelta(minutes=1))
    moments = [expected[0] + timedelta(minutes=number) for number in range(minutes)]
    found = {one.due_at(Kind.ACCEPTED, now=moment) for moment in moments}
    assert sorted(filter(None, found)) == expected[1:]


def test_quiet_hours_end_when_the_clock_passes_their_end_also_if_that_is_left_out() -> None:
    quiet = replace(AT_ONCE, quiet_hours=QuietHours(start=time(20), end=time(2, 30)))
    changed = datetime.fromisoformat("2026-03-29T01:00:00Z")
    assert quiet.awake_from(Kind.ACCEPTED, changed - timedelta(hours=1)) == changed
    assert digest_reason([quiet], due_at=changed) is DigestReason.QUIET_HOURS
