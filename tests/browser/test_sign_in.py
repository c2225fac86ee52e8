"""Sessions: how they begin and end, and forms of other sites."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from local.stack import Stack
from tests.browser.person import Person, sign_in
from tests.e2e.conftest import Client

pytestmark = pytest.mark.usefixtures("client")


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_people_come_to_the_page_that_they_wanted_and_can_leave(
    enter: Callable[..., Person], role: str
) -> None:
    person = enter()
    sign_in(person, role, "/orders?status=pending")
    person.sees("Orders")

    person.page.get_by_text(role, exact=True).click()
    person.page.get_by_role("button", name="Sign out").click()
    person.sees("signed out")
    cookies = person.page.context.cookies(person.stack.console_url)
    assert [one["name"] for one in cookies if one["name"].startswith("__Host-")] == []

    person.page.go_back()
    person.page.goto(person.stack.console_url + "/orders")
    assert person.page.locator("[name=password]").is_visible()


def test_a_wrong_password_opens_nothing(enter: Callable[..., Person]) -> None:
    person = enter()
    person.page.goto(person.stack.console_url)
    person.page.locator("[name=username]").fill("operator")
    person.page.locator("[name=password]").fill("not that one")
    person.page.locator("[name=password]").press("Enter")
    person.page.wait_for_load_state()
    assert not person.page.url.startswith(person.stack.console_url)
    person.page.goto(person.stack.console_url + "/orders")
    assert person.page.locator("[name=password]").is_visible()


def test_a_session_that_ended_in_one_tab_has_ended_in_the_other(
    enter: Callable[..., Person], client: Client
) -> None:
    person = enter()
    sign_in(person, "operator", "/connections/offergrid-home")
    polls = len(client.steer("offergrid-home", "requests", method="GET")["requests"])
    other = person.page.context.new_page()
    other.goto(person.stack.console_url)
    other.get_by_text("operator", exact=True).click()
    other.get_by_role("button", name="Sign out").click()
    other.get_by_text("signed out").first.wait_for()

    person.page.get_by_role("button", name="Poll now").click()
    person.sees("Your session has ended")
    assert person.page.get_by_role("link", name="Sign in").is_visible()
    person.complaints = [one for one in person.complaints if "status of 401" not in one]
    assert len(client.steer("offergrid-home", "requests", method="GET")["requests"]) == polls


FORGED = """<!doctype html><form method="post" action="{action}">
<input name="csrf" value="{token}"><input name="text" value="Forged"></form>"""


@pytest.mark.parametrize("site", ["http://forger.example", "http://127.0.0.1:9"])
def test_a_form_of_another_site_does_nothing(operator: Person, stack: Stack, site: str) -> None:
    """Also one on another port of the same host, to which browsers give the session's cookie."""
    operator.open("/orders")
    operator.page.locator("[data-row] a").first.click()
    operator.page.wait_for_url("**/console/orders/*")
    order = operator.address
    token = operator.page.locator("input[name=csrf]").first.input_value()
    form = FORGED.format(action=f"{stack.console_url}{order}/actions/note", token=token)
    page = operator.page.context.new_page()
    page.route(f"{site}/**", lambda route: _answer(route, form))
    page.goto(f"{site}/win-a-prize")
    status = _send(page)
    assert status in (401, 403)
    operator.complaints = [one for one in operator.complaints if f"of {status}" not in one]

    operator.open(order)
    assert "Forged" not in operator.page.inner_text("main")


def _answer(route: Route, text: str) -> None:
    route.fulfill(body=text, content_type="text/html")


def _send(page: Page) -> int:
    with page.expect_navigation() as navigation:
        page.evaluate("document.forms[0].submit()")
    answer = navigation.value
    assert answer is not None
    return answer.status


PUT_INTO_THE_PAGE = """html => new Promise(done => {
    const main = document.querySelector("main");
    main.innerHTML = html;
    main.querySelector("img").addEventListener("error", () => done());
})"""


def test_what_is_written_into_a_page_is_not_run(operator: Person, client: Client) -> None:
    """Neither what a provider writes, since it is escaped; nor what got in all the same."""
    attack = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    order = client.steer("offergrid-home", "orders", {"customer": {"firstName": attack}})
    change = {"status": "rejected", "reason": attack, "providerNotes": attack}
    client.steer("offergrid-home", f"orders/{order['orderId']}/move", change)
    client.poll("offergrid-home")
    item = order["items"][0]["itemId"]
    operator.open(f"/orders/offergrid-home:{order['orderId']}:{item}")
    operator.sees("onerror")
    assert operator.page.title() != "taken"
    assert operator.complaints == []

    operator.page.evaluate(PUT_INTO_THE_PAGE, attack)
    assert operator.page.title() != "taken"
    assert any("Content Security Policy" in one for one in operator.complaints)
    operator.complaints.clear()
