"""The page Today: its parts, and what it shows when one of them can't be read."""

import pytest

from milepost.console.pages.today import SECTIONS
from milepost.queries.list_choices import Due
from milepost.queries.order_list import Page, Place
from tests.builders import KEY
from tests.unit.console.conftest import Browser
from tests.unit.console.listed_orders import listed

PLACE = Place("2026-03-02", "accepted#0", KEY)


def test_each_part_asks_for_its_own_orders_and_links_to_the_list_behind_it(
    browser: Browser,
) -> None:
    browser.sign_in()
    browser.desk.lists.orders = [listed(reference="R-4711")]
    shown = browser.get("/console")
    assert shown.status == 200
    asked = [wanted for wanted, _, _ in browser.desk.lists.asked]
    assert {one.due for one in asked} == {None, Due.OVERDUE, Due.THIS_WEEK}
    assert {one.attention for one in asked} == {None, "any"}
    assert {one.waiting for one in asked} == {None, "any"}
    for section in SECTIONS:
        assert f'href="/console/orders?{section.query.text}"' in shown.text
    assert shown.text.count(">R-4711</a>") == len(SECTIONS)


def test_an_empty_day_says_so(browser: Browser) -> None:
    browser.sign_in()
    text = browser.get("/console").text
    assert all(section.nothing in text for section in SECTIONS)
    assert "No notice failed." in text


@pytest.mark.parametrize(
    ("page", "number"),
    [
        (Page([], None), "0"),
        (Page([listed()], None), "1"),
        (Page([listed()], PLACE), "1+"),
        (Page([listed()], PLACE, counted=37, counted_all=True), "37"),
        (Page([listed()], PLACE, counted=99), "99+"),
    ],
)
def test_each_link_has_the_number_of_orders_as_far_as_they_were_counted(
    page: Page, number: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in()
    monkeypatch.setattr(browser.desk.lists, "page", lambda *_args, **_named: page)
    text = browser.get("/console").text
    assert text.count(f'<b class="number">{number}</b>') == len(SECTIONS)


def test_a_part_that_cannot_be_read_hides_no_other(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in()

    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError("secret of a customer")

    monkeypatch.setattr(browser.desk.notice_lists, "page", fail)
    shown = browser.get("/console")
    assert shown.status == 200
    assert "Notices can't be shown now" in shown.text
    assert "secret of a customer" not in shown.text
    assert "Nothing is late." in shown.text


def test_filters_of_the_address_reach_the_list(browser: Browser) -> None:
    browser.sign_in()
    browser.desk.lists.orders = [listed()]
    browser.get("/console/orders?waiting=any&customer=charl&place=berlin&product=fibre")
    [(wanted, _, _)] = browser.desk.lists.asked
    assert (wanted.waiting, wanted.customer, wanted.place, wanted.product) == (
        "any", "charl", "berlin", "fibre",
    )  # fmt: skip
