"""send_notice: which mails went out, and what the log says of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.topic_and_queues import batch_message, notice_message
from milepost.notifications.claims import Batch
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.order import Kind
from tests.integration.mail_sending import Mailer, enter, invoke, notice_in, prepare
from tests.make_events import sqs_batch
from tests.stack import Stack, aws, event

KINDS = ["accepted", "rejected", "scheduled", "rescheduled", "completed", "cancelled"]


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    return stack.load("send_notice")


@pytest.fixture
def ses(app: ModuleType) -> Mailer:
    made = Mailer(app.mails.sender.mailer._client)
    app.mails.sender.mailer._client = made
    return made


def readdress(stack: Stack, batch: dict[str, Any], recipient: str) -> dict[str, Any]:
    """The same batch, its notice to somebody else, who is in the log as well."""
    notice = replace(notice_in(batch), recipient=recipient)
    enter(stack, notice)
    return sqs_batch([json.dumps(notice_message(notice))])


def logged_notice(stack: Stack) -> dict[str, Any]:
    (item,) = [one for one in stack.items("NoticesTable") if one["sk"].startswith("notice#")]
    return item


@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_is_one_mail_in_text_and_html(
    kind: str, app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, kind)
    assert invoke(app, batch) == []
    (mail,) = ses.sent
    assert mail["Destination"] == {"ToAddresses": ["sales@example.org"]}
    content = mail["Content"]["Simple"]
    assert "\n" not in content["Subject"]["Data"]
    assert "PP-20417" in content["Body"]["Text"]["Data"]
    assert content["Body"]["Html"]["Data"].startswith("<!doctype html>")
    page = f"https://milepost.example.org/console/orders/{notice_in(batch).key.path_id}"
    assert f"\n{page}\n" in content["Body"]["Text"]["Data"]
    item = logged_notice(stack)
    assert (item["state"], bool(item["message_id"])) == ("sent", True)


def test_a_rejection_carries_its_reason(app: ModuleType, stack: Stack, ses: Mailer) -> None:
    invoke(app, prepare(stack, "rejected"))
    body = ses.sent[0]["Content"]["Simple"]["Body"]
    for part in ("Text", "Html"):
        assert "Service not available at this address" in body[part]["Data"]


def test_a_message_delivered_twice_is_one_mail(app: ModuleType, stack: Stack, ses: Mailer) -> None:
    batch = prepare(stack, "accepted")
    for _ in range(3):
        assert invoke(app, batch) == []
    assert len(ses.sent) == 1


def delayed(stack: Stack) -> str:
    """How many messages the email queue keeps back."""
    name = "ApproximateNumberOfMessagesDelayed"
    attributes = aws("sqs").get_queue_attributes(
        QueueUrl=stack.resources["EmailQueue"], AttributeNames=[name]
    )["Attributes"]
    return str(attributes[name])


def test_while_another_sender_is_at_it_the_message_comes_back(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, "accepted")
    now = datetime.now(UTC)
    app.mails.sender.claims.claim(notice_in(batch), at=now, until=now + timedelta(minutes=1))
    assert invoke(app, batch) == []
    assert ses.sent == []
    assert delayed(stack) == "1"


def test_a_killed_senders_notice_is_sent_when_its_claim_ends(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, "accepted")
    then = datetime.now(UTC) - timedelta(minutes=5)
    app.mails.sender.claims.claim(notice_in(batch), at=then, until=then + timedelta(minutes=1))
    assert invoke(app, batch) == []
    assert len(ses.sent) == 1


def test_a_throttled_mail_comes_back_and_is_then_sent_once(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, "accepted")
    ses.error = "TooManyRequestsException"
    assert invoke(app, batch) == []
    assert logged_notice(stack)["state"] == "queued"
    ses.error = None
    assert invoke(app, batch) == []
    assert len(ses.sent) == 1


def test_a_mail_whose_answer_was_slow_is_left_alone_until_its_event_has_come(
    app: ModuleType, stack: Stack, ses: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, send = prepare(stack, "accepted"), ses.send_email

    def slow(**asked: Any) -> Any:
        send(**asked)
        raise ReadTimeoutError(endpoint_url="https://email.eu-central-1.amazonaws.com")

    monkeypatch.setattr(ses, "send_email", slow)
    assert invoke(app, batch) == []
    assert invoke(app, batch) == [], "a copy of the message waits, too"
    assert (len(ses.sent), delayed(stack)) == (1, "2")
    assert logged_notice(stack)["state"] == "queued"


def test_a_mail_at_which_the_mail_service_failed_is_left_alone_until_its_event_has_come(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, "accepted")
    ses.error = "InternalFailure"
    assert invoke(app, batch) == []
    ses.error = None
    assert invoke(app, batch) == [], "a copy of the message waits, too"
    assert (ses.sent, delayed(stack)) == ([], "2")


def test_a_busy_mail_service_uses_up_none_of_a_mail_s_tries(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, "accepted")
    before = stack.messages("EmailQueue")
    ses.error = "TooManyRequestsException"
    invoke(app, batch)
    assert (before, delayed(stack)) == ([], "1")


def test_a_refused_mail_is_logged_as_failed_and_not_tried_again(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, "accepted")
    ses.error = "MessageRejected"
    assert invoke(app, batch) == []
    item = logged_notice(stack)
    assert item["state"] == "failed"
    assert "MessageRejected" in item["reason"]
    ses.error = None
    invoke(app, batch)
    assert ses.sent == []


def test_an_internationalised_domain_is_written_in_ascii_for_ses(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = readdress(stack, prepare(stack, "accepted"), "sales@blåbær.example")
    assert invoke(app, batch) == []
    (mail,) = ses.sent
    assert mail["Destination"] == {"ToAddresses": ["sales@xn--blbr-roah.example"]}


@pytest.mark.parametrize(
    "recipient", ["jürgen@example.org", "other@example.org.", "sales@exam_ple.org"]
)
def test_what_is_no_address_fails_with_its_reason_and_never_reaches_ses(
    recipient: str, app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = readdress(stack, prepare(stack, "accepted"), recipient)
    assert invoke(app, batch) == []
    (item,) = [one for one in stack.items("NoticesTable") if one.get("recipient") == recipient]
    assert (item["state"], ses.sent) == ("failed", [])
    assert "not an email address" in item["reason"]


def test_one_poison_delays_no_other(app: ModuleType, stack: Stack, ses: Mailer) -> None:
    prepare(stack, "accepted")
    batch = event("send_notice", "one_poison_of_two")
    assert invoke(app, batch) == [batch["Records"][0]["messageId"]]
    assert len(ses.sent) == 1


@pytest.mark.parametrize("erased", [True, False])
def test_of_an_erased_order_nothing_is_sent(
    erased: bool, app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, "accepted")
    (record,) = event("announce", "accepted")["Records"]
    dynamodb, table = aws("dynamodb"), stack.resources["OrdersTable"]
    if erased:
        tombstone = record["dynamodb"]["NewImage"] | to_item({"erased_at": "2026-03-05T00:00:00Z"})
        dynamodb.put_item(TableName=table, Item=tombstone)
    else:
        dynamodb.delete_item(TableName=table, Key=record["dynamodb"]["Keys"])
    assert invoke(app, batch) == []
    assert ses.sent == []
    assert logged_notice(stack)["state"] == "skipped"


def test_an_item_that_was_never_entered_is_not_sent(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    assert invoke(app, event("send_notice", "accepted")) == []
    assert ses.sent == []


@pytest.mark.thorough
def test_each_notice_of_a_batch_has_its_own_verdict_in_the_log(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    one = notice_in(prepare(stack, "accepted"))
    (record,) = event("announce", "accepted")["Records"]
    dynamodb, orders = aws("dynamodb"), stack.resources["OrdersTable"]
    table = stack.resources["NoticesTable"]
    subscriptions = SubscriptionsTable(dynamodb, table_name=table)
    holds, due_at = HoldsTable(dynamodb, table_name=table), datetime.now(UTC)
    living = Subscription(id="living", recipient=one.recipient, time_zone="Asia/Tokyo")
    for each in (
        living,
        replace(living, id="ended", ended="unsubscribed on 2026-03-01"),
        replace(living, id="other", kinds=frozenset({Kind.REJECTED})),
    ):
        subscriptions.put(each)

    def held(number: int, subscription: str, **changes: Any) -> str:
        key = replace(one.key, item_id=f"item-{number}", **changes)
        made = replace(one, key=key, subscription=subscription)
        item = from_item(record["dynamodb"]["NewImage"])
        if subscription != "no order":
            erased = {"erased_at": "2026-03-05T00:00:00Z"} if subscription == "erased" else {}
            stored = {"connection": key.connection, "item_id": key.item_id, **item_key(key)}
            dynamodb.put_item(TableName=orders, Item=to_item({**item, **stored, **erased}))
        if subscription in ("erased", "no order"):
            made = replace(made, subscription="living")
        enter(stack, made)
        holds.hold(made, due_at=due_at)
        return made.id

    expected = {
        held(1, "living"): ("sent", None),
        held(2, "deleted"): ("skipped", "the subscription was deleted"),
        held(3, "ended"): ("suppressed", "unsubscribed on 2026-03-01"),
        held(4, "other"): ("skipped", "the subscription no longer asks for accepted"),
        held(5, "erased"): ("skipped", "the order was erased"),
        held(6, "no order"): ("skipped", "the order is no longer stored"),
        held(7, "living", connection="gone"): ("failed", "its connection is not applied"),
        held(8, "living"): ("sent", None),
    }
    batch = batch_message(Batch.of(one, due_at=due_at))
    assert invoke(app, sqs_batch([json.dumps(batch)])) == []
    items = {item["id"]: item for item in stack.items("NoticesTable") if "state" in item}
    ends = {name: (items[name]["state"], items[name].get("reason")) for name in expected}
    assert ends == expected
    (mail,) = ses.sent
    assert mail["Content"]["Simple"]["Subject"]["Data"] == "2 updates: 2 accepted"
    assert "Tokyo time" in mail["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert not [one for one in stack.items("NoticesTable") if one["pk"].startswith("held#")]


def test_logs_hold_nothing_personal(
    app: ModuleType, stack: Stack, ses: Mailer, logged: Callable[[], str]
) -> None:
    invoke(app, prepare(stack, "accepted"))
    invoke(app, event("send_notice", "one_poison_of_two"))
    text = logged()
    assert "handled" in text
    for personal in ("Charlotte", "Nguyen", "example.com", "Lygon", "sales@", "not a notice"):
        assert personal not in text
