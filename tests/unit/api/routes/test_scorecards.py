"""Scorecards through the API: of connections, of providers, for those who may see them."""

from milepost.forecasts.quality import Quality
from milepost.forecasts.scorecard import Scorecard, StageScore
from milepost.forecasts.slowdown import DAY, Comparison
from tests.builders import OFFERGRID
from tests.unit.api.conftest import Desk

SLOWER = Comparison(z=-4.0, orders=84, median_before=12 * DAY, median_now=None)
CARD = Scorecard(
    name=OFFERGRID.id,
    made_at="2026-03-02T00:00:00.000Z",
    stages=[
        StageScore("accepted", 90, 13 * DAY, None, SLOWER),
        StageScore("pending", 30, DAY, DAY),
    ],
    outcomes={"completed": 7},
    changes=20,
    late=2,
    missing=1,
    quality=Quality(10, 2, 6, 8, 80.0, 160.0),
)


def test_a_scorecard_says_what_slows_down_and_how_good_forecasts_were(desk: Desk) -> None:
    assert desk.ask("GET", "/scorecards").body == {"scorecards": []}
    desk.forecasts.cards = ([CARD], [])
    (card,) = desk.ask("GET", "/scorecards").body["scorecards"]
    assert (card["scope"], card["name"], card["outcomes"]) == (
        "connection",
        OFFERGRID.id,
        {"completed": 7},
    )
    assert (card["on_time"], card["changes"]) == (None, 20)
    assert (card["late_webhooks"], card["missing_webhooks"]) == (2, 1)
    assert card["slowdowns"] == [
        {"stage": "accepted", "orders": 84, "median_before": 12 * DAY, "median_now": None}
    ]
    assert [(one["stage"], one["p90"]) for one in card["stages"]] == [
        ("accepted", None),
        ("pending", DAY),
    ]
    assert card["forecasts"] == {
        "made": 10,
        "cannot_say": 0.2,
        "coverage": 0.75,
        "error": 10.0,
        "naive_error": 20.0,
    }


def test_a_connection_that_was_removed_and_a_strange_provider_are_left_out(desk: Desk) -> None:
    gone = Scorecard(name="gone", made_at="now")
    desk.forecasts.cards = (
        [CARD, gone],
        [Scorecard(name="offergrid", made_at="now"), Scorecard(name="none", made_at="now")],
    )
    found = desk.ask("GET", "/scorecards").body["scorecards"]
    assert [(one["scope"], one["name"]) for one in found] == [
        ("connection", OFFERGRID.id),
        ("provider", "offergrid"),
    ]
    chosen = desk.ask("GET", "/scorecards", query={"connection": OFFERGRID.id})
    assert [one["name"] for one in chosen.body["scorecards"]] == [OFFERGRID.id]
