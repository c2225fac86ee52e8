"""finish_erasures, and whoever takes in orders: what comes after an erasure doesn't stay."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from milepost.actions.action import PlannedCall
from milepost.actions.aws.scheduler import schedule_name
from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import record
from milepost.orders.report import Source
from tests.builders import KEY, OFFERGRID, RULES, report
from tests.integration.erasure_data import (
    BEFORE,
    CANARIES,
    CUSTOMER,
    EMAIL,
    decoded,
    enter,
    erase,
    everything,
    index,
    letter,
    place_order,
    plant_them,
    quarantine,
    run,
    stream_record,
    unannounced,
)
from tests.stack import Context, Stack, aws

_ROLE = "arn:aws:iam::123456789012:role"
SOON = timedelta(minutes=16)


def finish(stack: Stack, *, after: timedelta) -> Any:
    return run(stack, "finish_erasures", {"now": (datetime.now(UTC) + after).isoformat()})


@pytest.mark.thorough
def test_whatever_was_on_its_way_goes_by_the_second_sweep(applied: Stack) -> None:
    place_order(applied, KEY, CUSTOMER)
    erase(applied)
    plant_them(applied)
    said = {"announcement": {}, "recipient": EMAIL, "connection": "x", "order_id": "y"}
    letter(applied, "EndpointDeadLetters", said)
    letter(applied, "AnnounceFailures", f"lost: {EMAIL}")
    pauls = {"name": "Paul Ahrens", "email": "paul@example.com"}
    of_paul = stream_record(pauls, "of-paul")
    unannounced(applied, "mixed", of_paul, stream_record(CUSTOMER, KEY.order_id))
    for queue in ("EndpointDeadLetters", "AnnounceFailures"):
        letter(applied, queue, {"recipient": pauls["email"]})
    place_order_with_plan(applied, replace(KEY, order_id="planned"))
    index(applied)
    as_if_erased_afterwards(applied)
    told = finish(applied, after=timedelta(hours=1))
    assert (told["orders"], told["failed"]) == (3, 0)
    index(applied)
    assert aws("scheduler").list_schedules()["Schedules"] == []
    assert applied.messages("AnnounceFailures") == [{"recipient": pauls["email"]}]
    (mixed,) = applied.objects("UnannouncedBucket").values()
    assert json.loads(json.loads(mixed)["payload"]) == {"Records": [of_paul]}
    kept = [text for texts in everything(applied).values() for text in texts]
    # Who subscribes after an erasure wants to.
    not_in_flight = [text for text in kept if '"pk": "subscriptions"' not in text]
    assert not any(word in decoded(text) for text in not_in_flight for word in CANARIES)


def as_if_erased_afterwards(stack: Stack) -> None:
    """What was planted was on its way when the customer was erased."""
    soon = format_instant((datetime.now(UTC) + timedelta(minutes=5)).replace(microsecond=0))
    for item in stack.items("ErasuresTable"):
        if item["sk"].startswith("erasure#"):
            aws("dynamodb").update_item(
                TableName=stack.resources["ErasuresTable"],
                Key=to_item({"pk": item["pk"], "sk": item["sk"]}),
                UpdateExpression="SET erased_at = :at",
                ExpressionAttributeValues=to_item({":at": soon}),
            )


def place_order_with_plan(stack: Stack, key: OrderKey) -> None:
    place_order(stack, key, CUSTOMER)
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    plan = {"action": "cancel", "action_key": "k1", "result": "planned"}
    said = {**plan, "planned_for": "2027-01-01T00:00:00Z", "person": "lena"}
    planned = report(None, 20, key=key, raw=None, source=Source.PERSON, **said)
    record(planned, orders=orders, rules=RULES, now=BEFORE)
    aws("scheduler").create_schedule(
        Name=schedule_name(PlannedCall(order=key, action="cancel", key="k1")),
        GroupName=stack.resources["ActionSchedules"],
        ScheduleExpression="at(2027-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:lambda:eu-central-1:1:function:f",
            "RoleArn": "arn:aws:iam::1:role/r",
        },
    )


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "function",
    ["record_report", "poll_orders", "perform_action", "run_batches", "orders_api", "console"],
)
def test_whoever_takes_in_orders_refuses_those_of_an_erased_customer(
    applied: Stack,
    function: str,
) -> None:
    place_order(applied, KEY, CUSTOMER)
    erase(applied)
    app = applied.load(function)
    erasures = (
        app.services.acting.erasures
        if function in {"orders_api", "console"}
        else erased_by(app, function)
    )
    other = replace(KEY, order_id="another-order")
    seen = {"key": other, "customer": CUSTOMER}
    old, late = report(Status.PENDING, **seen), replace_seen(report(Status.PENDING, **seen))
    somebody = report(Status.PENDING, key=other, customer={"email": "paul@example.com"})
    further = replace_seen(report(Status.PENDING, key=replace(KEY, item_id="further")))
    assert [erasures.cover(one) for one in (old, further)] == [True, True]
    assert [erasures.cover(one) for one in (late, somebody)] == [False, False]


def erased_by(app: Any, function: str) -> Any:
    match function:
        case "run_batches":
            return app.worker.acting.erasures
        case "perform_action":
            return app.tools(Context()).erasures
        case "record_report":
            return app.recorder.erasures
    return app.sinks.erasures


def replace_seen(one: Any) -> Any:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return replace(one, seen_at=tomorrow, occurred_at=tomorrow)


@pytest.mark.thorough
def test_what_is_new_of_who_came_back_stays(applied: Stack) -> None:
    erase(applied)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    log = applied.resources["NoticesTable"]
    made = enter(applied, replace(KEY, order_id="new"), EMAIL)
    aws("dynamodb").update_item(
        TableName=log,
        Key={"pk": {"S": f"order#{KEY.connection}#new"}, "sk": {"S": sort_key(applied)}},
        UpdateExpression="SET queued_at = :at",
        ExpressionAttributeValues={":at": {"S": tomorrow.isoformat().replace("+00:00", "Z")}},
    )
    finish(applied, after=timedelta(days=2))
    (entry,) = (one for one in applied.items("NoticesTable") if one.get("id") == made.id)
    assert entry["recipient"] == EMAIL


def sort_key(stack: Stack) -> str:
    (entry,) = (one for one in stack.items("NoticesTable") if "id" in one)
    return str(entry["sk"])


def test_an_erasure_that_cannot_be_finished_fails_aloud_and_is_tried_again(
    applied: Stack,
) -> None:
    erase(applied)
    quarantine(applied, json.dumps({"email": EMAIL}).encode())
    url = applied.resources["EmailDeadLetters"]
    letter(applied, "EmailDeadLetters", {})
    (held,) = aws("sqs").receive_message(QueueUrl=url)["Messages"]
    with pytest.raises(Exception, match="1 erasures are not finished"):
        finish(applied, after=SOON)
    assert applied.objects("QuarantineBucket") == {}
    aws("sqs").change_message_visibility(
        QueueUrl=url, ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=0
    )
    assert finish(applied, after=SOON)["failed"] == 0
