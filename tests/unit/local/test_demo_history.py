"""The demo's history shows forecasts and a slowdown, and its rows can be imported."""

from datetime import timedelta

from local.demo_history import CONNECTION, PastOrder, ended_orders, past_orders
from milepost.connections.connection import Connection
from milepost.forecasts.durations_by_age import What
from milepost.forecasts.slowdown import compare
from milepost.forecasts.stays import Stay
from milepost.forecasts.table import make_table
from tests.builders import NOON

WEEK = timedelta(days=7)


def stays_of(one: PastOrder) -> list[Stay]:
    ended = one.steps[-1][1].timestamp() if one.has_ended else None
    times = [at.timestamp() for _, at in one.steps]
    return [
        Stay(
            stage=status,
            entered=at.timestamp(),
            left=left,
            ended=ended,
            completed=one.steps[-1][0] == "completed",
            connection=CONNECTION,
        )
        for (status, at), left in zip(one.steps, [*times[1:], None], strict=True)
        if status not in ("completed", "cancelled")
    ]


def test_a_stage_is_slowing_down_and_every_stage_has_a_forecast() -> None:
    orders = past_orders(NOON)
    stays = [stay for one in orders for stay in stays_of(one)]
    # The demo's own orders take minutes.
    began = NOON.timestamp() - 300
    quick = [Stay(stage="in_progress", entered=began, left=began + 60, ended=began + 60)] * 3
    for now in (NOON, NOON - timedelta(days=7)):
        known = [
            one
            for one in [*stays, *quick]
            if one.stage == "in_progress" and one.entered < now.timestamp()
        ]
        found = compare(known, now=now.timestamp())
        assert found is not None
        assert found.is_slower
    table = make_table(stays, now=NOON.timestamp(), made_at_text="")
    assert {key[1].stage for key in table.points_by_key if key[0] is What.END} == {
        "accepted",
        "scheduled",
        "in_progress",
    }
    assert 10 < sum(not one.has_ended for one in orders) < 45


def test_its_orders_are_as_an_import_leaves_them() -> None:
    connection = Connection(id=CONNECTION, provider="offergrid", base_url="https://example.org")
    past = past_orders(NOON)
    orders = [*ended_orders(past, connection, now=NOON)]
    assert len(orders) == sum(one.has_ended for one in past)
    assert {str(one.order.status) for one in orders} == {"completed", "cancelled"}
    assert {one.version for one in orders} == {1}
    completed = next(one for one in orders if one.order.status == "completed")
    assert [str(one.report.status) for one in completed.order.timeline] == [
        "accepted",
        "scheduled",
        "in_progress",
        "completed",
    ]
