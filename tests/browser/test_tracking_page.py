"""The customers' tracking page: in each language, in both schemes, on a phone and on paper."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Route

from local.stack import Stack
from milepost.notifications.mail.aws.unsubscribe import LinkKeysStore
from milepost.orders.order import OrderKey
from milepost.tracking_page.answer import Outcome
from milepost.tracking_page.link import TrackingLink, token_of
from milepost.tracking_page.page import Page as TrackedPage
from milepost.tracking_page.page import outcome_page
from milepost.tracking_page.texts import LANGUAGES, texts_of
from tests.browser.person import DESK, Person
from tests.e2e.conftest import Client, wait_for

SMALLEST = {"width": 320, "height": 640}
"""At this width nothing has to be scrolled sideways. Source: WCAG 2.2, "reflow"."""
REFUSALS = sorted(set(Outcome) - {Outcome.SHOWN, Outcome.CALENDAR})


@pytest.fixture(scope="module")
def links(client: Client) -> dict[str, str]:
    """A link to an order of each connection and status that there is, and one that has expired."""
    now = datetime.now(UTC)
    found = {}
    for item in wait_for(client.stored_orders, what="orders to be taken in"):
        if item["sk"]["S"].startswith("item#"):
            _, connection, order_id = item["pk"]["S"].split("#", 2)
            key = OrderKey(connection, order_id, item["sk"]["S"].removeprefix("item#"))
            name = f"{connection} {item['status']['S']}"
            found[name] = address_of(client.stack, key, expires=now + timedelta(days=1))
            found["expired"] = address_of(client.stack, key, expires=now - timedelta(days=1))
    return found


def address_of(stack: Stack, key: OrderKey, *, expires: datetime) -> str:
    """The address of an order's page, for as long as that."""
    keys = LinkKeysStore(
        stack.client("secretsmanager"),
        secret_id=stack.resource_id("UnsubscribeSecret"),
        clock=lambda: 0.0,
    ).keys()
    token = token_of(TrackingLink(key=key, version=0, expires=expires), keys[0])
    return f"{stack.api_url}/track/{token}"


@pytest.fixture
def customer(enter: Callable[..., Person]) -> Person:
    """Somebody who isn't signed in anywhere, at a Danish browser."""
    return enter(locale="da-DK")


def look(customer: Person, address: str, *, status: int = 200) -> None:
    answer = customer.page.goto(address)
    assert answer is not None
    assert answer.status == status
    said = f"status of {status}"
    customer.complaints = [one for one in customer.complaints if said not in one]


def answering(made: TrackedPage) -> Callable[[Route], None]:
    """A server that answers with this page."""

    def answer(route: Route) -> None:
        route.fulfill(body=made.body, headers=dict(made.headers))

    return answer


def faults(customer: Person) -> list[str]:
    """What is wrong with the page that is shown, in both schemes, at both widths and on paper."""
    found, page = [], customer.page
    for size in (DESK, SMALLEST):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [f"{scheme}, {size['width']}: {one}" for one in customer.findings()]
        if customer.is_too_wide:
            found.append(f"too wide at {size['width']}")
    page.emulate_media(media="print", color_scheme="light")
    found += [f"on paper: {one}" for one in customer.findings()]
    if page.locator("nav, .screen").locator("visible=true").count():
        found.append("links on paper")
    page.emulate_media(media="screen")
    return found


def sheets(page: Page) -> int:
    """How many sheets of A4 it is printed on."""
    # Otherwise it prints as the last emulated medium, which is the screen.
    page.emulate_media(media="print")
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))


def test_the_pages_of_orders_are_accessible_everywhere_and_one_sheet(
    customer: Person, links: dict[str, str]
) -> None:
    found = {}
    connections = {name.partition(" ")[0]: link for name, link in links.items()}
    del connections["expired"]
    for number, (name, link) in enumerate(sorted(connections.items())):
        language = LANGUAGES[number % len(LANGUAGES)]
        look(customer, f"{link}?lang={language}")
        assert customer.page.locator("html").get_attribute("lang") == language
        assert customer.page.locator("script").count() == 0
        found[name] = faults(customer), sheets(customer.page)
    assert found == dict.fromkeys(connections, ([], 1))


def test_the_pages_that_show_no_order_are_accessible(customer: Person) -> None:
    for number, outcome in enumerate(REFUSALS):
        language = LANGUAGES[number % len(LANGUAGES)]
        made = outcome_page(outcome, status=200, language=language)
        address = f"{customer.stack.api_url}/track/{outcome}"
        customer.page.route(address, answering(made))
        look(customer, address)
        title = texts_of(language)["outcomes"][outcome]["title"]
        assert customer.page.locator("h1").inner_text() == title
        assert faults(customer) == [], outcome


def test_languages_switch_without_scripts_also_where_the_link_has_expired(
    enter: Callable[..., Person], links: dict[str, str]
) -> None:
    customer = enter(locale="da-DK", java_script_enabled=False)
    for name, status in (("expired", 410), (next(one for one in links if one != "expired"), 200)):
        look(customer, links[name], status=status)
        for shown, other in (("da", "Deutsch"), ("de", "English"), ("en", "Dansk")):
            assert customer.page.locator("html").get_attribute("lang") == shown
            customer.page.get_by_role("link", name=other).click()
        customer.complaints = [one for one in customer.complaints if "status of 410" not in one]
