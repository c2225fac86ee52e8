"""Reminders, and customers who are not known yet: on the deployed local stack."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from milepost.common.timestamps import format_instant, parse_instant
from milepost.notifications.notice import Audience
from milepost.orders.order import Kind
from tests.e2e.conftest import HOME, SHOP, Client, status_changed, wait_for
from tests.e2e.notification_checks import Subscriptions, log_of, mails_to, wait_for_state

pytestmark = pytest.mark.e2e


def watch(client: Client, now: datetime) -> dict[str, Any]:
    """A run of watch_deadlines as of this moment."""
    answer = client.stack.client("lambda").invoke(
        FunctionName=client.stack.outputs["WatchDeadlinesFunction"],
        Payload=json.dumps({"now": format_instant(now)}),
    )
    content: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, content
    return content


@pytest.mark.thorough
def test_people_are_reminded_of_an_appointment_once(
    client: Client, subscriptions: Subscriptions
) -> None:
    asked = subscriptions.add(kinds=frozenset({Kind.REMINDER}), connections=frozenset({HOME}))
    order_id = client.new_id("reminded")
    scheduled = status_changed(order_id, "scheduled")
    client.send(HOME, scheduled)
    client.wait_for_status(HOME, order_id, "item-1", "scheduled")
    before = parse_instant(scheduled["scheduledFor"]) - timedelta(hours=47)
    for _ in range(2):
        watch(client, before)
    wait_for_state(client, order_id, asked.recipient, "delivered")
    (mail,) = [one for one in mails_to(client, asked.recipient) if order_id in one["text"]]
    assert mail["subject"].startswith("Reminder: appointment ")


@pytest.mark.thorough
def test_a_customer_who_is_not_known_yet_is_notified_once_the_order_was_fetched(
    client: Client,
) -> None:
    address = f"{client.new_id('customer')}@example.com"
    customer = {"email": address}
    made = client.steer(HOME, "orders", {"webhook": False, "customer": customer})
    order_id, (item,) = made["orderId"], made["items"][:1]
    event = status_changed(order_id, "completed", item_id=item["itemId"], at=datetime.now(UTC))
    client.send(SHOP, event)

    def to_customer() -> dict[str | None, dict[str, Any]]:
        entries = log_of(client, order_id, SHOP, item["itemId"])
        mine = [one for one in entries if one["audience"] == Audience.CUSTOMER]
        return {one.get("recipient"): one for one in mine}

    def arrived() -> bool:
        states = {recipient: one["state"] for recipient, one in to_customer().items()}
        return states == {None: "skipped", address: "delivered"}

    wait_for(arrived, what="the customer's mail to arrive", show=to_customer, seconds=90)
    reason = to_customer()[None]["reason"]
    assert reason == "replaced: the order was fetched, and has an address now"
    assert len(mails_to(client, address)) == 1
