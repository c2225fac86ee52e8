"""One customer: all their orders and notices, and their erasure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from milepost.api.problems import NotFound, Problem
from milepost.api.routes.customers import erase_customer, find_by_phone
from milepost.api.routes.notice_lists import NoticeList, list_notices
from milepost.api.text_patterns import CUSTOMER_ID
from milepost.console.page_context import Visit
from milepost.console.pages.notices import TONES
from milepost.console.query_values import text_of
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.notifications.notice import Audience
from milepost.orders.details import Details
from milepost.orders.search_terms import customer_id_of_email, phone_part
from milepost.queries.order_list import Listed

pages = Pages()

ROWS: Final = 25
MOST_ORDERS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The data of a customer."""

    orders: Sequence[Listed]
    details: Details = field(default_factory=Details)
    is_cut: bool = False


@pages.get("/console/customers")
def find_customer(visit: Visit) -> Answer:
    """Find a customer by their email address or phone number."""
    asked = text_of(visit.query, "find", most=254)
    if asked and "@" in asked:
        return visit.go_to(f"/console/customers/{customer_id_of_email(asked)}")
    found = find_by_phone(asked, visit.services) if asked else []
    if len(found) == 1:
        return visit.go_to(f"/console/customers/{found[0].id}")
    return visit.page("find_customer.html", asked=asked, found=found)


@pages.get("/console/customers/{customer}")
def show_customer(visit: Visit) -> Answer:
    """The customer's orders, and the notices to them."""
    customer = _customer_of(visit)
    known = _orders_of(visit, customer)
    email = known.details.get("customer", {}).get("email")
    reads = visit.parts(notices=lambda: _notices_to(visit, email))
    return visit.page(
        "customer.html",
        customer=customer,
        known=known,
        email=email,
        notices=reads["notices"],
        tones=TONES,
    )


@pages.post("/console/customers/{customer}/look")
def look_before_erasing(visit: Visit) -> Answer:
    """Show what would be erased, without changing anything."""
    customer = _customer_of(visit)
    would = erase_customer(customer, visit.services, dry_run=True)
    return visit.page("erase_customer.html", customer=customer, erased=would)


@pages.post("/console/customers/{customer}/erase")
def erase(visit: Visit) -> Answer:
    """Erase a customer permanently."""
    customer = _customer_of(visit)
    if visit.form.one("confirmation").casefold() != customer:
        raise Problem(422, f"Nothing was erased. To erase this customer, type {customer}.")
    erased = visit.changes.make("DELETE", f"/customers/{customer}")
    return visit.page("erase_customer.html", customer=customer, erased=erased)


def _customer_of(visit: Visit) -> str:
    customer = visit.path["customer"].lower()
    if not re.fullmatch(CUSTOMER_ID, customer):
        raise NotFound(
            "A customer's id has 16 or 24 hex digits: find the customer by email or phone."
        )
    return customer


def _orders_of(visit: Visit, customer: str) -> Known:
    keys = sorted(visit.services.search.orders_of_customer(customer))
    shown = keys[:MOST_ORDERS]
    if not shown:
        return Known(orders=())
    orders = [one for one in visit.services.lists.look_up(shown) if _may_be(one, customer)]
    newest_first = sorted(orders, key=lambda one: one.since, reverse=True)
    tracked = visit.services.orders.read(newest_first[0].key) if newest_first else None
    return Known(
        orders=newest_first,
        details=tracked.order.details if tracked else Details(),
        is_cut=len(keys) > MOST_ORDERS,
    )


def _may_be(order: Listed, customer: str) -> bool:
    """False for an order of another person with the same phone number."""
    theirs = order.customer_id
    is_anothers = phone_part(theirs) == phone_part(customer) != customer != theirs
    return not (is_anothers and theirs != phone_part(theirs))


def _notices_to(visit: Visit, email: str | None) -> NoticeList:
    if not email:
        return NoticeList(notices=[], next=None)
    return list_notices(
        visit.services, audience=Audience.CUSTOMER, recipient=email, limit=ROWS, cursor=None
    )
