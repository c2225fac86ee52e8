"""A run of watch_deadlines, and clicks on a mail's links, to be interrupted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from milepost.common.email_addresses import address_hash
from milepost.common.status import Status
from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.connection import TrackingPage
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.mail.unsubscribe import Ending, token_of
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Kind, OrderKey
from milepost.orders.recording import record
from tests.builders import NOON, OFFERGRID, RULES, report, tracked
from tests.integration.crash_injection import (
    Scenario,
    subscribe_a_queue,
    subscribe_a_queue_to_a_bus,
)
from tests.make_mail_events import LINK_KEY, http_event, tracking_event, tracking_token
from tests.stack import Context, Stack, aws

CONTACT: Final = "lead@example.org"
SALES: Final = Subscription(id="sales", recipient="sales@example.org", kinds=frozenset(Kind))
MORE: Final = replace(SALES, id="more")
FIRST_RUN: Final = NOON + timedelta(days=3, minutes=1)
SECOND_RUN: Final = FIRST_RUN + timedelta(days=2)
A_RUN_LATER: Final = timedelta(minutes=15)


def put_subscriptions(stack: Stack, *subscriptions: Subscription) -> None:
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    for one in subscriptions:
        table.put(one)


def overdue_and_untold(stack: Stack) -> Any:
    """One order that was marked before and is to be escalated, and one to be marked about which
    nobody was ever notified. The stack has an event bus."""
    subscribe_a_queue(stack)
    subscribe_a_queue_to_a_bus(stack)
    connection = replace(OFFERGRID, contact=CONTACT)
    stack.apply(connection)
    table = stack.resources["OrdersTable"]
    orders = OrdersTable(aws("dynamodb"), table_name=table, connection=connection)

    def accepted(number: int, minutes: float) -> None:
        key = OrderKey(OFFERGRID.id, f"ord-{number}", f"item-{number}")
        one = report(Status.ACCEPTED, minutes, key=key)
        record(one, orders=orders, rules=RULES, now=one.seen_at)

    accepted(1, 0)
    stack.load("watch_deadlines").handler({"now": format_instant(FIRST_RUN)}, Context())
    accepted(2, 24 * 60)
    put_subscriptions(stack, SALES)
    return {"now": format_instant(SECOND_RUN)}


def next_run(event: Any) -> Any:
    return {"now": format_instant(parse_instant(event["now"]) + A_RUN_LATER)}


def one_click(stack: Stack) -> Any:
    """A click of a recipient with two subscriptions; a third subscription has another recipient."""
    put_subscriptions(stack, SALES, MORE, replace(SALES, id="other", recipient=CONTACT))
    return click(stack, Ending(subscriptions=(SALES.id,)))


def customers_click(stack: Stack) -> Any:
    return click(stack, Ending(customer=address_hash("lena.hoffmann@example.de")))


def click(stack: Stack, ending: Ending) -> Any:
    aws("secretsmanager").put_secret_value(
        SecretId=stack.resources["UnsubscribeSecret"], SecretString=LINK_KEY.decode()
    )
    return http_event("POST", token_of(ending, LINK_KEY), "List-Unsubscribe=One-Click")


def customers_look(stack: Stack) -> Any:
    aws("secretsmanager").put_secret_value(
        SecretId=stack.resources["UnsubscribeSecret"], SecretString=LINK_KEY.decode()
    )
    stack.apply(replace(OFFERGRID, tracking=TrackingPage()))
    table = stack.resources["OrdersTable"]
    orders = OrdersTable(aws("dynamodb"), table_name=table, connection=OFFERGRID)
    orders.write(tracked(report(Status.ACCEPTED)), new=())
    return tracking_event(tracking_token())


WATCHING_AND_LEAVING: Final = {
    "watch_deadlines": Scenario(
        function="watch_deadlines", prepare=overdue_and_untold, again=next_run
    ),
    "tracking_page": Scenario(function="tracking_page", prepare=customers_look),
    "unsubscribe": Scenario(function="unsubscribe", prepare=one_click),
    "unsubscribe, a customer": Scenario(function="unsubscribe", prepare=customers_click),
}
