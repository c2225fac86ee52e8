"""What leaves by SNS and to endpoints, when every field of every provider holds a canary.

The payloads follow from the adapters' own shapes, so a field that is added is looked at as well.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from milepost.aws.dynamodb_items import to_item
from milepost.connections.connection import Connection
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.notice import FOR_CONTACT_ALONE, Channel
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import OrdersTable, order_item
from milepost.orders.disclosure import WITHHELD
from milepost.orders.order import Announcement, Kind, TrackedOrder
from milepost.orders.recording import record
from milepost.orders.report import Report
from milepost.providers import offergrid, offergrid_payload, rabot, rabot_payload, spirii, subs
from milepost.providers.base import Provider
from tests.builders import NOON
from tests.fakes.orders import MemoryOrders
from tests.integration.adjusted_functions import allow_this_machine
from tests.integration.crash_injection import subscribe_a_queue_to_a_bus
from tests.make_events import sqs_batch
from tests.signing import SECRET
from tests.stack import Context, Stack, aws
from tests.unit.notifications.endpoints.receiver import Receiver, receiving

CANARY = "Canaria"
AT = "2026-03-02T10:30:00Z"
FIELDS = {
    *("version", "id", "kind", "connection", "provider", "order_id", "item_id", "reference"),
    *("service_type", "status", "raw_status", "previous_status", "correction", "occurred_at"),
    *("announced_at", "appointment", "reason", "cause", "delivery_end"),
}
NAMED = {
    # What may leave, and what an adapter goes by.
    **dict.fromkeys(("orderId", "id"), "ord-1"),
    "itemId": "item-1",
    **dict.fromkeys(("reference", "order_number", "contractNumber"), "PP-20417"),
    **dict.fromkeys(("serviceType", "service_type"), "internet"),
}
REASONS = ("reason", "cancellation_reason", "denialReason", "cancellationReason")
ENDING = ("status", "milestone", "state", "newStatus")
OF_ANOTHER = ("payment", "commission", "address", "deliveryState")
"""What has a status, or a state, that is not the order's."""


def canaries(shape: type[BaseModel], ending: str, reason: str | None) -> dict[str, Any]:
    """A payload of this shape with a canary in each of its texts, but for those that are named."""
    schema = shape.model_json_schema()
    kinds = schema.get("$defs", {})
    number = iter(range(10_000))

    def fill(part: Mapping[str, Any], name: str, within: str) -> Any:
        if "$ref" in part:
            part = kinds[part["$ref"].rpartition("/")[2]]
        if "anyOf" in part:
            part = next(one for one in part["anyOf"] if one.get("type") != "null")
            return fill(part, name, within)
        if part.get("type") == "object":
            fields = part.get("properties", {})
            return {one: fill(fields[one], one, name) for one in fields}
        if part.get("type") == "array":
            return [fill(part["items"], name, within)]
        if "type" not in part:
            # A date or an amount, which the adapters read by themselves.
            return 17 if name == "amount" or name.endswith("Consumption") else AT
        plain = {"boolean": False, "number": 17, "integer": 17}
        return plain[part["type"]] if part["type"] in plain else text(name, within)

    def text(name: str, within: str) -> str | None:
        if name in REASONS:
            return reason
        if name in ENDING and within not in OF_ANOTHER:
            return ending
        if name in {"email", "emailAddress"}:
            return f"{CANARY}{next(number)}@example.org"
        return NAMED.get(name, f"{CANARY}{next(number)} 030 4455{next(number):03}")

    filled: dict[str, Any] = fill(schema, "", "")
    return filled


def offergrid_webhook(reason: str | None) -> dict[str, Any]:
    content = canaries(offergrid_payload.Event, "rejected", reason)
    return content | {"event": "order.rejected" if reason else "order.status_changed"}


def whole_event(
    name: str, shape: type[BaseModel], ending: str, reason: str | None
) -> dict[str, Any]:
    order = canaries(shape, ending, reason)
    return {
        "id": f"{CANARY} of the event",
        "event": CANARY,
        "created_at": AT,
        "data": {name: order},
    }


SOURCES: dict[str, tuple[Provider, bool, Callable[[str | None], dict[str, Any]]]] = {
    "offergrid webhook": (offergrid.Offergrid(), True, offergrid_webhook),
    "offergrid poll": (
        offergrid.Offergrid(),
        False,
        lambda reason: canaries(offergrid_payload.Order, "rejected", reason),
    ),
    "offergrid poll of a failure": (
        offergrid.Offergrid(),
        False,
        lambda reason: canaries(offergrid_payload.Order, "failed", reason),
    ),
    "offergrid poll of a cancellation": (
        offergrid.Offergrid(),
        False,
        lambda reason: canaries(offergrid_payload.Order, "cancelled", reason),
    ),
    "rabot poll": (
        rabot.Rabot(),
        False,
        lambda reason: canaries(rabot_payload.Order, "Denied", reason),
    ),
    "spirii webhook": (
        spirii.Spirii(),
        True,
        lambda reason: whole_event("order", spirii.Order, "Cancelled", reason),
    ),
    "spirii poll": (
        spirii.Spirii(),
        False,
        lambda reason: canaries(spirii.Order, "Cancelled", reason),
    ),
    "subs webhook": (
        subs.Subs(),
        True,
        lambda reason: whole_event(
            "service_request", subs.ServiceRequest, "Inspection Failed", reason
        ),
    ),
    "subs poll": (
        subs.Subs(),
        False,
        lambda reason: canaries(subs.ServiceRequest, "Inspection Failed", reason),
    ),
}
PLAIN = "No capacity in the street cabinet"


def reports_of(source: str, reason: str | None, connection: Connection) -> list[Report]:
    provider, by_webhook, make = SOURCES[source]
    payload = make(reason)
    if by_webhook:
        return provider.read_event(payload, connection=connection, seen_at=NOON)
    return provider.read_order(payload, connection=connection, requested_at=NOON)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(status=204, content=b"") as one:
        yield one


def connection_of(source: str) -> Connection:
    name = source.split(maxsplit=1)[0]
    return Connection(id=f"{name}-main", provider=name, base_url="https://api.example.org")


def everything_that_leaves(
    stack: Stack, receiver: Receiver, connection: Connection, reports: list[Report]
) -> tuple[list[dict[str, Any]], str]:
    """The messages, and all that came to a subscriber of the topic, to a rule of the event bus and
    to an endpoint, as text."""
    writes = recorded(reports, connection)
    keep(stack, connection, writes)
    subscribe(stack, receiver)
    subscribe_a_queue_to_a_bus(stack)
    announce = stack.load("announce")
    answer = announce.handler({"Records": list(records(connection, writes))}, Context())
    assert answer == {"batchItemFailures": []}
    call_endpoint(stack, stack.load("call_endpoint"))
    published = stack.messages("Subscriber")
    bodies = [one["Message"] for one in published]
    assert sorted(bodies) == sorted(json.dumps(json.loads(one.body)) for one in receiver.requests)
    events = stack.messages("BusSubscriber")
    data = [json.dumps(one["detail"]["data"]) for one in events]
    assert sorted(data) == sorted(bodies)
    sent = [(one.path, _chosen(one.headers), one.body.decode()) for one in receiver.requests]
    return [json.loads(body) for body in bodies], json.dumps(
        [published, [one["detail"] for one in events], sent]
    )


def _chosen(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without those whose digits are by chance: the time, and the signature of it."""
    by_chance = {"webhook-timestamp", "webhook-signature"}
    return {name: value for name, value in headers.items() if name.lower() not in by_chance}


def recorded(
    reports: list[Report], connection: Connection
) -> list[tuple[TrackedOrder, tuple[Announcement, ...]]]:
    orders = MemoryOrders()
    provider = SOURCES[f"{connection.provider} poll"][0]
    for report in reports:
        record(report, orders=orders, rules=provider.rules, now=NOON)
    assert orders.written
    return orders.written


def keep(
    stack: Stack,
    connection: Connection,
    writes: list[tuple[TrackedOrder, tuple[Announcement, ...]]],
) -> None:
    stack.apply(connection)
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=connection
    )
    for tracked, new in writes:
        table.write(tracked, new=new)


def subscribe(stack: Stack, receiver: Receiver) -> None:
    SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"]).put(
        Subscription(
            id="crm",
            channel=Channel.HTTPS,
            recipient=receiver.url,
            kinds=frozenset(set(Kind) - FOR_CONTACT_ALONE),
        )
    )
    stack.keep_secret("EndpointSecrets", {"crm": SECRET})
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="Subscriber")["QueueUrl"]
    stack.resources["Subscriber"] = url
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    aws("sns").subscribe(
        TopicArn=stack.resources["AnnouncementsTopic"],
        Protocol="sqs",
        Endpoint=attributes["Attributes"]["QueueArn"],
    )


def records(
    connection: Connection, writes: list[tuple[TrackedOrder, tuple[Announcement, ...]]]
) -> Iterator[dict[str, Any]]:
    for number, (tracked, new) in enumerate(writes, start=1):
        image = to_item(order_item(tracked, connection=connection, new=new))
        yield {
            "eventID": f"{number:032x}",
            "eventName": "INSERT" if tracked.version == 1 else "MODIFY",
            "dynamodb": {
                "Keys": to_item(item_key(tracked.order.key)),
                "NewImage": image,
                "SequenceNumber": f"{number:021d}",
            },
        }


def call_endpoint(stack: Stack, app: ModuleType) -> None:
    allow_this_machine(app)
    batch = sqs_batch([json.dumps(one) for one in stack.messages("EndpointQueue")])
    assert app.handler(batch, Context()) == {"batchItemFailures": []}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("reason", [PLAIN, None], ids=["with a reason", "without"])
@pytest.mark.parametrize("source", SOURCES)
def test_no_field_leaves_but_those_that_are_listed(
    source: str, reason: str | None, stack: Stack, receiver: Receiver
) -> None:
    connection = connection_of(source)
    reports = reports_of(source, reason, connection)
    assert CANARY in str(reports)
    messages, texts = everything_that_leaves(stack, receiver, connection, reports)
    assert CANARY.lower() not in texts.lower()
    assert "304455" not in texts.replace(" ", "")
    assert messages
    for message in messages:
        assert message.keys() <= FIELDS
        assert message.get("reference", "PP-20417") == "PP-20417"
        assert message.get("reason") in ({WITHHELD} if reason else {None, WITHHELD})
    assert PLAIN not in texts


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "reason",
    [
        f"{CANARY}0 has moved",
        "Customer rang from 0491 570 156",
        "Code 4711-22",
        "Write to somebody@example.net",
        "Frau Sommer is not at home",
        "Max Mustermann war nicht anwesend",
        "See https://example.net/case",
    ],
)
@pytest.mark.parametrize("source", [one for one in SOURCES if one != "offergrid webhook"])
def test_a_reason_that_may_name_somebody_stays_behind(
    source: str, reason: str, stack: Stack, receiver: Receiver
) -> None:
    connection = connection_of(source)
    whole = reason
    if reason.startswith(CANARY):
        # Which canary is the customer's name depends on the provider's fields.
        (first, *_) = reports_of(source, PLAIN, connection)
        whole = f"{first.details['customer']['name'].upper()} has moved"
    reports = reports_of(source, whole, connection)
    messages, texts = everything_that_leaves(stack, receiver, connection, reports)
    assert CANARY.lower() not in texts.lower()
    assert reason not in texts
    assert [one["reason"] for one in messages if one["kind"] in {"rejected", "cancelled", "failed"}]
