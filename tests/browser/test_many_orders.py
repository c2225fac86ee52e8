"""Many orders at once: selected on the list, previewed, confirmed, and followed to the end."""

from playwright.sync_api import expect

from tests.browser.person import PATIENCE_MILLISECONDS, Person
from tests.e2e.conftest import Client

NUMBER = 30
UNKNOWN_METER = {"maLoIdentifier": None, "meterNumber": None, "meLoIdentifier": None}
LIST = "/orders?connection=rabot-energy&attention=missing_data"


def test_thirty_orders_are_acknowledged_at_once(operator: Person, client: Client) -> None:
    client.steer("rabot-energy", "orders", {**UNKNOWN_METER, "count": NUMBER})
    client.poll("rabot-energy")
    operator.open(LIST)
    number = operator.page.locator("[data-row]").count()
    assert number >= NUMBER

    operator.page.get_by_label("Select all orders of this page").check()
    operator.sees(f"{number} selected")
    operator.page.get_by_label("Action").select_option("acknowledge")
    operator.page.get_by_role("button", name="Preview").click()
    operator.page.wait_for_url("**/console/batches/*")
    operator.sees("Nothing is done yet")
    operator.page.get_by_role("button", name=f"for {number}").click()
    finished = operator.page.locator("[data-finished]")
    expect(finished).to_be_attached(timeout=2 * PATIENCE_MILLISECONDS)
    operator.sees(f"{number} of {number}")
    assert operator.findings() == []

    operator.open(LIST)
    assert operator.page.locator("[data-row]").count() == 0
    operator.sees("No order matches")
