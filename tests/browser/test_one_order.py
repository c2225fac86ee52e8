"""What a new operator finds out and does about one order, from the pages alone."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.e2e.conftest import Client
from tests.e2e.waiting import wait_for


def test_today_leads_to_an_order_and_says_why_it_needs_attention(viewer: Person) -> None:
    viewer.open()
    parts = viewer.page.get_by_role("navigation", name="Parts of this page")
    parts.get_by_role("link", name="Needs attention").click()
    viewer.page.wait_for_url("**attention=any*")
    row = viewer.page.locator("[data-row]").first
    reason = row.locator(".flag").first.inner_text().removeprefix("▲").strip()
    row.locator("a").first.click()
    viewer.page.wait_for_url("**/console/orders/*")
    expect(viewer.page.get_by_role("region", name="Needs attention")).to_contain_text(reason)
    viewer.sees("What to do:")


def test_orders_that_are_stuck_at_a_provider_are_found_from_its_connection(viewer: Person) -> None:
    viewer.open("/connections")
    viewer.page.get_by_role("link", name="spirii-charge").click()
    viewer.page.wait_for_url("**/connections/spirii-charge")
    viewer.page.get_by_role("link", name="Overdue orders").click()
    viewer.page.wait_for_url("**connection=spirii-charge*")
    rows = viewer.page.locator("[data-row]")
    rows.first.wait_for()
    expect(rows.filter(has_text="spirii-charge")).to_have_count(rows.count())
    dates = rows.locator("[data-label='Next date'] time")
    due = dates.evaluate_all("all => all.map(one => one.dateTime)")
    assert len(due) == rows.count()
    assert max(due) < datetime.now(UTC).isoformat()


def test_actions_reach_the_provider_and_are_on_the_timeline(
    operator: Person, client: Client
) -> None:
    order = client.steer("spirii-charge", "orders", {})
    client.poll("spirii-charge")
    find(operator, order["order_number"])
    act(operator, "Note", Text="Rang at noon")
    act(operator, "Resend confirmation")
    act(operator, "Initiate installation")
    act(operator, "Cancel", **{"Reason, for the provider": "Moved away"})

    done = client.steer("spirii-charge", "actions", method="GET")["actions"]
    reached = [one["action"] for one in done if one["order"] == order["id"]]
    assert reached == ["resend_confirmation", "initiate_installation", "cancel"]
    timeline = operator.page.get_by_role("region", name="Timeline")
    for text in ("Rang at noon", "Resend confirmation: done", "Initiate installation: done"):
        expect(timeline).to_contain_text(text)
    expect(timeline.get_by_role("listitem").filter(has_text="Cancel: done")).to_contain_text(
        "by operator"
    )
    assert operator.page.get_by_text("Cancel", exact=True).count() == 0


def test_a_planned_action_is_shown_and_can_be_called_off(operator: Person, client: Client) -> None:
    order = client.steer("spirii-charge", "orders", {})
    client.poll("spirii-charge")
    find(operator, order["order_number"])
    day = datetime.now(UTC) + timedelta(days=30)
    act(operator, "Fulfill", **{"At (now if empty": f"{day:%Y-%m-%d}T09:30"})
    operator.sees("Planned: fulfill")
    operator.sees(f"{day.day} {day:%b %Y}, 09:30")
    operator.page.get_by_role("button", name="Call it off").click()
    operator.sees("Fulfill is cancelled.")
    done = client.steer("spirii-charge", "actions", method="GET")["actions"]
    assert [one for one in done if one["order"] == order["id"]] == []


@pytest.mark.parametrize(
    ("action", "moves", "answer"),
    [
        ("Check invoice", (), "not paid"),
        ("Resend authorization code", ("Inspection Initiated", "Contract Generated"), "sent"),
    ],
)
def test_actions_at_subs_show_the_providers_answer(
    operator: Person, client: Client, action: str, moves: tuple[str, ...], answer: str
) -> None:
    order = client.steer("subs-grid", "orders", {})
    for status in moves:
        client.steer("subs-grid", f"orders/{order['id']}/move", {"status": status})
    client.poll("subs-grid")
    find(operator, order["reference"])
    act(operator, action)
    timeline = operator.page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("The provider answered", ignore_case=True)
    expect(timeline).to_contain_text(answer, ignore_case=True)


def test_what_a_customer_was_told_is_found_and_sent_to_a_corrected_address(
    operator: Person, client: Client
) -> None:
    wrong, right = (f"{client.new_id(kind)}@example.com" for kind in ("wrong", "right"))
    order = client.steer("offergrid-business", "orders", {"customer": {"email": wrong}})
    path = f"orders/{order['orderId']}/move"
    client.steer("offergrid-business", path, {"status": "accepted"})
    client.poll("offergrid-business")
    wait_for(lambda: mails_to(client, wrong), what=f"a mail to {wrong}")

    find(operator, wrong)
    operator.page.locator("main .head a").filter(has_text=order["customer"]["lastName"]).click()
    operator.page.wait_for_url("**/console/customers/*")
    notices = operator.page.get_by_role("table", name="Notices")
    expect(notices).to_contain_text("Accepted")
    notices.get_by_role("link").first.click()
    operator.page.wait_for_url("**/console/notices/*")
    operator.page.get_by_role("link", name="Preview and send again").click()
    operator.page.wait_for_url("**/resend")
    operator.page.get_by_label("To another address").fill(right)
    operator.page.get_by_role("button", name="Update the preview").click()
    operator.page.get_by_role("button", name=f"Confirm: send it to {right}").click()
    operator.sees(right)
    wait_for(lambda: mails_to(client, right), what=f"a mail to {right}")


def test_the_customers_tracking_page_opens_from_the_order_and_its_links_are_revoked(
    operator: Person, client: Client
) -> None:
    order = client.steer("spirii-charge", "orders", {})
    client.poll("spirii-charge")
    find(operator, order["order_number"])
    page, address = operator.page, operator.page.url
    link = page.get_by_role("link", name="See it as the customer does")
    first = str(link.get_attribute("href"))
    assert page.request.get(first).status == 200
    page.locator("summary").get_by_text("Revoke every link").click()
    assert operator.findings() == []
    page.get_by_role("button", name="Revoke every link").click()
    operator.sees("Every earlier link to the tracking page is invalid")
    assert page.url == address
    second = str(link.get_attribute("href"))
    assert [page.request.get(one).status for one in (first, second)] == [410, 200]
    page.emulate_media(media="print")
    timeline = page.get_by_role("region", name="Timeline").bounding_box()
    assert timeline is not None
    assert timeline["width"] > page.evaluate("innerWidth") / 3, "on paper"


def find(person: Person, text: str) -> None:
    """Find one order by the field on every page, and open it."""
    person.open("/activity")
    person.page.keyboard.press("/")
    person.page.keyboard.type(text)
    person.page.keyboard.press("Enter")
    person.page.wait_for_url("**/console/orders?q=*")
    wait_for(lambda: is_listed(person), what=f"an order that is found by {text}")
    person.page.locator("[data-row] a").first.click()
    person.page.wait_for_url("**/console/orders/*")


def is_listed(person: Person) -> bool:
    """Whether the list has an order; else it is loaded again: an order is indexed after it came."""
    if person.page.locator("[data-row]").count():
        return True
    person.page.reload()
    return False


def act(person: Person, action: str, **fields: str) -> None:
    """Open the form of an action, fill it in, and confirm it."""
    form = person.page.locator("details.act").filter(
        has=person.page.locator("summary").get_by_text(action, exact=True)
    )
    form.locator("summary").click()
    for name, value in fields.items():
        form.get_by_label(name).fill(value)
    form.get_by_role("button", name="Confirm").click()
    expect(person.page.locator(".done")).to_contain_text(
        "The note" if action == "Note" else action, timeout=60_000
    )


def mails_to(client: Client, address: str) -> list[str]:
    return [mail["subject"] for mail in client.stack.mails() if address in str(mail["to"])]
