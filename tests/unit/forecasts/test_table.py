"""Stays follow from an order as it stands, and a connection's table from its stays."""

import json
from datetime import timedelta

from bench.event_log import synthetic
from milepost.common.status import Status
from milepost.forecasts.durations_by_age import Group, What
from milepost.forecasts.forecast import forecast
from milepost.forecasts.slowdown import DAY, WEEK
from milepost.forecasts.stages import stage_name, stays_of
from milepost.forecasts.stays import Stay
from milepost.forecasts.table import ForecastTable, make_table
from milepost.orders.tombstones import tombstone_of
from tests.builders import KEY, minute, report, tracked


def test_an_open_order_is_in_its_stage_and_has_left_those_before() -> None:
    first, second = stays_of(
        tracked(report(Status.PENDING, 0), report(Status.ACCEPTED, 10, raw="Contract Generated"))
    )
    assert (first.stage, second.stage) == ("pending", "accepted: contract generated")
    assert (first.left, second.left) == (second.entered, None)
    assert first.ended is second.ended is None
    assert second.connection == KEY.connection


def test_an_order_ends_when_it_is_completed_and_not_when_it_is_active() -> None:
    reports = [report(Status.PENDING, 0), report(Status.COMPLETED, 10), report(Status.ACTIVE, 30)]
    (only,) = stays_of(tracked(*reports))
    assert only.left == only.ended == minute(10).timestamp()
    assert only.completed


def test_a_rejection_is_no_completion_and_a_correction_takes_it_back() -> None:
    reports = [report(Status.PENDING, 0), report(Status.REJECTED, 10)]
    (only,) = stays_of(tracked(*reports))
    assert (only.left, only.completed) == (only.ended, False)
    # Late and again: the stays are those of the order as it stands.
    assert [*stays_of(tracked(*reversed(reports), *reports))] == [only]


def test_an_erased_order_counts_if_it_had_ended() -> None:
    ended = tracked(report(Status.PENDING, 0), report(Status.COMPLETED, 10))
    going_on = tracked(report(Status.PENDING, 0))
    (kept,) = stays_of(tombstone_of(ended, at=minute(99)))
    assert kept.ended == minute(10).timestamp()
    assert not [*stays_of(tombstone_of(going_on, at=minute(99)))]


def test_a_stage_is_the_providers_word_where_it_says_more() -> None:
    assert stage_name(Status.IN_PROGRESS, "In Progress") == "in_progress"
    assert stage_name(Status.IN_PROGRESS, " in_PROGRESS ") == "in_progress"
    assert stage_name(Status.ACCEPTED, "Contract  Generated") == "accepted: contract generated"
    assert stage_name(Status.ACCEPTED, None) == "accepted"


def test_a_table_forecasts_what_its_stays_say_also_once_it_was_stored() -> None:
    stays = [
        Stay(
            stage=one.stage,
            entered=one.entered,
            left=one.left,
            ended=one.ended,
            completed=one.completed,
            connection="rabot",
        )
        for case in synthetic(weeks=14, a_week=10)
        for one in case
    ]
    made = make_table(stays, now=20 * WEEK, made_at_text="2026-03-01T00:00:00.000Z")
    stored = json.loads(json.dumps(made.as_json()))
    read = ForecastTable.of_json(stored)
    found = forecast(read, What.END, stage="scheduled", age=2 * DAY, connection="rabot")
    assert found is not None
    assert found.group == Group("scheduled", "", "rabot")
    assert found.points.middle is not None
    # Ten days at the median, of which two are over.
    assert timedelta(days=6) < timedelta(seconds=found.points.middle) < timedelta(days=10)
    assert 0.85 < found.points.share < 1
    assert read.quality == made.quality
    assert made.quality.made > 50
    assert forecast(read, What.END, stage="scheduled", age=0.0, connection="subs") is None


def test_without_a_single_end_there_is_a_table_that_says_nothing() -> None:
    made = make_table([Stay(stage="a", entered=0.0)], now=DAY, made_at_text="now")
    assert not made.points_by_key
    assert ForecastTable.of_json(made.as_json()) == made
