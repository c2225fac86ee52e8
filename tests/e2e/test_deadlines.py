"""What is late is seen, told, and escalated: on the deployed stack."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from milepost.common.timestamps import format_instant
from milepost.orders.order import Kind
from tests.e2e.conftest import HOME, Client, status_changed
from tests.e2e.notification_checks import Subscriptions, mails_to, wait_for_state

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


def attention(client: Client, order_id: str) -> list[str]:
    item = client.order(HOME, order_id, "item-1") or {}
    return [one["M"]["code"]["S"] for one in item.get("attention", {}).get("L", [])]


@pytest.mark.thorough
def test_an_overdue_order_needs_attention_and_is_mailed_once_to_who_asked_for_that(
    client: Client, subscriptions: Subscriptions
) -> None:
    asked = subscriptions.add(kinds=frozenset({Kind.OVERDUE}), connections=frozenset({HOME}))
    order_id = client.new_id()
    client.send(HOME, status_changed(order_id, "accepted"))
    client.wait_for_status(HOME, order_id, "item-1", "accepted")
    # An order may be accepted for three days.
    late = datetime.now(UTC) + timedelta(days=3, hours=1)
    watch(client, late)
    assert "overdue" in attention(client, order_id)
    watch(client, late)
    wait_for_state(client, order_id, asked.recipient, "delivered")
    mine = [mail for mail in mails_to(client, asked.recipient) if order_id in mail["text"]]
    assert [mail["subject"].partition(" (")[0] for mail in mine] == ["Overdue"]
    client.send(HOME, status_changed(order_id, "completed"))
    client.wait_for_status(HOME, order_id, "item-1", "completed")
    assert attention(client, order_id) == []
