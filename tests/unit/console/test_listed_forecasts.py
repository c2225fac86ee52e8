"""When the orders of a list will be completed: on the page, sorted by it, and in its file."""

import csv
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from milepost.console.times import days_between
from milepost.forecasts.durations_by_age import AGES, Group, What
from milepost.forecasts.survival import Points
from milepost.forecasts.table import ForecastTable
from milepost.orders.order import OrderKey
from tests.builders import NOON
from tests.unit.console.conftest import Browser
from tests.unit.console.listed_orders import listed

DAY = 86_400.0


def order(number: int, **changes: object) -> object:
    key = OrderKey("offergrid-home", f"ord_{number}", "item_1")
    return listed(key=key, reference=f"R-{number}", updated_at="2026-03-01T09:00:00Z", **changes)


@pytest.fixture
def browser_of_two(browser: Browser) -> Browser:
    """The second order is the one that is completed first; of the third nobody knows."""
    browser.sign_in()
    days = {"slow": 20, "quick": 3}
    browser.desk.forecasts.tables["offergrid-home"] = ForecastTable(
        made_at="2026-03-02T00:00:00Z",
        points_by_key={
            (What.END, Group(f"accepted: {word}", "", "offergrid-home"), place): Points(
                412, number * DAY, (number + 2) * DAY, (number + 6) * DAY, 0.9
            )
            for word, number in days.items()
            for place in range(len(AGES))
        },
    )
    browser.desk.lists.orders = [
        order(1, raw_status="slow"),  # type: ignore[list-item]
        order(2, raw_status="quick"),  # type: ignore[list-item]
        order(3, raw_status="strange"),  # type: ignore[list-item]
    ]
    return browser


def test_a_list_says_when_its_orders_end_and_is_sorted_by_it(browser_of_two: Browser) -> None:
    text = browser_of_two.get("/console/orders?sort=forecast").text
    assert [text.index(f">{one}<") for one in ("R-2", "R-1", "R-3")] == sorted(
        text.index(f">{one}<") for one in ("R-1", "R-2", "R-3")
    )
    assert "Forecast 5 to 11 Mar" in text


def test_a_column_of_its_own_says_what_is_most_likely_too(browser_of_two: Browser) -> None:
    text = browser_of_two.get("/console/orders?sort=forecast&fields=forecast").text
    assert ">5 to 11 Mar<" in text
    assert "most likely 7 Mar" in text
    assert 'aria-sort="ascending"' in text


def test_the_file_of_the_list_has_the_interval(browser_of_two: Browser) -> None:
    file = browser_of_two.get("/console/orders/download?sort=forecast").text
    rows = [*csv.DictReader(file.lstrip("\ufeff").splitlines())]
    assert [row["reference"] for row in rows] == ["R-2", "R-1", "R-3"]
    assert rows[0]["forecast_latest"] == "2026-03-11T12:00:00Z"
    assert (rows[1]["forecast_orders"], rows[2]["forecast_orders"]) == ("412", "")


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (1, 7, "3 to 9 Mar"),
        (1, 1, "3 Mar"),
        (1, 40, "3 Mar to 11 Apr"),
        (1, 400, "3 Mar to 6 Apr 2027"),
        (1, None, "after 3 Mar"),
        (None, None, "–"),
    ],
)
def test_days_are_said_as_short_as_they_can_be(
    first: int | None, last: int | None, said: str
) -> None:
    start, end = (None if one is None else NOON + timedelta(days=one) for one in (first, last))
    assert days_between(start, end, now=NOON, zone=ZoneInfo("Europe/Berlin")) == said
