"""A customer in every place and every encoding, similar customers, and their erasure."""

import base64
import gzip
import json
import quopri
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.notice import Audience, Channel, State
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.operations.erasure.encoded_text import readings, text_of
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import record
from milepost.orders.search_terms import customer_id_of_email
from milepost.quarantine.aws.store import Quarantine
from milepost.queries.aws.projector import MeasuredOrders
from milepost.queries.stage_durations import change_of
from tests.builders import KEY, OFFERGRID, RULES, notice, offergrid_event, report
from tests.integration.operator_requests import http_event, hurry
from tests.make_webhook_events import inbox_message
from tests.stack import ROOT, Context, Stack, aws, event

NAME, EMAIL, PHONE = "Ottilie Erlenkamp", "ottilie.erlenkamp@example.com", "+49 30 5557001"


FORMER: Final = "tilly@former.example.net"


CUSTOMER: Final[Any] = {"name": NAME, "email": EMAIL, "phone": PHONE, "number": "KN-77001"}


CANARIES: Final = ("ottilie", "erlenkamp", "tilly@former", "5557001", "kn-77001", "quellweg 3")


ADDRESS: Final[Any] = {"street": "Quellweg 3", "city": "Berlin"}


SHORT: Final = replace(KEY, order_id="42", item_id="7")


BEFORE: Final = datetime.now(UTC) - timedelta(minutes=30)


OTHERS: Final = (
    {"name": "Paul Ahrens", "email": "o.erlenkamp@example.org", "phone": "+49 30 5557002"},
    {"name": "Ida Ahrens", "email": "x-ottilie.erlenkamp@example.com", "phone": "+43 30 5557001"},
    {"name": "Jan Ahrens", "email": "ottilie.erlenkamp@example.com.au", "phone": "+49 30 55570011"},
)
"""People with much of theirs: part of the name or address, nearly the same number."""


def place_order(stack: Stack, key: OrderKey, *customers: Any, index: bool = True) -> None:
    """An order that had these customers one after another, and is found by the last one."""
    connection = replace(OFFERGRID, id=key.connection)
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=connection
    )
    for number, customer in enumerate(customers):
        said = report(
            Status.ACCEPTED,
            number,
            key=key,
            customer=customer,
            address={**ADDRESS, "street": f"Quellweg 3{'' if customer is CUSTOMER else '0'}"},
            note=f"ask for {customer.get('name')}",
        )
        record(said, orders=orders, rules=RULES, now=BEFORE)
    if index:
        tracked = orders.read(key)
        measured = MeasuredOrders(
            aws("dynamodb"),
            figures_table=stack.resources["FiguresTable"],
            search_table=stack.resources["SearchTable"],
        )
        measured.take([change_of(None, tracked)])


def encodings(email: str) -> Iterator[bytes]:
    """Bodies that could not be read, with an address in them."""
    yield json.dumps({"email": email}).replace("@", "\\u0040").encode()
    yield f'{{"email": "{email}", broken'.encode()
    yield f"email={quote(email, safe='')}&x=1".encode()
    yield base64.b64encode(json.dumps({"to": [email.upper()]}).encode())
    yield quopri.encodestring(f"To: \u00c4 {email}".replace("@", "=40").encode())
    yield f"<a href='mailto:{email.replace('@', '&#64;')}'>".encode()
    yield email.encode("utf-16")
    yield json.dumps(json.dumps({"x": json.dumps({"mail": email})})).encode()


def quarantine(stack: Stack, body: bytes, connection: str = KEY.connection) -> None:
    kept = Quarantine(lambda: aws("s3"), bucket=stack.resources["QuarantineBucket"])
    kept.keep(body, connection_id=connection, source="webhook", reason="x", at=BEFORE)


def letter(stack: Stack, queue: str, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    aws("sqs").send_message(QueueUrl=stack.resources[queue], MessageBody=text)


def bounce(email: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(
        (ROOT / "events" / "track_delivery" / "hard_bounce.json").read_text()
    )
    return json.loads(json.loads(json.dumps(made))["Records"][0]["body"]) | {
        "mail": {
            "timestamp": "2026-03-02T12:00:00Z",
            "messageId": "m-1",
            "source": "milepost@example.org",
            "destination": [email],
            "tags": {},
        }
    }


def unannounced(stack: Stack, name: str, *records: Any) -> None:
    body = json.dumps({"payload": json.dumps({"Records": records})}).encode()
    key = f"aws/lambda/{name}"
    aws("s3").put_object(Bucket=stack.resources["UnannouncedBucket"], Key=key, Body=body)


def export(stack: Stack, export_id: str, named: str, text: str) -> None:
    """The file of an export, with the index of its orders and addresses."""
    bucket, s3 = stack.resources["ExportsBucket"], aws("s3")
    index = gzip.compress(named.encode(), mtime=0)
    s3.put_object(Bucket=bucket, Key=f"index/{export_id}", Body=index)
    s3.put_object(Bucket=bucket, Key=f"exports/{export_id}.csv", Body=text.encode())


def stream_record(customer: Any, order_id: str) -> Any:
    (one,) = event("announce", "accepted")["Records"]
    text = json.dumps(one).replace(KEY.order_id, order_id)
    for field, value in (("Charlotte Nguyen", customer["name"]),):
        text = text.replace(field, value)
    return json.loads(text.replace("charlotte.nguyen@example.com", customer["email"]))


def enter(stack: Stack, key: OrderKey, to: str, **options: Any) -> Any:
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    made = notice(key=key, recipient=to, channel=Channel.EMAIL, **options)
    log.enter(Choice(notice=made, due_at=options.get("due_at")), at=BEFORE)
    return made


def plant_them(stack: Stack) -> None:
    """The customer's data, in every place."""
    place_order(stack, KEY, {**CUSTOMER, "email": FORMER}, CUSTOMER)
    place_order(stack, SHORT, CUSTOMER)
    place_order(stack, replace(KEY, order_id="not-indexed-1"), CUSTOMER, index=False)
    table = stack.resources["NoticesTable"]
    log, holds = (one(aws("dynamodb"), table_name=table) for one in (NoticesTable, HoldsTable))
    their = {"audience": Audience.CUSTOMER}
    enter(stack, KEY, EMAIL, **their)
    bounced = enter(stack, KEY, FORMER, **their)
    log.close(bounced, state=State.BOUNCED, reason=f"550 <{FORMER}> unknown", at=BEFORE)
    enter(stack, KEY, EMAIL.upper(), copy=1)
    enter(stack, replace(KEY, order_id="of-paul"), f" {EMAIL} ", copy=2)
    failed = enter(stack, replace(KEY, order_id="of-paul"), "sales@example.org", copy=3)
    log.close(failed, state=State.FAILED, reason=f"can't reach {EMAIL}", at=BEFORE)
    due = datetime.now(UTC) + timedelta(hours=1)
    holds.hold(enter(stack, SHORT, EMAIL, **their), due_at=due)
    holds.hold(enter(stack, replace(KEY, order_id="of-ida"), EMAIL), due_at=due)
    subscriptions = SubscriptionsTable(aws("dynamodb"), table_name=table)
    subscriptions.put(Subscription(id="theirs", recipient=EMAIL))
    hook = {"channel": Channel.HTTPS, "recipient": "https://example.org/hook"}
    subscriptions.put(Subscription(id="owned", owner=EMAIL, **hook))
    SuppressionsTable(aws("dynamodb"), table_name=table).suppress(
        EMAIL, reason=f"bounced before: {EMAIL}", at=BEFORE
    )
    for body in (*encodings(EMAIL), f'{{"orderId": "{KEY.order_id}", oops'.encode()):
        quarantine(stack, body)
    quarantine(stack, json.dumps({"customer": {"mail": EMAIL}}).encode(), "another-connection")
    quarantine(stack, b'{"tel": "0049 30/5557001"}', "another-connection")
    letter(stack, "InboxDeadLetters", inbox_message(json.dumps(offergrid_event())))
    letter(stack, "InboxDeadLetters", inbox_message(f'{{"email": "{EMAIL}"'))
    for to in (EMAIL, "Ottilie.Erlenkamp@EXAMPLE.com"):
        said = {"announcement": {}, "recipient": to, "connection": "x", "order_id": "y"}
        letter(stack, "EmailDeadLetters", said)
    letter(stack, "MailEventsDeadLetters", bounce(EMAIL))
    planned = {"order": KEY.path_id, "action": "cancel", "key": "k", "attempt": 1}
    letter(stack, "FailedInvocations", planned)
    letter(stack, "FailedInvocations", {"requestPayload": planned, "requestContext": {}})
    export(stack, "a" * 24, f"order {KEY.path_id}", f"name\r\n{CUSTOMER['name']}\r\n")
    export(stack, "b" * 24, f"address {EMAIL}", f"recipient\r\n{EMAIL}\r\n")
    unannounced(stack, "theirs", stream_record(CUSTOMER, KEY.order_id))
    unannounced(stack, "late", stream_record(CUSTOMER, "never-recorded"))


def plant_others(stack: Stack) -> None:
    """Data of similar customers, in every place."""
    table = stack.resources["NoticesTable"]
    subscriptions = SubscriptionsTable(aws("dynamodb"), table_name=table)
    elsewhere = replace(KEY, connection="offergrid-other")
    for number, other in enumerate(OTHERS):
        key = replace(elsewhere if number == 0 else KEY, item_id=f"i-{number}")
        key = key if number == 0 else replace(key, order_id=f"42{number}")
        place_order(stack, key, other)
        enter(stack, key, other["email"], audience=Audience.CUSTOMER)
        subscriptions.put(Subscription(id=f"other-{number}", recipient=other["email"]))
        quarantine(stack, json.dumps({"customer": other, "text": "42 pieces"}).encode())
        quarantine(stack, json.dumps({"customer": other, "orderId": "42"}).encode(), "another")
        for body in encodings(other["email"]):
            quarantine(stack, body)
        quarantine(stack, json.dumps({"orderId": KEY.order_id}).encode(), "another-connection")
        said = {**offergrid_event(), "orderId": f"42{number}"}
        letter(stack, "InboxDeadLetters", inbox_message(json.dumps(said)))
        mail = {"announcement": {}, "recipient": other["email"], "connection": "x", "order_id": "y"}
        letter(stack, "EmailDeadLetters", mail)
        letter(stack, "MailEventsDeadLetters", bounce(other["email"]))
        plan = {"order": key.path_id, "action": "cancel", "key": "k", "attempt": 1}
        letter(stack, "FailedInvocations", plan)
        named = f"order {key.path_id}\naddress {other['email']}"
        export(stack, f"{number:024x}", named, f"name\r\n{other['name']}\r\n")
        unannounced(stack, f"other-{number}", stream_record(other, f"42{number}"))
    team = {"announcement": {}, "recipient": "sales@example.org", "audience": "team"}
    letter(
        stack,
        "EmailDeadLetters",
        {**team, "connection": KEY.connection, "order_id": KEY.order_id},
    )


TABLES: Final = ("OrdersTable", "NoticesTable", "SearchTable", "FiguresTable", "ErasuresTable")


BUCKETS: Final = ("QuarantineBucket", "UnannouncedBucket", "ExportsBucket")


QUEUES: Final = (
    "InboxDeadLetters",
    "EmailDeadLetters",
    "MailEventsDeadLetters",
    "FailedInvocations",
    "EndpointDeadLetters",
    "InboxQueue",
    "EmailQueue",
    "EndpointQueue",
)


def everything(stack: Stack) -> dict[str, list[str]]:
    """All stored data, each item as a text; queues are empty afterwards."""
    found = {
        table: [json.dumps(one, default=str) for one in stack.items(table)] for table in TABLES
    }
    for bucket in BUCKETS:
        found[bucket] = [f"{key} {body!r}" for key, body in stack.objects(bucket).items()]
    for queue in QUEUES:
        found[queue] = [json.dumps(one) for one in stack.messages(queue)]
    return {place: sorted(texts) for place, texts in found.items()}


def run(stack: Stack, function: str, event: Any) -> Any:
    app = stack.load(function)
    if function == "orders_api":
        hurry(app)
    return app.handler(event, Context())


def index(stack: Stack) -> None:
    records = [
        {"dynamodb": {"NewImage": to_item(item), "SequenceNumber": f"{item['version']}"}}
        for item in stack.items("OrdersTable")
    ]
    assert run(stack, "measure_stages", {"Records": records}) == {"batchItemFailures": []}


def erase(stack: Stack, **query: Any) -> Any:
    path = f"/customers/{customer_id_of_email(EMAIL)}"
    answer = run(
        stack, "orders_api", http_event("DELETE", path, None, role="operator", query=query)
    )
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])


def decoded(text: str) -> str:
    return " ".join(readings(text_of(text.encode()))).lower()
