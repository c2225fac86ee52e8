"""Events for measurements: orders of Offergrid that go through six steps."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.batches import sqs_batch
from tests.builders import offergrid_event, offergrid_item, offergrid_order
from tests.make_webhook_events import inbox_message
from tests.signing import SECRET, standard_headers

STEPS: Final = (
    "pending",
    "submitted_to_provider",
    "accepted",
    "scheduled",
    "in_progress",
    "completed",
)
START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
APPOINTMENT: Final = "2026-03-12T02:00:00.000Z"


def at_step(step: int) -> str:
    """When a step occurred: one day after the previous step."""
    return f"{START + timedelta(days=step):%Y-%m-%dT%H:%M:%S}.250Z"


def webhook(order: int, step: int) -> str:
    """The body of the webhook that reports a step."""
    fields: dict[str, Any] = {"previousStatus": STEPS[step - 1] if step else None}
    return json.dumps(
        offergrid_event(
            orderId=f"ord-{order:06d}",
            itemId=f"item-{order:06d}-1",
            newStatus=STEPS[step],
            timestamp=at_step(step),
            providerNotes="Next steps: technician calls 30 minutes ahead.",
            scheduledFor=APPOINTMENT if STEPS[step] == "scheduled" else None,
            **fields,
        )
    )


def listed(order: int, step: int) -> dict[str, Any]:
    """The order in the form in which a poll finds it at a step, with everything that the provider
    knows then.
    """
    item = offergrid_item(
        itemId=f"item-{order:06d}-1",
        status=STEPS[step],
        scheduledFor=APPOINTMENT if step >= STEPS.index("scheduled") else None,
        updatedAt=at_step(step),
    )
    return offergrid_order(
        orderId=f"ord-{order:06d}",
        reference=f"PP-{order:06d}",
        updatedAt=at_step(step),
        items=[item],
    )


def delivery(body: str, number: int) -> str:
    """The message of the inbox for a webhook."""
    return inbox_message(body).replace("msg_2KqV7bWxR", f"msg_{number:08d}")


def batches(orders: int, *, size: int = 10) -> Iterator[dict[str, Any]]:
    """Every step of a number of orders, in batches of SQS: one step of all orders, then the next
    step.
    """
    messages = [
        delivery(webhook(order, step), step * orders + order)
        for step in range(len(STEPS))
        for order in range(orders)
    ]
    for start in range(0, len(messages), size):
        yield sqs_batch(messages[start : start + size])


def request(body: str, *, delivery_id: str) -> dict[str, Any]:
    """A signed request of the HTTP API (payload format 2.0) for the webhook's function."""
    headers = standard_headers(
        body.encode(), secret=SECRET, delivery_id=delivery_id, timestamp=int(time.time())
    )
    return {
        "version": "2.0",
        "routeKey": "ANY /webhooks/{connection}",
        "rawPath": "/webhooks/offergrid-home",
        "headers": {"content-type": "application/json", "user-agent": "Offergrid", **headers},
        "requestContext": {
            "stage": "$default",
            "http": {"method": "POST", "path": "/webhooks/offergrid-home"},
        },
        "pathParameters": {"connection": "offergrid-home"},
        "body": body,
        "isBase64Encoded": False,
    }
