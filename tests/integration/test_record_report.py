"""record_report: what is in the table and in the quarantine after a batch."""

import base64
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import to_item
from milepost.connections.connection import Connection
from milepost.deliveries.aws.recorder import DeliveryRecorder
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.order import OrderKey
from milepost.polling import page_cache
from tests.builders import KEY, offergrid_event
from tests.make_events import sqs_batch
from tests.make_webhook_events import inbox_message
from tests.stack import Context, Stack, aws, event

ITEM = KEY.item_id


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    return stack.load("record_report")


def invoke(app: ModuleType, batch: dict[str, Any]) -> list[str]:
    """The ids of the messages that failed."""
    answer = app.handler(batch, Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


@pytest.mark.parametrize("slow", ["to read", "to record"])
def test_what_there_is_no_time_for_comes_back_and_nothing_of_it_is_recorded(
    slow: str, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (
        event("record_report", name)["Records"][0]
        for name in ("accepted", "scheduled", "completed")
    )
    records = [
        {**one, "messageId": f"m{place}"} for place, one in enumerate((first, second, third))
    ]
    context = Context(milliseconds=30_000)
    name = "read" if slow == "to read" else "record"
    work = getattr(DeliveryRecorder, name)

    def take_time(*args: Any) -> Any:
        context.milliseconds -= 8_000 if slow == "to read" else 10_000
        return work(*args)

    monkeypatch.setattr(DeliveryRecorder, name, take_time)
    answer = app.handler({"Records": records}, context)
    back = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    assert back == {"m2"}
    assert stack.orders()[ITEM]["status"] == "scheduled"
    monkeypatch.undo()
    app.handler({"Records": [one for one in records if one["messageId"] in back]}, Context())
    assert stack.orders()[ITEM]["status"] == "completed"


def body_of(batch: dict[str, Any]) -> bytes:
    return base64.b64decode(json.loads(batch["Records"][0]["body"])["body"])


@pytest.mark.parametrize("name", ["accepted", "scheduled", "completed", "rejected", "cancelled"])
def test_an_event_becomes_an_order_that_announces_it(
    name: str, app: ModuleType, stack: Stack
) -> None:
    assert invoke(app, event("record_report", name)) == []
    (item,) = stack.items("OrdersTable")
    assert item["status"] == name
    assert [one["kind"] for one in json.loads(item["announce"])] == [name]


def test_a_duplicate_changes_nothing(app: ModuleType, stack: Stack) -> None:
    for _ in range(3):
        assert invoke(app, event("record_report", "duplicate_accepted")) == []
    (item,) = stack.items("OrdersTable")
    assert (item["version"], len(item["timeline"])) == (1, 1)


def test_a_late_event_takes_its_place_and_announces_nothing(app: ModuleType, stack: Stack) -> None:
    assert invoke(app, event("record_report", "late_accepted_after_completed")) == []
    item = stack.orders()[ITEM]
    assert item["status"] == "completed"
    assert [entry["status"] for entry in item["timeline"]] == ["accepted", "completed"]
    assert [one["kind"] for one in item["announced"]] == ["completed"]
    assert "announce" not in item


def test_two_events_of_one_change_are_one_transition(app: ModuleType, stack: Stack) -> None:
    assert invoke(app, event("record_report", "two_events_of_one_change")) == []
    item = stack.orders()[ITEM]
    assert item["appointment"] == "2026-03-12T02:00:00Z"
    # The date is announced to programs; people get one mail for both.
    said = [(one["kind"], one.get("joined", False)) for one in item["announced"]]
    assert said == [("scheduled", False), ("rescheduled", True)]
    assert "attention" not in item


def test_an_unknown_status_is_kept_raw_and_needs_attention(app: ModuleType, stack: Stack) -> None:
    invoke(app, event("record_report", "accepted"))
    assert invoke(app, event("record_report", "unknown_status")) == []
    item = stack.orders()[ITEM]
    assert "on_hold" in [entry["raw"] for entry in item["timeline"]]


def test_one_poison_delays_nobody_else(app: ModuleType, stack: Stack) -> None:
    batch = event("record_report", "one_poison_of_three")
    assert invoke(app, batch) == [batch["Records"][1]["messageId"]]
    assert sorted(one["status"] for one in stack.items("OrdersTable")) == ["accepted", "rejected"]
    assert stack.objects("QuarantineBucket") == {}


@pytest.mark.parametrize("name", ["not_json", "wrong_schema", "dated_ahead", "unknown_connection"])
def test_what_cannot_be_read_is_kept_byte_for_byte(
    name: str, app: ModuleType, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = event("record_report", name)
    assert invoke(app, batch) == []
    ((key, kept),) = stack.objects("QuarantineBucket").items()
    assert kept == body_of(batch)
    assert key.startswith("quarantine/")
    assert stack.items("OrdersTable") == []
    assert '"Quarantined":[1' in capsys.readouterr().out.replace(" ", "")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "raw",
    [b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 10_000, b"\xff\xfe\x00", b"", b'{"a":"\\ud800"}',
     b'{"a": 1e9999999999999999999}', b'{"a": "\\u0041", "b": 1e999999999}', b"x" * 500_000],
    ids=range(9),
)  # fmt: skip
def test_hostile_bytes_are_quarantined_once_however_often_they_come(
    raw: bytes, app: ModuleType, stack: Stack
) -> None:
    message = json.loads(inbox_message(""))
    message["body"] = base64.b64encode(raw).decode()
    batch = sqs_batch([json.dumps(message)] * 2)
    assert invoke(app, batch) == []
    assert list(stack.objects("QuarantineBucket").values()) == [raw]


@pytest.mark.parametrize(
    ("body", "alarms"),
    [('{"milepost_test": "t-1"}', False), ('{"milepost_test": 1, "a": 1}', True)],
)
def test_a_test_of_the_way_in_is_put_aside_and_is_no_trouble(
    body: str,
    alarms: bool,
    app: ModuleType,
    stack: Stack,
    logged: Callable[[], str],
) -> None:
    assert invoke(app, sqs_batch([inbox_message(body)])) == []
    assert list(stack.objects("QuarantineBucket").values()) == [body.encode()]
    assert stack.items("OrdersTable") == []
    assert ("Quarantined" in logged()) == alarms


def test_a_dead_letter_of_days_ago_is_recorded(app: ModuleType, stack: Stack) -> None:
    batch = event("record_report", "accepted")
    message = json.loads(batch["Records"][0]["body"])
    assert message["received_at"] < 1_773_400_000
    assert invoke(app, batch) == []
    assert len(stack.items("OrdersTable")) == 1


def test_a_replay_that_is_to_tell_nobody_announces_nothing(app: ModuleType, stack: Stack) -> None:
    batch = event("record_report", "accepted")
    message = json.loads(batch["Records"][0]["body"]) | {"announce": False}
    assert invoke(app, sqs_batch([json.dumps(message)])) == []
    (item,) = stack.items("OrdersTable")
    assert (item["status"], "announce" in item) == ("accepted", False)


def test_a_report_that_makes_an_order_unstorable_is_kept_with_its_reason(
    app: ModuleType,
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its delivery leaves the queue: it would be refused as often as it came back."""
    put_item = app.dynamodb.put_item

    def refuse_one(**call: Any) -> Any:
        if call["Item"].get("order_id") != {"S": "ord-too-large"}:
            return put_item(**call)
        words = "Item size has exceeded the maximum allowed size"
        raise ClientError({"Error": {"Code": "ValidationException", "Message": words}}, "PutItem")

    monkeypatch.setattr(app.dynamodb, "put_item", refuse_one)
    body = json.dumps(offergrid_event(orderId="ord-too-large")).encode()
    message = json.loads(inbox_message(""))
    message["body"] = base64.b64encode(body).decode()
    fine = event("record_report", "accepted")["Records"][0]["body"]
    assert invoke(app, sqs_batch([json.dumps(message), fine])) == []
    ((key, kept),) = stack.objects("QuarantineBucket").items()
    assert kept == body
    bucket = stack.resources["QuarantineBucket"]
    assert (
        "larger than an item" in aws("s3").head_object(Bucket=bucket, Key=key)["Metadata"]["reason"]
    )
    assert [one["status"] for one in stack.items("OrdersTable")] == ["accepted"]
    assert '"Quarantined":[1' in capsys.readouterr().out.replace(" ", "")


def test_an_item_that_cannot_be_read_keeps_no_other_order_from_being_recorded(
    app: ModuleType, stack: Stack
) -> None:
    broken = OrderKey(KEY.connection, "ord-broken", KEY.item_id)
    aws("dynamodb").put_item(
        TableName=stack.resources["OrdersTable"],
        Item=to_item({**item_key(broken), "status": "edited by hand"}),
    )
    messages = []
    for order_id in (broken.order_id, "ord-fine"):
        message = json.loads(inbox_message(""))
        body = json.dumps(offergrid_event(orderId=order_id)).encode()
        message["body"] = base64.b64encode(body).decode()
        messages.append(json.dumps(message))
    batch = sqs_batch(messages)
    assert invoke(app, batch) == [batch["Records"][0]["messageId"]]
    assert {one.get("order_id"): one["status"] for one in stack.items("OrdersTable")} == {
        None: "edited by hand",
        "ord-fine": "accepted",
    }


def test_when_the_table_is_away_the_message_comes_back(app: ModuleType, stack: Stack) -> None:
    dynamodb, table = aws("dynamodb"), stack.resources["OrdersTable"]
    dynamodb.delete_table(TableName=table)
    batch = event("record_report", "accepted")
    assert invoke(app, batch) == [batch["Records"][0]["messageId"]]


def test_when_the_quarantine_is_away_the_message_comes_back(app: ModuleType, stack: Stack) -> None:
    aws("s3").delete_bucket(Bucket=stack.resources["QuarantineBucket"])
    batch = event("record_report", "not_json")
    assert invoke(app, batch) == [batch["Records"][0]["messageId"]]


def test_logs_hold_nothing_personal(
    app: ModuleType, stack: Stack, logged: Callable[[], str]
) -> None:
    for name in ("accepted", "rejected", "not_json", "wrong_schema", "one_poison_of_three"):
        invoke(app, event("record_report", name))
    text = logged()
    assert "quarantined" in text
    for personal in ("Charlotte", "Nguyen", "Service not available", "not what the inbox holds"):
        assert personal not in text


def test_a_message_that_failed_is_logged(
    app: ModuleType, stack: Stack, logged: Callable[[], str]
) -> None:
    invoke(app, event("record_report", "one_poison_of_three"))
    levels = [json.loads(line).get("level") for line in logged().splitlines() if line]
    assert "ERROR" in levels


def marks(stack: Stack) -> list[dict[str, Any]]:
    return stack.items("TouchedTable")


@pytest.mark.parametrize("poll_minutes", [15, None])
def test_what_a_batch_records_is_marked_for_the_next_poll_with_one_write(
    poll_minutes: int | None, stack: Stack
) -> None:
    stack.apply(
        Connection(
            id=KEY.connection,
            provider="offergrid",
            base_url="https://api.offergrid.example",
            poll_minutes=poll_minutes,
        )
    )
    app = stack.load("record_report")
    invoke(app, event("record_report", "late_accepted_after_completed"))
    (mark,) = marks(stack)
    assert mark["pk"] == f"touched#{KEY.connection}"
    if poll_minutes:
        assert mark["keys"] == page_cache.key_of(KEY.order_id).hex()
    else:
        assert mark["all"] is True
    assert mark["expires_at"] > 0
    # What changes nothing needs no mark.
    invoke(app, event("record_report", "late_accepted_after_completed"))
    assert len(marks(stack)) == 1


def test_an_order_whose_mark_cannot_be_left_is_not_written_and_comes_back(
    app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: Any, **_named: Any) -> None:
        raise OSError("no table")

    monkeypatch.setattr(app.marks, "mark", refuse)
    assert len(invoke(app, event("record_report", "accepted"))) == 1
    assert stack.items("OrdersTable") == []
