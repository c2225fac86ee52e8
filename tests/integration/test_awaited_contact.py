"""A webhook before any contact data: the order is fetched, and the customer is notified once."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from botocore.stub import Stubber

from milepost.aws.clients import client
from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.topic_and_queues import NoticeQueue, notice_of
from milepost.notifications.dispatch import LOOK_AGAIN
from milepost.notifications.mail.awaited_contact import LONGEST_HOLD
from milepost.orders.aws.table import OrdersTable, order_item
from milepost.orders.recording import record
from milepost.orders.report import Report, Source
from tests.builders import KEY, OFFERGRID, RULES, announcement, report, tracked
from tests.make_events import sqs_batch
from tests.stack import Context, Stack, aws

NOW = datetime.now(UTC).replace(microsecond=0)
CUSTOMER = "charlotte.nguyen@example.com"
TELLING = replace(OFFERGRID, customer_notices=frozenset({"accepted"}))


class Fetches:
    """Lambda, which takes what it is asked to start; implements ``invoke``."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self._client = client("lambda")

    def invoke(self, **request: Any) -> Any:
        self.started.append(json.loads(request["Payload"]))
        with Stubber(self._client) as stub:
            stub.add_response("invoke", {"StatusCode": 202}, request)
            return self._client.invoke(**request)


@pytest.fixture
def fetches(stack: Stack) -> Fetches:
    stack.apply(TELLING)
    return Fetches()


@pytest.fixture
def app(stack: Stack, fetches: Fetches) -> ModuleType:
    made = stack.load("announce")
    made.teller.fetches._client = lambda: fetches
    return made


@pytest.fixture
def sender(app: ModuleType, stack: Stack) -> ModuleType:
    return stack.load("send_notice")


def accepted(**details: Any) -> Report:
    one = report(Status.ACCEPTED, 0, service_type="internet", **details)
    return replace(one, occurred_at=NOW, seen_at=NOW)


def orders(stack: Stack) -> OrdersTable:
    table = stack.resources["OrdersTable"]
    return OrdersTable(aws("dynamodb"), table_name=table, connection=TELLING)


def announce(app: ModuleType, stack: Stack, **details: Any) -> None:
    """What the stream's next batch does after a webhook about the order."""
    one = announcement(occurred_at=NOW, announced_at=NOW)
    order = tracked(accepted(**details), announced=(one,))
    item = to_item(order_item(order, connection=TELLING, new=(one,)))
    aws("dynamodb").put_item(TableName=stack.resources["OrdersTable"], Item=item)
    change = {"eventID": "1", "dynamodb": {"SequenceNumber": "1", "NewImage": item}}
    assert app.handler({"Records": [change]}, Context()) == {"batchItemFailures": []}


def fetched(stack: Stack, **customer: Any) -> None:
    """What the order is after it was fetched."""
    known = accepted(customer=customer)
    said = replace(known, source=Source.POLL, occurred_at=NOW + timedelta(seconds=1))
    record(said, orders=orders(stack), rules=RULES, now=NOW)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was put into queues, with its delay; it is there for real as well."""
    put, found = NoticeQueue.put_message, []

    def keep(
        queue: NoticeQueue, message: dict[str, Any], *, delay: timedelta = timedelta(0)
    ) -> None:
        found.append({**message, "delay": delay})
        put(queue, message, delay=delay)

    monkeypatch.setattr(NoticeQueue, "put_message", keep)
    return found


def log(stack: Stack) -> dict[str, tuple[str, str | None]]:
    """State and reason of each mail to the customer, by recipient."""
    return {
        item.get("recipient", ""): (item["state"], item.get("reason"))
        for item in stack.items("NoticesTable")
        if item["sk"].startswith("notice#") and item["channel"] == "email"
    }


def send(sender: ModuleType, notice: dict[str, Any]) -> None:
    content = {name: value for name, value in notice.items() if name != "delay"}
    answer = sender.handler(sqs_batch([json.dumps(content)]), Context())
    assert answer == {"batchItemFailures": []}


WAITS = ("queued", "waits for contact data: the order is being fetched")
REPLACED = ("skipped", "replaced: the order was fetched, and has an address now")


def test_the_order_is_fetched_and_the_notice_waits_and_the_log_says_so(
    app: ModuleType, stack: Stack, fetches: Fetches, queued: list[dict[str, Any]]
) -> None:
    announce(app, stack)
    assert log(stack) == {"": WAITS}
    (started,) = fetches.started
    assert (started["order"], started["action"]) == (KEY.path_id, "refresh")
    assert [(one["recipient"], one["delay"]) for one in queued] == [("", LOOK_AGAIN)]


def test_once_the_contact_is_known_the_customer_is_notified_once_however_often_it_comes(
    sender: ModuleType, app: ModuleType, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    announce(app, stack)
    waiting = queued[0]
    fetched(stack, name="Charlotte Nguyen", email=CUSTOMER)
    send(sender, waiting)
    send(sender, waiting)
    announced_again = [one for one in queued if one["recipient"] == CUSTOMER]
    assert log(stack) == {"": REPLACED, CUSTOMER: ("queued", None)}
    assert len(announced_again) == 1
    send(sender, announced_again[0])
    send(sender, announced_again[0])
    assert log(stack)[CUSTOMER][0] == "sent"


def test_a_stream_record_that_comes_again_notifies_nobody_twice(
    sender: ModuleType, app: ModuleType, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    announce(app, stack)
    announce(app, stack)
    fetched(stack, email=CUSTOMER)
    for one in [*queued]:
        send(sender, one)
    announce(app, stack)
    assert [one["recipient"] for one in queued] == ["", "", CUSTOMER]


def test_a_crash_after_the_customers_notice_leaves_one_notice(
    sender: ModuleType,
    app: ModuleType,
    stack: Stack,
    queued: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    announce(app, stack)
    fetched(stack, email=CUSTOMER)
    with monkeypatch.context() as patched:
        patched.setattr(NoticesTable, "close", lambda *_, **__: 1 / 0)
        batch = sqs_batch([json.dumps({k: v for k, v in queued[0].items() if k != "delay"})])
        assert sender.handler(batch, Context())["batchItemFailures"]
    send(sender, queued[0])
    assert log(stack) == {"": REPLACED, CUSTOMER: ("queued", None)}


def test_without_contact_data_it_is_looked_again_and_given_up_after_minutes(
    sender: ModuleType, app: ModuleType, stack: Stack, queued: list[dict[str, Any]]
) -> None:
    announce(app, stack)
    send(sender, queued[0])
    assert log(stack) == {"": WAITS}
    assert [(one["recipient"], one["delay"]) for one in queued[1:]] == [("", LOOK_AGAIN)]
    contacts = sender.mails.awaited_contacts
    notice = notice_of({k: v for k, v in queued[1].items() if k != "delay"})
    contacts.look(notice, now=datetime.now(UTC) + LONGEST_HOLD)
    assert log(stack) == {
        "": ("skipped", "no email address: the order was fetched, and has no contact data")
    }
    assert len(queued) == 2


def test_a_customer_without_an_address_is_not_waited_for(
    app: ModuleType, stack: Stack, fetches: Fetches
) -> None:
    announce(app, stack, customer={"name": "Charlotte Nguyen"})
    assert log(stack) == {"": ("skipped", "no email address")}
    assert fetches.started == []


def test_nobody_is_fetched_for_whom_notices_are_off(
    app: ModuleType, stack: Stack, fetches: Fetches
) -> None:
    stack.apply(OFFERGRID)
    app.connections._settings.forget()
    announce(app, stack)
    assert log(stack)[""][0] == "skipped"
    assert fetches.started == []
