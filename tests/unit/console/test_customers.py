"""The page about one customer."""

from typing import Any

from milepost.common.status import Status
from milepost.operations.erasure.erase import Erased
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of_email
from tests.builders import KEY, report, tracked
from tests.unit.console.conftest import Browser
from tests.unit.console.listed_orders import listed

CUSTOMER = customer_id_of_email("mia@example.org")
ADDRESS = f"/console/customers/{CUSTOMER}"


def with_an_order(browser: Browser) -> None:
    said = report(Status.ACCEPTED, customer={"name": "Mia <b>", "email": "mia@example.org"})
    browser.desk.orders.keep(tracked(said))
    browser.desk.search.by_customer[CUSTOMER] = [KEY]
    browser.desk.lists.orders = [listed(key=KEY, reference="R-77")]


def test_a_customer_is_found_by_email_in_any_spelling(browser: Browser) -> None:
    browser.sign_in()
    assert browser.get("/console/customers?find=MIA@example.org").location == ADDRESS
    assert "No customer has the phone number mia" in browser.get("/console/customers?find=mia").text


def test_a_customer_is_found_by_phone_in_any_spelling(browser: Browser) -> None:
    with_an_order(browser)
    phoned = {"name": "Mia <b>", "email": "mia@example.org", "phone": "0491 570 156"}
    browser.desk.lists.orders = [listed(key=KEY, facts={"customer": phoned})]
    browser.desk.search.by_words = [KEY]
    browser.sign_in()
    found = browser.get("/console/customers?find=%2B61+491+570+156")
    assert found.location == ADDRESS
    other = {"name": "Ole", "email": "ole@example.org", "phone": "+61491570156"}
    key = OrderKey(KEY.connection, "other", "other")
    browser.desk.lists.orders += [listed(key=key, facts={"customer": other})]
    browser.desk.search.by_words = [KEY, key]
    both = browser.get("/console/customers?find=%2B61+491+570+156").text
    assert "Mia &lt;b&gt;" in both
    assert customer_id_of_email("ole@example.org") in both
    assert "No customer has" in browser.get("/console/customers?find=%2B61+491+570+157").text


def test_orders_and_notices_of_a_customer_are_on_one_page(browser: Browser) -> None:
    with_an_order(browser)
    browser.sign_in("viewer")
    shown = browser.get(ADDRESS).text
    assert "R-77" in shown
    assert "Mia &lt;b&gt;" in shown
    assert "Erase" not in shown
    [(wanted, _, _)] = browser.desk.notice_lists.asked
    assert (wanted.recipient, wanted.audience) == ("mia@example.org", "customer")


def test_somebody_unknown_has_a_page_that_says_what_to_do(browser: Browser) -> None:
    browser.sign_in()
    assert "No order of this customer is known" in browser.get(ADDRESS).text
    assert browser.get("/console/customers/mia@example.org").status == 404


def test_a_customer_is_erased_only_when_the_operator_typed_the_id(browser: Browser) -> None:
    with_an_order(browser)
    asked: list[tuple[str, bool]] = []

    def erase(customer_id: str, *, now: Any, dry_run: bool) -> Erased:
        asked.append((customer_id, dry_run))
        return Erased(customer_id=customer_id, dry_run=dry_run, order_ids=("a:b:c",))

    operations: Any = browser.desk.api.services.operations
    operations.erasure.erase = erase
    browser.sign_in("operator")
    token = browser.get(ADDRESS).token
    refused = browser.post(f"{ADDRESS}/erase", csrf=token, confirmation="yes")
    assert refused.status == 422
    assert not asked
    assert "What would be erased" in browser.post(f"{ADDRESS}/look", csrf=token).text
    done = browser.post(f"{ADDRESS}/erase", csrf=token, confirmation=CUSTOMER.upper())
    assert "The customer is erased" in done.text
    assert asked == [(CUSTOMER, True), (CUSTOMER, False)]
    assert all(CUSTOMER not in str(one) for one in browser.desk.activity.entries.values())
