"""The deployed console: signing in at the user pool, the pages, and how a session ends."""

import pytest

from milepost.console.sign_in import SESSION_COOKIE
from tests.e2e.conftest import HOME, Client, status_changed
from tests.e2e.console_visitor import Visitor

pytestmark = pytest.mark.thorough

PAGES = (
    *("", "/orders", "/customers", "/notices", "/notices/suppressions", "/subscriptions"),
    *("/connections", "/figures", "/figures/causes", "/figures/commissions"),
    *("/operations", "/operations/quarantine", "/activity"),
)
"""Pages that need nothing in their address."""


def test_people_sign_in_look_and_sign_out(client: Client) -> None:
    order_id = client.new_id()
    client.send(HOME, status_changed(order_id, "accepted"))
    client.wait_for_status(HOME, order_id, "item-1", "accepted")

    viewer, operator = Visitor(client.stack), Visitor(client.stack)
    for role, visitor in (("viewer", viewer), ("operator", operator)):
        shown = visitor.sign_in(role)
        assert (shown.status, shown.address) == (200, f"{client.stack.console_url}/orders")
        assert role.capitalize() in shown.text
        found = visitor.get(f"/orders?status=accepted&connection={HOME}")
        assert found.status == 200, found.text
        assert "data-row" in found.text

    # A viewer's pages have no form that changes anything.
    for page in PAGES:
        shown = viewer.get(page)
        assert shown.status == 200, shown.text
        assert shown.posts_to == ["/console/sign-out"]

    # What an operator does on an order's page is on its timeline.
    path = f"/orders/{HOME}:{order_id}:item-1"
    page = operator.get(path)
    assert page.status == 200, page.text
    noted = operator.post(f"{path}/actions/note", **page.hidden, text="Rang at noon")
    assert noted.status == 200, noted.text
    assert "Rang at noon" in operator.get(path).text
    assert viewer.get(path).posts_to == ["/console/sign-out"]
    token = viewer.get(path).hidden["csrf"]
    assert viewer.post(f"{path}/actions/note", csrf=token, text="No").status == 403

    # Other sites' forms and those of other sessions do nothing.
    own = operator.get("/orders").hidden["csrf"]
    other = viewer.get("/orders").hidden["csrf"]
    assert operator.post("/sign-out", origin="https://evil.example", csrf=own).status == 403
    assert operator.post("/sign-out", csrf=other).status == 403
    assert operator.get("/orders").status == 200

    # Whoever kept the cookie can do nothing with it after the session.
    kept = dict(operator.cookies)
    out = operator.post("/sign-out", csrf=own)
    assert (out.status, out.address) == (200, f"{client.stack.console_url}/signed-out")
    assert SESSION_COOKIE not in operator.cookies
    thief = Visitor(client.stack, cookies={SESSION_COOKIE: kept[SESSION_COOKIE]})
    asked = thief.get("/orders")
    assert not asked.address.startswith(client.stack.console_url)
    assert 'name="password"' in asked.text
