"""The list of orders: its filters, its file, and views that people keep."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.person import Person

READ_ROWS = """rows => rows.map(row => ({
    id: decodeURIComponent(row.querySelector(".title a").pathname.split("/").pop()),
    reference: row.querySelector(".title").innerText,
    status: row.querySelector(".status").className,
    flags: row.querySelectorAll(".flag").length,
    text: row.innerText,
    ...Object.fromEntries([...row.querySelectorAll("td[data-label]")].map(
        cell => [cell.dataset.label, cell.querySelector("time")?.dateTime ?? cell.innerText])),
}))"""
Row = dict[str, Any]


def rows_of(person: Person) -> list[Row]:
    rows: list[Row] = person.page.locator("[data-row]").evaluate_all(READ_ROWS)
    return rows


def fill(name: str, text: str) -> Callable[[Person], None]:
    return lambda person: person.page.locator(f"main [name={name}]").fill(text)


def choose(name: str, option: str) -> Callable[[Person], None]:
    return lambda person: person.page.locator(f"main [name={name}]").select_option(option) and None


FILTERS: dict[str, tuple[Callable[[Person], None], Callable[[Row], bool]]] = {
    "place": (fill("place", "Accra"), lambda row: "Accra" in row["Customer"]),
    "connection": (choose("connection", "subs-grid"), lambda row: row["Connection"] == "subs-grid"),
    "attention": (choose("attention", "any"), lambda row: row["flags"] > 0),
    "from": (fill("from", "2026-01-01"), lambda row: row["Next date"] >= "2026-01-01"),
    "provider": (choose("provider", "spirii"), lambda row: row["Connection"] == "spirii-charge"),
    "raw_status": (fill("raw_status", "Processing"), lambda row: "Processing" in row["text"]),
    "service_type": (fill("service_type", "ev_charging"), lambda row: "ev_charging" in row["text"]),
    "waiting": (choose("waiting", "any"), lambda row: "Waits for the customer" in row["text"]),
    "product": (fill("product", "Home Alarm"), lambda row: "Home Alarm" in row["text"]),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_leaves_what_it_says(viewer: Person, name: str) -> None:
    enter, fits = FILTERS[name]
    viewer.open("/orders")
    everything = len(rows_of(viewer))
    viewer.page.get_by_text("More filters").click()
    enter(viewer)
    viewer.page.get_by_role("button", name="Filter", exact=True).click()
    viewer.page.wait_for_url("**/console/orders?*")
    found = rows_of(viewer)
    assert 0 < len(found) <= everything
    assert [row for row in found if not fits(row)] == []


def test_a_customer_is_found_by_their_last_name(viewer: Person) -> None:
    viewer.open("/orders")
    first = rows_of(viewer)[0]["Customer"].splitlines()[0]
    name = first.split()[-1]
    viewer.page.get_by_text("More filters").click()
    fill("customer", name)(viewer)
    viewer.page.get_by_role("button", name="Filter", exact=True).click()
    viewer.page.wait_for_url("**/console/orders?*")
    found = rows_of(viewer)
    assert found
    assert [row for row in found if name not in row["Customer"]] == []


def test_statuses_are_chosen_from_the_counts(viewer: Person) -> None:
    viewer.open("/orders")
    counted = viewer.page.get_by_role("group", name="Orders by status")
    counted.get_by_role("link").filter(has_text="Scheduled").click()
    viewer.page.wait_for_url("**status=scheduled*")
    found = rows_of(viewer)
    assert found
    assert {row["status"] for row in found} == {"status scheduled"}


def test_the_file_has_what_the_list_shows(viewer: Person, tmp_path: Path) -> None:
    viewer.open("/orders?connection=offergrid-home&status=scheduled&status=accepted")
    shown = [row["id"] for row in rows_of(viewer)]
    with viewer.page.expect_download() as download:
        viewer.page.get_by_role("link", name="Export", exact=True).click()
    download.value.save_as(tmp_path / "orders.csv")
    with (tmp_path / "orders.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert shown
    assert [line["id"] for line in lines] == shown


def test_a_view_is_shared_with_the_team_or_kept_for_oneself(
    operator: Person, viewer: Person
) -> None:
    for name, shared in (("Home, scheduled", "team"), ("Only mine", "own")):
        operator.open("/orders?connection=offergrid-home&status=scheduled")
        operator.page.get_by_text("Save as a view").click()
        operator.page.get_by_label("Name", exact=True).fill(name)
        operator.page.locator("[name=shared]").select_option(shared)
        operator.page.get_by_role("button", name="Save", exact=True).click()
        operator.page.get_by_role("link", name=name).wait_for()
    saved = rows_of(operator)

    viewer.open("/orders")
    views = viewer.page.get_by_role("navigation", name="Views")
    assert views.get_by_role("link", name="Only mine").count() == 0
    views.get_by_role("link", name="Home, scheduled").click()
    viewer.page.wait_for_url("**connection=offergrid-home*")
    assert [row["id"] for row in rows_of(viewer)] == [row["id"] for row in saved]
