"""How many calls to AWS a page of the console takes, as botocore makes them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from milepost.common.status import Status
from milepost.notifications.aws import list_keys
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.recipients import Choice
from milepost.orders.aws import index_keys
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from tests.builders import OFFERGRID, RETAIL, notice, report, tracked
from tests.integration.console_browser import OperatorsBrowser, open_console
from tests.permissions import Watch
from tests.stack import Context, Stack, aws

MOST: Final = 8
"""Calls of a page."""
FILTERS = (
    "",
    "status=accepted",
    "status=in_progress&status=scheduled",
    f"connection={OFFERGRID.id}",
    "attention=any",
    "waiting=any",
    "due=overdue",
    "due=this_week",
    "provider=offergrid",
    "service_type=internet",
    "from=2026-01-01&to=2026-12-31",
    f"q=schmidt&connection={OFFERGRID.id}",
    f"connection={OFFERGRID.id}&status=scheduled&attention=any",
)
PAGES: Final = (
    "/console",
    *(f"/console/orders?{filters}" for filters in FILTERS),
    f"/console/orders/{OFFERGRID.id}:ord-0:item-1",
    "/console/notices",
    "/console/notices?state=failed&state=bounced&state=suppressed&state=skipped",
    "/console/notices?state=failed",
    f"/console/notices?connection={RETAIL.id}",
    "/console/notices?recipient=somebody@example.org",
    "/console/notices/suppressions",
    "/console/activity",
    "/console/activity?kind=perform_action",
    "/console/connections",
    f"/console/connections/{OFFERGRID.id}",
    "/console/subscriptions",
    "/console/operations",
    "/console/figures",
    "/console/customers",
    "/console/batches",
    "/console/views",
)


@pytest.fixture
def browser(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> OperatorsBrowser:
    """At a stack with orders of every status and notices, whose watch has run."""
    for module in (index_keys, list_keys):
        monkeypatch.setattr(module, "MOST_SHARDS", 8)
    for number in range(3 * len(Status)):
        put(stack, number)
    stack.load("watch_deadlines").handler({}, Context())
    return open_console(stack)


def put(stack: Stack, number: int) -> None:
    connection = (OFFERGRID, RETAIL)[number % 2]
    key = OrderKey(connection.id, f"ord-{number}", "item-1")
    at = datetime.now(UTC) - timedelta(minutes=number)
    said = report(
        list(Status)[number % len(Status)],
        key=key,
        customer={"name": "Anna Schmidt"},
        service_type="internet",
    )
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=connection
    )
    table.write(tracked(replace(said, occurred_at=at, seen_at=at)), new=())
    entered = Choice(notice=notice(key=key, recipient="somebody@example.org"))
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    log.enter(replace(entered, skipped="no email address" if number % 2 else None), at=at)


def calls_of(address: str, browser: OperatorsBrowser, permitted: Watch) -> Counter[str]:
    """The calls of a page; not those with which a process reads settings and keys at its start."""
    assert browser.get(address).status == 200
    permitted.calls.clear()
    assert browser.get(address).status == 200
    return Counter(permitted.calls)


@pytest.mark.thorough
def test_no_page_takes_more_than_eight_calls(browser: OperatorsBrowser, permitted: Watch) -> None:
    made = {address: calls_of(address, browser, permitted) for address in PAGES}
    too_many = {address: one for address, one in made.items() if one.total() > MOST}
    assert not too_many, too_many
