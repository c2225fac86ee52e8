"""Scorecards follow from the orders, and say which stages slow down."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench.event_log import slow_down, synthetic
from milepost.common.status import Status
from milepost.forecasts.daily import DailyRun
from milepost.forecasts.durations_by_age import What
from milepost.forecasts.forecast import forecast
from milepost.forecasts.quality import Quality
from milepost.forecasts.scorecard import Scorecard, Tally, make_scorecard
from milepost.forecasts.slowdown import DAY, WEEK
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.report import Source
from tests.builders import NOON, OFFERGRID, report, tracked

NOW = NOON + timedelta(days=10)
HOURS = 60
DAYS = 24 * HOURS


def tally(*orders: TrackedOrder) -> Tally:
    found = Tally()
    for one in orders:
        found.add(one, OFFERGRID, now=NOW)
    return found


def test_orders_are_counted_by_how_they_ended_and_whether_in_time() -> None:
    fast = tracked(report(Status.PENDING, 0), report(Status.COMPLETED, 3 * DAYS))
    slow = tracked(report(Status.PENDING, -60 * DAYS), report(Status.COMPLETED, DAYS))
    rejected = tracked(report(Status.PENDING, 0), report(Status.REJECTED, DAYS))
    open_one = tracked(report(Status.PENDING, 0))
    long_ago = tracked(report(Status.PENDING, -200 * DAYS), report(Status.COMPLETED, -190 * DAYS))
    found = tally(fast, slow, rejected, open_one, long_ago)
    assert found.outcomes == {"completed": 2, "rejected": 1}
    assert (found.dated, found.on_time) == (2, 1)


def test_a_webhook_is_late_after_an_hour_and_missing_where_a_poll_said_it_first() -> None:
    found = tally(
        tracked(
            report(Status.PENDING, 0),
            report(Status.SUBMITTED, 10, seen=11),
            report(Status.ACCEPTED, 20, seen=20 + 2 * HOURS),
            report(Status.SCHEDULED, 200, seen=210, source=Source.POLL),
            report(Status.COMPLETED, 300, seen=300, source=Source.PERSON),
        )
    )
    assert (found.changes, found.late, found.missing) == (3, 1, 1)


def test_no_webhook_is_missing_of_what_was_imported() -> None:
    imported = tracked(
        report(Status.PENDING, 0, seen=900, source=Source.POLL),
        report(Status.ACCEPTED, 20, seen=901, source=Source.POLL),
        report(Status.SCHEDULED, 1000, seen=1001, source=Source.POLL),
    )
    assert (tally(imported).changes, tally(imported).missing) == (1, 1)


def test_without_a_webhook_none_is_missing() -> None:
    only_polls = tally(
        tracked(report(Status.PENDING, 0), report(Status.ACCEPTED, 9, source=Source.POLL))
    )
    card = make_scorecard("x", [], only_polls, quality=Quality(), now=NOW, made_at="now")
    assert (card.changes, card.missing) == (0, 0)


def test_a_stage_that_slows_down_is_on_the_card_also_once_it_was_stored() -> None:
    slower = slow_down(synthetic(weeks=40, a_week=60), since=33 * WEEK, factor=2.0)
    stays = [one for case in slower for one in case]
    now = datetime.fromtimestamp(37 * WEEK, UTC)
    known = [one for one in stays if one.entered < now.timestamp()]
    card = make_scorecard("x", known, Tally(), quality=Quality(9, 1, 7), now=now, made_at="now")
    slowing = dict(card.slowdowns)
    assert slowing
    assert all(one.median_before for one in slowing.values())
    assert {one.stage for one in card.stages} >= set(slowing)
    assert Scorecard.of_json(json.loads(json.dumps(card.as_json()))) == card
    steady = make_scorecard("x", [], Tally(), quality=Quality(), now=now, made_at="now")
    assert not steady.slowdowns


def days_of(number: int, *, connection: str) -> TrackedOrder:
    key = OrderKey(connection, f"ord-{number}", "1")
    begins = -(number % 30) * DAYS - 10 * DAYS
    return tracked(
        report(Status.PENDING, begins, key=key),
        report(Status.COMPLETED, begins + 2 * DAYS, key=key),
    )


def test_a_connection_with_few_orders_uses_those_of_the_provider() -> None:
    connections = {
        "old": replace(OFFERGRID, id="old"),
        "new": replace(OFFERGRID, id="new"),
        "other": replace(OFFERGRID, id="other", provider="subs"),
    }
    run = DailyRun(connections.get, NOW)
    run.add(days_of(number, connection="old") for number in range(60))
    run.add(days_of(number, connection="new") for number in range(2))
    run.add(days_of(number, connection="other") for number in range(2))
    tables = dict(run.tables())
    found = {
        name: forecast(table, What.END, stage="pending", age=0.0, connection=name)
        for name, table in tables.items()
    }
    old, new = found["old"], found["new"]
    assert old is not None
    assert old.group.connection == "old"
    assert new is not None
    assert (new.group.connection, new.points.middle) == ("", 2 * DAY)
    assert found["other"] is None
    own, joined = run.scorecards({name: table.quality for name, table in tables.items()})
    assert [one.name for one in own] == ["new", "old", "other"]
    assert [(one.name, one.outcomes) for one in joined] == [
        ("offergrid", {"completed": 62}),
        ("subs", {"completed": 2}),
    ]


def test_orders_from_before_the_history_begins_are_left_out() -> None:
    day = (NOW - timedelta(days=5)).date().isoformat()
    run = DailyRun({"old": replace(OFFERGRID, id="old", history_from=day)}.get, NOW)
    run.add(days_of(number, connection="old") for number in range(60))
    ((_, table),) = run.tables()
    assert not table.points_by_key


def test_an_erased_connection_has_its_figures_and_nothing_personal() -> None:
    run = DailyRun(lambda _: None, NOW)
    run.add([tracked(report(Status.PENDING, 0, customer={"name": "Ada Lovelace"}))])
    ((_, table),) = run.tables()
    own, joined = run.scorecards({OFFERGRID.id: table.quality})
    assert joined == []
    assert "Ada" not in json.dumps([own[0].as_json(), table.as_json()])
