"""The quarantine, dead letters and erasure through the API."""

import base64
import json

import pytest

from milepost.common.timestamps import format_instant
from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import record
from milepost.orders.search_terms import customer_id_of_email
from milepost.providers.registry import adapter
from milepost.quarantine.aws.store import Quarantine
from tests.builders import (
    KEY,
    OFFERGRID,
    minute,
    offergrid_event,
    offergrid_order,
)
from tests.integration.operations_api.requests import HOME, Ask
from tests.make_webhook_events import inbox_message
from tests.stack import Stack, aws


@pytest.fixture
def quarantine(stack: Stack) -> Quarantine:
    return Quarantine(lambda: aws("s3"), bucket=stack.resources["QuarantineBucket"])


def keep(quarantine: Quarantine, body: bytes, hour: int = 0, connection: str = HOME) -> str:
    key = quarantine.keep(
        body, connection_id=connection, source="webhook", reason="because", at=minute(60 * hour)
    )
    return key.removeprefix("quarantine/").replace("/", ":")


def test_the_quarantine_is_listed_a_page_at_a_time(ask: Ask, quarantine: Quarantine) -> None:
    kept = {keep(quarantine, f"{hour}".encode(), hour) for hour in range(3)}
    other = keep(quarantine, b"x", connection="rabot-energy")
    first = ask("GET", "/quarantine", role="viewer", limit=2).body
    second = ask("GET", "/quarantine", limit=2, after=first["next"]).body
    assert {one["id"] for one in first["items"] + second["items"]} == {*kept, other}
    assert second["next"] is None
    at_one = {"since": format_instant(minute(60)), "until": format_instant(minute(61))}
    (found,) = ask("GET", "/quarantine", connection=HOME, **at_one).body["items"]
    assert (found["received_at"], found["reason"]) == (format_instant(minute(60)), "because")


def test_only_operators_look_into_it(ask: Ask, quarantine: Quarantine) -> None:
    path = f"/quarantine/{keep(quarantine, b'{no json')}"
    assert ask("GET", path, role="viewer").status == 403
    shown = ask("GET", path).body
    assert (shown["text"], base64.b64decode(shown["base64"])) == ("{no json", b"{no json")
    assert ask("GET", path[:-1] + ("0" if path[-1] != "0" else "1")).status == 404


def test_what_is_replayed_is_in_the_inbox_and_silent_unless_asked(
    ask: Ask, quarantine: Quarantine, stack: Stack
) -> None:
    kept = [keep(quarantine, f"{hour}".encode(), hour) for hour in range(2)]
    assert ask("POST", f"/quarantine/{kept[0]}/replay", {"announce": True}).status == 202
    (message,) = stack.messages("InboxQueue")
    assert (message["announce"], message["kept_as"]) == (True, kept[0])
    many = ask("POST", "/quarantine/replay", {"connection": HOME})
    assert (many.status, many.body) == (202, {"replayed": 2, "next": None})
    assert [one["announce"] for one in stack.messages("InboxQueue")] == [False, False]


def test_what_is_given_up_is_gone(ask: Ask, quarantine: Quarantine) -> None:
    path = f"/quarantine/{keep(quarantine, b'x')}"
    assert [ask("DELETE", path).status for _ in range(2)] == [204, 404]


def test_dead_letters_are_counted_shown_and_taken_up(ask: Ask, stack: Stack) -> None:
    text = inbox_message(json.dumps(offergrid_event()))
    aws("sqs").send_message(QueueUrl=stack.resources["InboxDeadLetters"], MessageBody=text)
    waiting = {
        one["name"]: one["waiting"]
        for one in ask("GET", "/dead-letters", role="viewer").body["items"]
    }
    assert waiting == {
        "inbox": 1,
        **dict.fromkeys(
            ("email", "endpoint", "mail_events", "announce", "batch", "invocations"), 0
        ),
    }
    assert ask("GET", "/dead-letters/inbox", role="viewer").status == 403
    (message,) = ask("GET", "/dead-letters/inbox").body["messages"]
    assert message["content"] == json.loads(text)
    assert ask("POST", "/dead-letters/inbox/redrive").body == {"moved": 1, "failed": [], "left": 0}
    assert stack.messages("InboxQueue") == [json.loads(text)]


@pytest.mark.thorough
def test_a_dead_letter_is_given_up(ask: Ask, stack: Stack) -> None:
    aws("sqs").send_message(QueueUrl=stack.resources["EmailDeadLetters"], MessageBody="{}")
    (message,) = ask("GET", "/dead-letters/email").body["messages"]
    path = f"/dead-letters/email/messages/{message['id']}"
    assert [ask("DELETE", path).status for _ in range(2)] == [204, 404]
    assert ask("GET", "/dead-letters/nothing").status == 404


@pytest.mark.thorough
def test_no_customer_is_erased_while_somebody_looks_at_letters_that_may_name_them(
    ask: Ask, stack: Stack
) -> None:
    url = stack.resources["EmailDeadLetters"]
    aws("sqs").send_message(QueueUrl=url, MessageBody="{}")
    (held,) = aws("sqs").receive_message(QueueUrl=url)["Messages"]
    refused = ask("DELETE", "/customers/0123456789abcdef")
    assert (refused.status, "in a minute" in refused.body["detail"]) == (409, True)
    aws("sqs").change_message_visibility(
        QueueUrl=url, ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=0
    )
    assert ask("DELETE", "/customers/0123456789abcdef").status == 200


@pytest.mark.thorough
def test_a_customer_is_erased_by_id(ask: Ask, stack: Stack) -> None:
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    provider, at = adapter("offergrid"), minute(60 * 72)
    for one in provider.read_order(offergrid_order(), connection=OFFERGRID, requested_at=at):
        record(one, orders=orders, rules=provider.rules, now=at)
    customer = customer_id_of_email("charlotte.nguyen@example.com")
    aws("dynamodb").put_item(
        TableName=stack.resources["SearchTable"],
        Item={
            "pk": {"S": f"customer#{customer}"},
            "sk": {"S": str(KEY)},
            "order": {"S": str(KEY)},
        },
    )
    assert ask("DELETE", f"/customers/{customer}", role="viewer").status == 403
    first, second = (ask("DELETE", f"/customers/{customer}") for _ in range(2))
    assert (first.body["orders"], second.body["orders"]) == (1, 0)
    assert stack.items("SearchTable") == []
    assert "charlotte" not in str(stack.items("OrdersTable")).lower()
    assert ask("DELETE", "/customers/not-an-id").status == 422
