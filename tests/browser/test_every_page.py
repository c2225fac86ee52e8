"""Every page: for both roles, in both colour schemes, on a phone and on a wide screen."""

import pytest
from playwright.sync_api import expect

from milepost.console.routing import all_routes
from tests.browser.person import PHONE, Person

FOUND_ON = {
    "/orders/{order}": "/orders",
    "/customers/{customer}": "/orders/{order}",
    "/notices/{notice}": "/notices",
    "/subscriptions/{subscription}": "/subscriptions",
    "/connections/{connection}": "/connections",
    "/operations/quarantine/{kept}": "/operations/quarantine",
    "/operations/dead-letters/{queue}": "/operations",
}
"""Pages about one thing, and the page that leads there."""
FILES = {
    "/activity/download",
    "/orders/download",
    "/figures/download",
    "/figures/scorecards/download",
    "/figures/causes/download",
    "/figures/commissions/download",
}
NOT_OF_EACH = {
    "/orders/{order}/notices/{notice}/resend",
    "/notices/{notice}/resend",
    "/subscriptions/{subscription}/change",
    "/exports/{export}",
}
"""Pages that not every first notice or subscription has, or that nobody has made yet."""
LEFT_OUT = FILES | NOT_OF_EACH
PAGES = sorted(
    {
        route.address.removeprefix("/console")
        for route in all_routes()
        if route.method == "GET" and route.address.removeprefix("/console") not in LEFT_OUT
    }
)
OPERATORS = {
    "/operations/quarantine/{kept}",
    "/operations/dead-letters/{queue}",
    "/subscriptions/new",
    "/batches/{batch}",
}
"""Pages that viewers may not see."""
VIEWERS_FORMS = {"/exports/new"}
"""Pages with a form that only reads."""


def test_on_a_phone_the_list_of_pages_shows_where_one_is(operator: Person) -> None:
    operator.page.set_viewport_size(PHONE)
    operator.open("/activity")
    expect(operator.page.locator(".side a[aria-current]")).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_accessible_in_both_schemes_and_fits_a_phone(operator: Person, page: str) -> None:
    operator.open(find(operator, page))
    assert operator.findings() == [], operator.address
    operator.page.emulate_media(color_scheme="dark")
    assert operator.findings() == [], f"{operator.address} in the dark"
    assert not operator.is_too_wide, f"{operator.address} on a wide screen"
    operator.page.set_viewport_size(PHONE)
    assert not operator.is_too_wide, f"{operator.address} on a phone"
    assert operator.findings() == [], f"{operator.address} on a phone in the dark"
    operator.page.emulate_media(color_scheme="light")
    assert operator.findings() == [], f"{operator.address} on a phone"


@pytest.mark.parametrize("page", [one for one in PAGES if one not in OPERATORS | VIEWERS_FORMS])
def test_a_viewer_sees_a_page_without_any_form_that_changes_something(
    viewer: Person, page: str
) -> None:
    viewer.open(find(viewer, page))
    assert viewer.page.locator("h1").count() == 1
    posting = viewer.page.locator("form[method=post]:not([action='/console/sign-out'])")
    assert posting.count() == 0


def find(person: Person, page: str) -> str:
    """The address of a page; of one about one thing, that of the first one that a page links to."""
    if "{" not in page:
        return page
    if page == "/batches/{batch}":
        return plan_for_the_first_order(person)
    person.open(find(person, FOUND_ON[page]))
    linked = person.page.locator("main a").evaluate_all("all => all.map(one => one.pathname)")
    behind = [one.removeprefix("/console") for one in linked]
    start = page.partition("{")[0]
    others = {*PAGES, *LEFT_OUT}
    return next(one for one in behind if one.startswith(start) and one not in others)


def plan_for_the_first_order(person: Person) -> str:
    """Have an action planned for the first order of the list; the address of the plan."""
    person.open("/orders")
    person.page.locator("[data-row] input[name=order]").first.check()
    person.page.locator("select[name=action]").select_option("acknowledge")
    person.page.get_by_role("button", name="Preview").click()
    person.sees("Nothing is done yet")
    return person.address
