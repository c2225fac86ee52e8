"""The pages with figures, and the page of the activity log."""

import re
from dataclasses import replace

from milepost.activity.entry import Actor, Entry, Outcome, Via
from milepost.common.status import Status
from milepost.console.formats import duration, setting
from milepost.console.svg_charts import Bar, bar_chart
from milepost.forecasts.quality import Quality
from milepost.forecasts.scorecard import Scorecard, StageScore
from milepost.forecasts.slowdown import DAY, Comparison
from milepost.queries.cause_figures import OutcomeKey
from milepost.queries.histogram import StageFigures
from tests.builders import NOON
from tests.unit.console.conftest import Browser


def test_a_plot_is_an_image_whose_texts_are_escaped_and_without_inline_style() -> None:
    drawn = bar_chart(
        [Bar(label="<x>", value=1, mark=4, text="1 d"), Bar(label="b", value=2, text="2 d")],
        title="Times & more",
    )
    # Drawn twice: for wide and for small screens, of which one is shown.
    assert drawn.count("<svg") == 2
    assert drawn.count("<rect") == 2 * 2
    assert 'role="img" aria-label="Times &amp; more"' in drawn
    assert "&lt;x&gt;" in drawn
    assert "style=" not in drawn
    widths = [float(width) for width in re.findall(r'width="([\d.]+)"', drawn)]
    assert widths[1] == 2 * widths[0]
    assert widths[3] == 2 * widths[2]


def test_a_plot_for_small_screens_is_drawn_in_their_width() -> None:
    drawn = bar_chart([Bar(label="b", value=2, text="2 d")], title="Times")
    sizes = re.findall(r'class="chart (\w+)" viewBox="0 0 (\d+) ', drawn)
    assert sizes == [("wide", "720"), ("narrow", "330")]


def test_durations_and_settings_are_readable() -> None:
    assert [duration(n) for n in (None, 30, 90, 5400, 86_400 * 3.26, 86_400 * 40)] == [
        "–",
        "30 s",
        "2 min",
        "1.5 h",
        "3.3 d",
        "40 d",
    ]
    assert [setting(one) for one in (True, None, ["b", "a"], {"x": 1})] == [
        "yes",
        "–",
        "b, a",
        "x: 1",
    ]


def test_stage_times_are_a_plot_beside_their_table(browser: Browser) -> None:
    browser.desk.figures.took = [
        StageFigures(
            connection="offergrid-home",
            service_type="internet",
            stage=Status.ACCEPTED,
            count=30,
            mean=90_000,
            median=86_400,
            p90=200_000,
        )
    ]
    browser.sign_in()
    shown = browser.get("/console/figures").text
    assert "<svg" in shown
    assert "<table" in shown
    assert "like 2026-03" in browser.get("/console/figures?from=March").text


def test_causes_and_commissions_have_pages(browser: Browser) -> None:
    key = OutcomeKey("offergrid-home", "2026-02", "internet", Status.REJECTED, "address")
    browser.desk.figures.ended = {key: 4}
    browser.sign_in()
    shown = browser.get("/console/figures/causes").text
    assert "rejected: address" in shown
    assert "100%" in shown
    assert "No commission is on this list" in browser.get("/console/figures/commissions").text


def test_scorecards_have_a_page_that_names_slowdowns(browser: Browser) -> None:
    browser.sign_in()
    assert "no scorecard yet" in browser.get("/console/figures/scorecards").text
    slower = Comparison(z=-4.0, orders=84, median_before=12 * DAY, median_now=17 * DAY)
    card = Scorecard(
        name="offergrid-home",
        made_at="2026-03-02T00:00:00.000Z",
        stages=[StageScore("accepted", 90, 13 * DAY, 20 * DAY, slower)],
        outcomes={"completed": 7, "rejected": 1},
        dated=4,
        on_time=3,
        quality=Quality(10, 2, 6, 8, 80.0, 160.0),
    )
    browser.desk.forecasts.cards = ([card], [replace(card, name="offergrid", stages=[])])
    shown = browser.get("/console/figures/scorecards").text
    lasted = (duration(12 * DAY), duration(17 * DAY))
    for text in ("Slowing down", *lasted, "75%", "84", "all connections"):
        assert text in shown, text
    file = browser.get("/console/figures/scorecards/download?connection=offergrid-home")
    header, row = file.text.splitlines()
    assert row.startswith("connection,offergrid-home,2026-03-02T00:00:00.000Z,7,,1,,,0.75,")
    assert ",accepted,10,0.75,0.2,10.0,20.0" in row
    assert header.endswith("coverage,cannot_say,error_seconds,naive_error_seconds")


def test_activity_is_listed_and_downloaded_without_formulas(browser: Browser) -> None:
    one = Entry(
        id="e-1",
        at=NOON,
        actor=Actor(person="=lena", subject="s"),
        kind="poll_connection",
        via=Via.CONSOLE,
        outcome=Outcome.DONE,
        targets={"connection": "offergrid-home"},
        connections=frozenset({"offergrid-home"}),
    )
    browser.desk.activity.start(one)
    browser.sign_in()
    assert "Poll connection" in browser.get("/console/activity?person=%3Dlena").text
    assert "Nothing was changed" in browser.get("/console/activity?person=max").text
    file = browser.get("/console/activity/download")
    assert file.headers["content-disposition"] == 'attachment; filename="activity.csv"'
    assert "'=lena,poll_connection,done,connection offergrid-home,,offergrid-home" in file.text
