"""Writes events/: real payloads, created by the code that creates them in production.

``python -m tests.make_events``; a test says when they are out of date.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from milepost.actions.action import PlannedCall
from milepost.actions.aws.scheduler import schedule_input
from milepost.aws.dynamodb_items import to_item
from milepost.connections.connection import Connection
from milepost.notifications.aws.topic_and_queues import batch_message, notice_message
from milepost.notifications.claims import Batch
from milepost.notifications.notice import Channel, Notice
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import order_item
from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import record
from milepost.orders.report import Report
from milepost.providers.base import Json, Provider
from milepost.providers.offergrid import Offergrid
from milepost.providers.rabot import Rabot
from tests.batches import sqs_batch
from tests.builders import (
    KEY,
    OFFERGRID,
    RABOT,
    minute,
    offergrid_item,
    offergrid_order,
    rabot_order,
)
from tests.fakes.orders import MemoryOrders
from tests.make_api_events import api_events, console_events, scheduled_events
from tests.make_mail_events import mail_events
from tests.make_webhook_events import (
    ACCEPTED,
    CANCELLED,
    COMPLETED,
    REJECTED,
    RESCHEDULED,
    SCHEDULED,
    inbox_batches,
    webhook_events,
)

EVENTS: Final = Path(__file__).parent.parent / "events"
RECIPIENT: Final = "sales@example.org"
CHAT: Final = "hooks.slack.com/0a1b2c3d4e5f"


def all_events() -> Iterator[tuple[str, Any]]:
    """Every event's path below events/, and its content."""
    parts = (webhook_events, inbox_batches, _stream_batches, _notice_batches, _endpoint_batches)
    others = (_measured_batches, _schedules, _planned_actions, _batches, _exports, mail_events)
    for make in (*parts, *others, api_events, console_events, scheduled_events):
        yield from make()


def _endpoint_batches() -> Iterator[tuple[str, Any]]:
    told = _told()
    for name in ("accepted", "rejected", "scheduled", "completed", "cancelled"):
        _, announcement, key = told[name]
        yield f"call_endpoint/{name}", sqs_batch([_to_endpoint(announcement, key)])
    _, announcement, key = told["accepted"]
    third = _to_endpoint(announcement, key, attempt=2)
    yield "call_endpoint/third_attempt", sqs_batch([third])
    chat = _mail(announcement, key)
    chat = replace(chat, channel=Channel.SLACK, recipient=CHAT, subscription="chat")
    held = batch_message(Batch.of(chat, due_at=announcement.announced_at + timedelta(hours=1)))
    yield "call_endpoint/digest_for_a_chat", sqs_batch([json.dumps(held)])
    yield "call_endpoint/poison", sqs_batch(["not a notice"])


def _to_endpoint(announcement: Announcement, key: OrderKey, **more: int) -> str:
    url = "https://crm.example.com/hooks/orders"
    mail = _mail(announcement, key)
    one = replace(mail, channel=Channel.HTTPS, recipient=url, subscription="crm")
    return json.dumps({**notice_message(one), **more})


def _notice_batches() -> Iterator[tuple[str, Any]]:
    for name, (_tracked, announcement, key) in _told().items():
        message = json.dumps(notice_message(_mail(announcement, key)))
        yield f"send_notice/{name}", sqs_batch([message])
    _, announcement, key = _told()["accepted"]
    good = json.dumps(notice_message(_mail(announcement, key)))
    yield "send_notice/one_poison_of_two", sqs_batch(["not a notice", good])


def _mail(announcement: Announcement, key: OrderKey) -> Notice:
    return Notice(key=key, announcement=announcement, channel=Channel.EMAIL, recipient=RECIPIENT)


Write = tuple[TrackedOrder, tuple[Announcement, ...]]


def _stream_batches() -> Iterator[tuple[str, Any]]:
    writes = _writes()
    for name, write in writes.items():
        yield f"announce/{name}", {"Records": [_modified(1, write)]}
    five = ("accepted", "scheduled", "completed", "rejected", "cancelled")
    records = [_modified(number, writes[name]) for number, name in enumerate(five, start=1)]
    yield "announce/all_five", {"Records": records}
    removed = _modified(1, writes["accepted"]) | {"eventName": "REMOVE"}
    removed["dynamodb"] = {**removed["dynamodb"], "OldImage": removed["dynamodb"]["NewImage"]}
    del removed["dynamodb"]["NewImage"]
    yield "announce/removed", {"Records": [removed]}
    poison = _modified(2, writes["scheduled"])
    poison["dynamodb"]["NewImage"]["announce"] = {"S": "not what we write"}
    around = [_modified(1, writes["accepted"]), poison, _modified(3, writes["completed"])]
    yield "announce/one_poison_of_three", {"Records": around}


def _measured_batches() -> Iterator[tuple[str, Any]]:
    life = _lives(OFFERGRID, Offergrid(), [ACCEPTED, SCHEDULED, RESCHEDULED, COMPLETED])
    records = [
        _with_old_image(_modified(number, write), before)
        for number, (before, write) in enumerate(zip([None, *life], life, strict=False), start=1)
    ]
    yield "measure_stages/new_order", {"Records": records[:1]}
    yield "measure_stages/whole_life", {"Records": records}
    late = _lives(OFFERGRID, Offergrid(), [COMPLETED, ACCEPTED])
    arrived = [
        _with_old_image(_modified(number, write), before)
        for number, (before, write) in enumerate(zip([None, *late], late, strict=False), start=1)
    ]
    yield "measure_stages/late_accepted_after_completed", {"Records": arrived}
    removed = copy.deepcopy(records[-1]) | {"eventName": "REMOVE"}
    removed["dynamodb"]["OldImage"] = removed["dynamodb"].pop("NewImage")
    removed["dynamodb"]["SequenceNumber"] = f"{len(records) + 1:021d}"
    yield "measure_stages/removed", {"Records": [removed]}
    poison = copy.deepcopy(records[1])
    poison["dynamodb"]["NewImage"]["status"] = {"S": "not a status"}
    yield (
        "measure_stages/one_poison_of_three",
        {"Records": [records[0], poison, records[2]]},
    )
    yield "measure_stages/backfill", {"backfill": {}}
    yield "measure_stages/forecasts", {"forecasts": {}}


def _with_old_image(record: dict[str, Any], before: Write | None) -> dict[str, Any]:
    if before is None:
        return record
    image = _modified(0, before)["dynamodb"]["NewImage"]
    return record | {"dynamodb": {**record["dynamodb"], "OldImage": image}}


def _writes() -> dict[str, Write]:
    """The writes of a few orders, named after what they announce."""
    life = _lives(OFFERGRID, Offergrid(), [ACCEPTED, SCHEDULED, RESCHEDULED, COMPLETED])
    late = _lives(OFFERGRID, Offergrid(), [COMPLETED, ACCEPTED])
    stopped = _lives(OFFERGRID, Offergrid(), [ACCEPTED, SCHEDULED, CANCELLED])
    refused = _lives(OFFERGRID, Offergrid(), [REJECTED], item_id="item-7c1e20-2")
    rabot = _rabot_life(["Open", "Processing", "PendingDelivery", "Delivery", "Cancelled"])
    return {
        "accepted": life[1],
        "scheduled": life[2],
        "rescheduled": life[3],
        "completed": life[4],
        "cancelled": stopped[-1],
        "rejected": refused[-1],
        "announces_nothing": late[-1],
        "rabot_delivery": rabot[3],
        "rabot_cancelled": rabot[4],
    }


def _lives(
    connection: Connection, provider: Provider, bodies: list[Json], item_id: str = KEY.item_id
) -> list[Write]:
    """The writes if a poll finds the order as submitted and these webhooks follow."""
    item = offergrid_item(
        itemId=item_id,
        status="submitted_to_provider",
        scheduledFor=None,
        providerNotes=None,
        updatedAt="2026-03-01T22:45:00.000Z",
    )
    order = offergrid_order(items=[item], updatedAt="2026-03-01T22:45:00.000Z")
    reports = provider.read_order(order, connection=connection, requested_at=minute(-300))
    for body in bodies:
        reports += provider.read_event(body, connection=connection, seen_at=_seen(body))
    return _written(reports, provider)


def _seen(body: Json) -> datetime:
    return datetime.fromisoformat(body["timestamp"])


def _rabot_life(states: list[str]) -> list[Write]:
    reports: list[Report] = []
    for day, state in enumerate(states):
        ends = "2026-09-30 00:00:00" if state == "Cancelled" else None
        starts = "2026-04-01 00:00:00" if day > 1 else None
        order = rabot_order(state, endDateOfDelivery=ends, actualDateOfDelivery=starts)
        reports += Rabot().read_order(order, connection=RABOT, requested_at=minute(day * 60 * 24))
    return _written(reports, Rabot())


def _written(reports: list[Report], provider: Provider) -> list[Write]:
    orders = MemoryOrders()
    for report in reports:
        record(report, orders=orders, rules=provider.rules, now=report.seen_at)
    return orders.written


def _told() -> dict[str, tuple[TrackedOrder, Announcement, OrderKey]]:
    """The announcement of each write that has one."""
    return {
        name: (tracked, new[0], tracked.order.key)
        for name, (tracked, new) in _writes().items()
        if new
    }


def _modified(number: int, write: Write) -> dict[str, Any]:
    tracked, new = write
    connection = RABOT if tracked.order.key.connection == RABOT.id else OFFERGRID
    image = to_item(order_item(tracked, connection=connection, new=new))
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT" if tracked.version == 1 else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1772447400,
            "Keys": to_item(item_key(tracked.order.key)),
            "NewImage": image,
            "SequenceNumber": f"{number:021d}",
            "SizeBytes": len(json.dumps(image)),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/OrdersTable/stream/1",
    }


def _schedules() -> Iterator[tuple[str, Any]]:
    others = ("offergrid-business", "subs-grid", "spirii-charge")
    for connection in (OFFERGRID.id, RABOT.id, *others):
        yield f"poll_orders/{connection.replace('-', '_')}", {"connection": connection}


def _planned_actions() -> Iterator[tuple[str, Any]]:
    order = OrderKey("spirii-charge", "so-90001", "so-90001")
    due = PlannedCall(order=order, action="fulfill", key="0b7a51c2f0d84b2f9a6f1f6c7d0e8a11")
    yield "perform_action/fulfill_due", schedule_input(due)
    yield "perform_action/fulfill_third_attempt", schedule_input(replace(due, attempt=3))


def _batches() -> Iterator[tuple[str, Any]]:
    yield "run_batches/at_work", sqs_batch([json.dumps({"batch": "0a1b2c3d4e5f6071"})])
    yield "run_batches/poison", sqs_batch(["not a batch"])


def _exports() -> Iterator[tuple[str, Any]]:
    yield "make_exports/an_export", {"export": "6a1b2c3d12f803998b2500a3"}


def as_text(content: Any) -> str:
    """An event in the format of its file."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def write_events() -> None:
    for name, content in all_events():
        path = EVENTS / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_text(content))


if __name__ == "__main__":
    write_events()
