"""Webhooks of each provider, and messages of the inbox queue, for ``make_events``."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from milepost.providers.base import Json
from milepost.webhooks.aws.inbox import InboxQueue
from tests.batches import sqs_batch
from tests.builders import (
    OFFERGRID,
    minute,
    offergrid_event,
)
from tests.payloads import charge_order, service_request

ACCEPTED: Final = offergrid_event(providerNotes="Timeline: install within 7 to 14 days.")
SCHEDULED: Final = offergrid_event(
    "order.scheduled",
    scheduledFor="2026-03-12T02:00:00.000Z",
    providerNotes="Next steps: technician calls 30 minutes ahead.",
    timestamp="2026-03-04T01:05:30.250Z",
)
RESCHEDULED: Final = SCHEDULED | {
    "scheduledFor": "2026-03-14T02:00:00.000Z",
    "timestamp": "2026-03-10T07:12:00.000Z",
}
COMPLETED: Final = offergrid_event(
    "order.completed", accountNumber="AC-5530017", timestamp="2026-03-12T04:20:00.000Z"
)
REJECTED: Final = offergrid_event(
    "order.rejected",
    itemId="item-7c1e20-2",
    reason="Service not available at this address",
    providerNotes="Special instructions: send the order again with the meter's NMI.",
    timestamp="2026-03-02T04:30:00.000Z",
)
CANCELLED: Final = offergrid_event(
    previousStatus="scheduled",
    newStatus="cancelled",
    providerNotes="Customer cancels: moved house.",
    timestamp="2026-03-11T22:10:00.000Z",
)
ALSO_SCHEDULED: Final = offergrid_event(
    previousStatus="accepted", newStatus="scheduled", timestamp=SCHEDULED["timestamp"]
)


def webhook_events() -> Iterator[tuple[str, Any]]:
    bodies = {
        "status_changed_accepted": ACCEPTED,
        "scheduled": SCHEDULED,
        "rescheduled": RESCHEDULED,
        "completed": COMPLETED,
        "rejected": REJECTED,
        "cancelled": CANCELLED,
        "late_accepted_after_completed": ACCEPTED,
        "unknown_status": ACCEPTED | {"newStatus": "on_hold"},
    }
    for name, body in bodies.items():
        yield f"receive_webhook/{name}", http_event(text_of(body), delivery_id=f"msg_{name}")
    accepted = text_of(ACCEPTED)
    again = http_event(accepted, delivery_id="msg_status_changed_accepted")
    yield "receive_webhook/duplicate_accepted", again
    yield "receive_webhook/bad_signature", http_event(accepted, signature="bad")
    unsigned = http_event(accepted)
    del unsigned["headers"]["webhook-signature"]
    yield "receive_webhook/no_signature", unsigned
    yield "receive_webhook/unknown_connection", http_event(accepted, connection="nobody")
    yield "receive_webhook/get_instead_of_post", http_event("", method="GET")
    yield "receive_webhook/not_json", http_event("<order/>")
    yield (
        "receive_webhook/another_connection",
        http_event(accepted, connection="offergrid-business"),
    )

    yield (
        "receive_webhook/subs_completed",
        http_event(
            text_of(_enveloped("service_request", service_request("Completed"))),
            connection="subs-grid",
        ),
    )
    yield "receive_webhook/spirii_scheduled", _from_spirii(charge_order())


def _enveloped(name: str, order: Json) -> Json:
    """An event of SUBS or Spirii, which contains the whole order."""
    event = f"{name}.updated"
    return {"id": "evt_1", "event": event, "created_at": order["updated_at"], "data": {name: order}}


def _from_spirii(order: Json) -> dict[str, Any]:
    event = http_event(text_of(_enveloped("order", order)), connection="spirii-charge")
    kept = {k: v for k, v in event["headers"].items() if not k.startswith("webhook-")}
    signed = {
        "spirii-event-id": "evt_1",
        "spirii-timestamp": "1772447400",
        "spirii-signature": "sign-me",
        "user-agent": "Spirii-Webhooks/1.0",
    }
    return {**event, "headers": {**kept, **signed}}


def http_event(
    body: str,
    *,
    connection: str = OFFERGRID.id,
    delivery_id: str = "msg_2KqV7bWxR",
    signature: str = "sign-me",
    method: str = "POST",
) -> dict[str, Any]:
    """A request in the form in which an HTTP API passes it to a function."""
    path = f"/webhooks/{connection}"
    return {
        "version": "2.0",
        "routeKey": "ANY /webhooks/{connection}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json",
            "user-agent": "Offergrid-Webhooks/1.0",
            "webhook-id": delivery_id,
            "webhook-timestamp": "1772447400",
            "webhook-signature": signature,
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "Offergrid-Webhooks/1.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "ANY /webhooks/{connection}",
            "stage": "$default",
            "time": "02/Mar/2026:10:30:00 +0000",
            "timeEpoch": 1772447400000,
        },
        "pathParameters": {"connection": connection},
        "body": body,
        "isBase64Encoded": False,
    }


def inbox_batches() -> Iterator[tuple[str, Any]]:
    single = {
        "accepted": ACCEPTED,
        "scheduled": SCHEDULED,
        "completed": COMPLETED,
        "rejected": REJECTED,
        "cancelled": CANCELLED,
        "unknown_status": ACCEPTED | {"newStatus": "on_hold"},
        "dated_ahead": ACCEPTED | {"timestamp": "2099-01-01T00:00:00.000Z"},
        "wrong_schema": {"event": "order.status_changed", "order": 7},
    }
    for name, body in single.items():
        yield f"record_report/{name}", sqs_batch([inbox_message(text_of(body))])
    yield "record_report/not_json", sqs_batch([inbox_message('{"event": "order.scheduled", ')])
    accepted = inbox_message(text_of(ACCEPTED))
    yield "record_report/duplicate_accepted", sqs_batch([accepted, accepted])
    late = [inbox_message(text_of(COMPLETED)), accepted]
    yield "record_report/late_accepted_after_completed", sqs_batch(late)
    two = [inbox_message(text_of(ALSO_SCHEDULED)), inbox_message(text_of(SCHEDULED))]
    yield "record_report/two_events_of_one_change", sqs_batch(two)
    poison = [accepted, "not what the inbox holds", inbox_message(text_of(REJECTED))]
    yield "record_report/one_poison_of_three", sqs_batch(poison)
    nobody = inbox_message(text_of(ACCEPTED), connection="nobody")
    yield "record_report/unknown_connection", sqs_batch([nobody])


@dataclass
class _Capture:
    """A queue's client that keeps the message instead of sending it."""

    body: str = ""

    def send_message(self, **sent: str) -> None:
        self.body = sent["MessageBody"]


def inbox_message(body: str, *, connection: str = OFFERGRID.id) -> str:
    """A webhook in the form in which it waits in the inbox."""
    queue = _Capture()
    InboxQueue(cast(Any, queue), queue_url="").put(
        connection_id=connection,
        delivery_id="msg_2KqV7bWxR",
        body=body.encode(),
        now=minute(60 * 24 * 10).timestamp(),
    )
    return queue.body


def text_of(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False)
