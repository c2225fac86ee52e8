"""measure_stages: what the figures say and what is found after batches of the stream."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from milepost.common.status import Status
from milepost.forecasts.aws.store import ForecastStore
from milepost.forecasts.durations_by_age import What
from milepost.forecasts.forecast import forecast
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.search import SearchTable
from milepost.queries.search_words import readings_of
from tests.builders import KEY, NOON, OFFERGRID, report, tracked
from tests.stack import Context, Stack, aws, event

EMAIL = "charlotte.nguyen@example.com"


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    assert stack.resources["OrdersTable"]
    return stack.load("measure_stages")


def invoke(app: ModuleType, batch: dict[str, Any]) -> list[str]:
    """The sequence numbers of the records that failed."""
    answer = app.handler(batch, Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def backfill(app: ModuleType) -> int:
    """Count the table through, with time for a page a call; how many calls it took."""
    request, calls = event("measure_stages", "backfill"), 0
    while True:
        answer = app.handler(request, Context(milliseconds=0))
        calls += 1
        if answer["after"] is None:
            return calls
        request = {"backfill": {"after": answer["after"]}}


def counts(stack: Stack) -> dict[Status, int]:
    table = FiguresTable(aws("dynamodb"), table_name=stack.resources["FiguresTable"])
    return table.counts([OFFERGRID.id])[OFFERGRID.id]


def stages(stack: Stack) -> dict[Status, float]:
    """The mean hours of each stage that anything went through."""
    table = FiguresTable(aws("dynamodb"), table_name=stack.resources["FiguresTable"])
    found = table.stages([OFFERGRID.id], months=["2026-03"])
    return {one.stage: round(one.mean / 3600, 1) for one in found}


def search(stack: Stack) -> SearchTable:
    return SearchTable(aws("dynamodb"), table_name=stack.resources["SearchTable"])


def test_a_new_order_is_counted_and_found(app: ModuleType, stack: Stack) -> None:
    assert invoke(app, event("measure_stages", "new_order")) == []
    assert counts(stack) == {Status.SUBMITTED: 1}
    assert stages(stack) == {}
    assert search(stack).find_by_reference("pp-204", connections=[OFFERGRID.id]) == [KEY]
    assert search(stack).find_by_email(EMAIL) == [KEY]
    assert found(stack, "nguy char") == [KEY]


def found(stack: Stack, query: str) -> Sequence[OrderKey]:
    readings = readings_of(query)
    return search(stack).find_by_words(readings, connections=[OFFERGRID.id]).keys


def test_orders_are_found_by_the_fields_that_their_connection_names_also_those_that_are_there(
    app: ModuleType, stack: Stack
) -> None:
    stack.apply(replace(OFFERGRID, search_fields=frozenset({"reference"})))
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    customer = {"name": "Charlotte Nguyen", "phone": "030 1234567"}
    table.write(tracked(report(Status.PENDING, customer=customer, reference="PP-7")), new=())
    backfill(app)
    assert (found(stack, "nguyen"), found(stack, "pp-7")) == ([], [KEY])
    stack.apply(replace(OFFERGRID, country="DE"))
    app.connections._settings.forget()  # five minutes later
    backfill(app)
    assert found(stack, "nguyen") == found(stack, "4930123") == [KEY]


@pytest.mark.parametrize("times", [1, 3])
def test_a_whole_life_is_measured_however_often_it_comes(
    times: int, app: ModuleType, stack: Stack
) -> None:
    for _ in range(times):
        assert invoke(app, event("measure_stages", "whole_life")) == []
    assert counts(stack) == {Status.COMPLETED: 1}
    assert stages(stack) == {
        Status.SUBMITTED: 11.8,
        Status.ACCEPTED: 38.6,
        Status.SCHEDULED: 195.2,
    }


def test_a_late_report_puts_right_what_was_measured(app: ModuleType, stack: Stack) -> None:
    assert invoke(app, event("measure_stages", "late_accepted_after_completed")) == []
    assert set(stages(stack)) == {Status.SUBMITTED, Status.ACCEPTED}
    assert stages(stack)[Status.SUBMITTED] == 11.8


def test_a_removed_order_is_no_longer_counted_or_found(app: ModuleType, stack: Stack) -> None:
    for name in ("whole_life", "removed", "whole_life"):
        assert invoke(app, event("measure_stages", name)) == []
    assert counts(stack) == {}
    assert search(stack).find_by_email(EMAIL) == []
    assert Status.SCHEDULED in stages(stack)


def test_the_first_failed_record_stops_the_batch(app: ModuleType, stack: Stack) -> None:
    batch = event("measure_stages", "one_poison_of_three")
    assert invoke(app, batch) == [batch["Records"][1]["dynamodb"]["SequenceNumber"]]
    assert counts(stack) == {Status.SUBMITTED: 1}


def test_when_the_figures_are_away_the_records_come_back(app: ModuleType, stack: Stack) -> None:
    batch = event("measure_stages", "whole_life")
    aws("dynamodb").delete_table(TableName=stack.resources.pop("FiguresTable"))
    assert invoke(app, batch) == [batch["Records"][0]["dynamodb"]["SequenceNumber"]]
    assert stack.resources["FiguresTable"]
    assert invoke(app, batch) == []
    assert counts(stack) == {Status.COMPLETED: 1}


def test_orders_that_were_there_before_are_counted_by_a_backfill(
    app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "counting", replace(app.counting, page=2))
    keys = [replace(KEY, order_id=f"ord-{number}") for number in range(5)]
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    for key in keys:
        one = tracked(report(Status.PENDING, 0, key=key), report(Status.ACCEPTED, 60, key=key))
        table.write(one, new=())
    assert backfill(app) == 3
    assert backfill(app) == 3
    assert counts(stack) == {Status.ACCEPTED: 5}
    assert stages(stack) == {Status.PENDING: 1.0}


def test_logs_hold_nothing_personal(
    app: ModuleType, stack: Stack, logged: Callable[[], str]
) -> None:
    for name in ("whole_life", "one_poison_of_three", "removed"):
        invoke(app, event("measure_stages", name))
    text = logged()
    assert "could not count" in text
    for personal in ("Charlotte", "Nguyen", "example.com", "Lygon"):
        assert personal not in text


def test_forecasts_are_made_from_the_orders_as_they_stand(app: ModuleType, stack: Stack) -> None:
    """However often: the table is that of the orders, with the reads and writes of the real one."""
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    for number in range(70):
        key, began = replace(KEY, order_id=f"ord_{number}"), 2 * number
        ended = report(Status.COMPLETED, began + 60, key=key)
        life = [report(Status.PENDING, began, key=key), ended]
        table.write(tracked(*life), new=())
    for _ in range(2):
        answer = app.handler(event("measure_stages", "forecasts"), Context())
        assert answer == {"orders": 70, "connections": 1}
    store = ForecastStore(aws("dynamodb"), table_name=stack.resources["FiguresTable"])
    known = store.read(OFFERGRID.id)
    assert known is not None
    # The first end is after an hour: of those that began before, only the slow ones are known.
    found = forecast(known, What.END, stage="pending", age=0.0, connection=OFFERGRID.id)
    assert found is not None
    assert (found.points.at_risk, found.points.middle) == (40, 3600)
    assert store.read("another") is None


@pytest.mark.thorough
def test_a_stage_that_slows_down_is_told_once(app: ModuleType, stack: Stack) -> None:
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    now = datetime.now(UTC)
    for number in range(320):
        # Three a day: they took a day, and since three weeks they do not go on.
        entered = (now - timedelta(days=100 - number * 100 / 320) - NOON) / timedelta(minutes=1)
        key = replace(KEY, order_id=f"ord-{number}")
        reports = [report(Status.PENDING, entered, key=key)]
        if number < 252:
            reports.append(report(Status.ACCEPTED, entered + 24 * 60, key=key))
        table.write(tracked(*reports), new=())
    for _ in range(2):
        app.handler(event("measure_stages", "forecasts"), Context())
    topics = sns_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].topics
    ((_, text, subject, *_),) = topics[stack.resources["AlarmsTopic"]].sent_notifications
    assert subject == f"Milepost: {OFFERGRID.id} is slowing down"
    assert "- pending: median 24.0 hours → not known yet, " in text
