"""Erasing a customer whose order was recorded, announced, bounced, quarantined and given up."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.notice import Audience, Channel, State
from milepost.notifications.recipients import Choice
from milepost.operations.erasure.erase import Erased, Erasure
from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import record
from milepost.orders.search_terms import customer_id_of_email
from milepost.providers.registry import adapter
from milepost.quarantine.aws.store import Quarantine
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    minute,
    notice,
    offergrid_event,
    offergrid_order,
)
from tests.integration.operator_requests import hurry
from tests.make_events import sqs_batch
from tests.make_webhook_events import inbox_message
from tests.stack import Context, Stack, aws, event

EMAIL = "charlotte.nguyen@example.com"
SOMEBODY = "somebody@example.com"
TEAM = "sales@example.org"
PERSONAL = ("charlotte", "nguyen", "lygon", "570 156", "pp-20417")
CUSTOMER = customer_id_of_email(EMAIL)
OTHER = replace(KEY, order_id="ord-of-somebody-else")


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    return stack.load("record_report")


@pytest.fixture
def quarantine(stack: Stack) -> Quarantine:
    return Quarantine(lambda: aws("s3"), bucket=stack.resources["QuarantineBucket"])


@pytest.fixture
def erasure(stack: Stack) -> Erasure:
    """As orders_api has it; the customer's order is in the search index."""
    app = stack.load("orders_api")
    hurry(app)
    entry = {"pk": f"customer#{CUSTOMER}", "sk": str(KEY), "order": str(KEY)}
    aws("dynamodb").put_item(TableName=stack.resources["SearchTable"], Item=to_item(entry))
    made: Erasure = app.api.services.operations.erasure
    return made


def record_order(stack: Stack) -> None:
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    provider = adapter("offergrid")
    at = datetime(2026, 3, 5, tzinfo=UTC)
    for one in provider.read_order(offergrid_order(), connection=OFFERGRID, requested_at=at):
        record(one, orders=orders, rules=provider.rules, now=at)


def erase(erasure: Erasure) -> Erased:
    return erasure.erase(CUSTOMER, now=NOON)


def everything_of(stack: Stack) -> str:
    items = [stack.items(table) for table in ("OrdersTable", "NoticesTable")]
    objects = [
        *stack.objects("QuarantineBucket").values(),
        *stack.objects("UnannouncedBucket").values(),
    ]
    return f"{items} {objects}".lower()


@pytest.mark.thorough
def test_an_erased_order_is_a_tombstone_in_no_list_and_a_late_event_leaves_it_so(
    app: ModuleType, stack: Stack, erasure: Erasure
) -> None:
    record_order(stack)
    assert any(word in everything_of(stack) for word in PERSONAL)
    assert erase(erasure).orders == 1
    (item,) = stack.items("OrdersTable")
    assert (item["status"], item["erased_at"]) == ("scheduled", "2026-03-02T12:00:00Z")
    assert not {"status_shard", "next_date", "announce", "attention", "reference"} & item.keys()
    late = inbox_message(json.dumps(offergrid_event("order.completed", accountNumber="A-1")))
    poll = {**json.loads(inbox_message(json.dumps(offergrid_order()))), "source": "poll"}
    for message in (late, json.dumps(poll)):
        assert app.handler(sqs_batch([message]), Context()) == {"batchItemFailures": []}
    assert stack.items("OrdersTable") == [item]
    assert not any(word in everything_of(stack) for word in PERSONAL)


def enter(stack: Stack, log: NoticesTable, **changes: Any) -> Any:
    made = notice(**changes)
    log.enter(Choice(notice=made), at=NOON)
    return made


@pytest.mark.thorough
def test_the_log_keeps_what_the_team_was_told_and_forgets_the_customers_address(
    stack: Stack, erasure: Erasure
) -> None:
    record_order(stack)
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    customer = {"recipient": EMAIL, "audience": Audience.CUSTOMER}
    bounced = enter(stack, log, **customer)
    log.close(bounced, state=State.BOUNCED, reason=f"550 no {EMAIL} here", at=NOON)
    waiting = enter(stack, log, **customer, copy=1)
    team = enter(stack, log, recipient=TEAM)
    somebody = {**customer, "recipient": SOMEBODY}
    others = enter(stack, log, **somebody, key=OTHER)
    elsewhere = enter(stack, log, recipient=EMAIL.upper(), key=OTHER)
    assert erase(erasure).traces["notices"] == 3
    entries = {one["id"]: one for one in stack.items("NoticesTable")}
    assert {entries[one.id]["recipient"] for one in (bounced, waiting)} == {"erased"}
    assert "reason" not in entries[bounced.id]
    assert entries[waiting.id]["state"] == "skipped"
    assert entries[waiting.id]["reason"] == "the order was erased"
    assert (entries[team.id]["recipient"], entries[team.id]["state"]) == (TEAM, "queued")
    assert (entries[others.id]["recipient"], entries[others.id]["state"]) == (SOMEBODY, "queued")
    assert entries[elsewhere.id]["recipient"] == "erased"
    assert entries[elsewhere.id]["reason"] == "the recipient was erased"
    assert not log.claim(waiting, at=NOON, until=minute(1))
    assert erase(erasure).traces["notices"] == 0


@pytest.mark.thorough
def test_what_is_held_for_a_digest_of_theirs_goes_and_the_rest_stays(
    stack: Stack, erasure: Erasure
) -> None:
    record_order(stack)
    table = stack.resources["NoticesTable"]
    log, holds = (one(aws("dynamodb"), table_name=table) for one in (NoticesTable, HoldsTable))
    customer = {"recipient": EMAIL, "audience": Audience.CUSTOMER}
    due = NOON + timedelta(hours=1)
    for made in (
        enter(stack, log, **customer),
        enter(stack, log, **{**customer, "recipient": SOMEBODY}, key=OTHER),
        enter(stack, log, recipient=TEAM),
    ):
        holds.hold(made, due_at=due)
    erase(erasure)
    held = [
        json.loads(one["message"])
        for one in stack.items("NoticesTable")
        if one["pk"].startswith("held#")
    ]
    assert {(one["order_id"], one["recipient"]) for one in held} == {
        (OTHER.order_id, SOMEBODY),
        (KEY.order_id, TEAM),
    }


@pytest.mark.thorough
def test_what_could_not_be_read_or_done_and_names_them_goes(
    stack: Stack, erasure: Erasure, quarantine: Quarantine
) -> None:
    record_order(stack)
    for body in (f'{{"orderId": "{KEY.order_id}" oh no', f"mail to {EMAIL}", "somebody else"):
        quarantine.keep(
            body.encode(), connection_id=OFFERGRID.id, source="webhook", reason="x", at=NOON
        )
    sqs = aws("sqs")
    for text in (inbox_message(json.dumps(offergrid_event())), inbox_message("another's")):
        sqs.send_message(QueueUrl=stack.resources["InboxDeadLetters"], MessageBody=text)
    sqs.send_message(
        QueueUrl=stack.resources["EmailDeadLetters"], MessageBody=json.dumps({"recipient": EMAIL})
    )
    records = event("announce", "accepted")["Records"]
    others = json.loads(
        json.dumps(records).replace(KEY.order_id, OTHER.order_id).replace(EMAIL, SOMEBODY)
    )
    for name, kept in (("mixed", [*records, *others]), ("theirs", records)):
        body = json.dumps({"payload": json.dumps({"Records": kept})})
        bucket = stack.resources["UnannouncedBucket"]
        aws("s3").put_object(Bucket=bucket, Key=f"aws/lambda/{name}", Body=body.encode())
    traces = erase(erasure).traces
    assert {place: number for place, number in traces.items() if number} == {
        "quarantined": 2,
        "dead_letters": 2,
        "unannounced": 2,
    }
    assert list(stack.objects("QuarantineBucket").values()) == [b"somebody else"]
    assert len(stack.messages("InboxDeadLetters")) == 1
    assert stack.messages("EmailDeadLetters") == []
    ((_, left),) = stack.objects("UnannouncedBucket").items()
    assert json.loads(json.loads(left)["payload"]) == {"Records": others}


@pytest.mark.thorough
def test_a_mail_on_its_way_is_not_sent(stack: Stack, erasure: Erasure) -> None:
    record_order(stack)
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    made = enter(stack, log, recipient=EMAIL, audience=Audience.CUSTOMER, channel=Channel.EMAIL)
    erase(erasure)
    assert log.waiting([made]) == []
