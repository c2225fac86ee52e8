"""Read requests to the API, for tests in which each request's calls fail."""

from dataclasses import replace
from typing import Any, Final

from milepost.connections.connection import TrackingPage
from tests.builders import KEY, OFFERGRID
from tests.integration.api_requests import (
    BATCH,
    CUSTOMER,
    EXPORT,
    a_batch,
    a_customer,
    an_export,
    kept,
    request,
    subscriptions,
)
from tests.integration.crash_injection import Scenario
from tests.integration.operator_requests import http_event, hurry
from tests.stack import Stack


def all_there_is(stack: Stack) -> Any:
    """A customer with orders and mails, an unreadable payload, dead letters, subscriptions."""
    a_customer(stack)
    subscriptions(stack)


def reads(path: str, **query: str) -> Scenario:
    """A request that reads all kinds of stored data."""

    def prepare(stack: Stack) -> Any:
        all_there_is(stack)
        return http_event("GET", path, None, role="viewer", query=query)

    return Scenario(function="orders_api", prepare=prepare, adjust=hurry)


def _letters_of_a_queue(stack: Stack) -> Any:
    """Requests with results that may name customers: only operators can read them."""
    all_there_is(stack)
    return request("GET", "/dead-letters/inbox")


def _one_kept(stack: Stack) -> Any:
    return request("GET", f"/quarantine/{kept(stack, b'one')}")


def _batches(stack: Stack) -> Any:
    a_batch(stack)
    return request("GET", "/batches")


def _a_batch(stack: Stack) -> Any:
    a_batch(stack)
    return request("GET", f"/batches/{BATCH}")


def _exports(stack: Stack) -> Any:
    an_export(stack)
    return request("GET", "/exports")


def _an_export(stack: Stack) -> Any:
    an_export(stack)
    return request("GET", f"/exports/{EXPORT}")


def _tracking_link(stack: Stack) -> Any:
    all_there_is(stack)
    stack.apply(replace(OFFERGRID, tracking=TrackingPage()))
    return http_event("GET", f"/orders/{_ITEM}/tracking-link", None, role="viewer", query={})


_ITEM: Final = f"{KEY.connection}:{KEY.order_id}:i-1"
READS: Final = {
    "orders_api, orders": reads("/orders"),
    "orders_api, orders due": reads("/orders", due="overdue"),
    "orders_api, orders of a customer": reads("/orders", q=CUSTOMER),
    "orders_api, order ids": reads("/order-ids", order=KEY.order_id),
    "orders_api, customers": reads("/customers", phone="+61 491 570 737"),
    "orders_api, an order": reads(f"/orders/{_ITEM}"),
    "orders_api, an order's notices": reads(f"/orders/{_ITEM}/notices"),
    "orders_api, a tracking link": Scenario(function="orders_api", prepare=_tracking_link),
    "orders_api, notices": reads("/notices", state="bounced"),
    "orders_api, batches": Scenario(function="orders_api", prepare=_batches),
    "orders_api, a batch": Scenario(function="orders_api", prepare=_a_batch),
    "orders_api, exports": Scenario(function="orders_api", prepare=_exports),
    "orders_api, one export": Scenario(function="orders_api", prepare=_an_export),
    "orders_api, suppressions": reads("/suppressions"),
    "orders_api, a group": reads(f"/groups/{KEY.connection}:{KEY.order_id}"),
    "orders_api, stages": reads("/stages"),
    "orders_api, commissions": reads("/commissions"),
    "orders_api, causes": reads("/causes"),
    "orders_api, scorecards": reads("/scorecards"),
    "orders_api, activity": reads("/activity"),
    "orders_api, views": reads("/views"),
    "orders_api, subscriptions": reads("/subscriptions"),
    "orders_api, one subscription": reads("/subscriptions/sales"),
    "orders_api, connections": reads("/connections"),
    "orders_api, one connection": reads(f"/connections/{OFFERGRID.id}"),
    "orders_api, quarantine": reads("/quarantine"),
    "orders_api, one of the quarantine": Scenario(function="orders_api", prepare=_one_kept),
    "orders_api, dead letters": reads("/dead-letters"),
    "orders_api, dead letters of a queue": Scenario(
        function="orders_api", prepare=_letters_of_a_queue, adjust=hurry
    ),
}
"""A request for each address that reads."""
