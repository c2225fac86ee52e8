"""call_endpoint posts to chats: single notices and digests, by an address that nobody else sees."""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

import pytest

from local.chat_platforms import ChatPlatform
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.topic_and_queues import batch_message, notice_message
from milepost.notifications.chat.addresses import webhook_name
from milepost.notifications.claims import Batch
from milepost.notifications.endpoints.retry_policy import Answer
from milepost.notifications.notice import Channel, Notice
from milepost.notifications.recipients import Choice
from tests.builders import NOON, minute
from tests.integration.adjusted_functions import replace_caller
from tests.integration.call_endpoint.endpoint_calls import (
    enter,
    entry,
    invoke,
    keep_order,
    mails,
    subscribe,
    subscription_item,
)
from tests.stack import Stack, aws

ADDRESS = "https://hooks.slack.com/services/T0/B0/SECRET"
NAME = webhook_name(ADDRESS)
DUE = minute(60)


class Webhook:
    """Slack, in place of the network."""

    def __init__(self) -> None:
        self.chat = ChatPlatform("slack")
        self.urls: list[str] = []

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        self.urls.append(url)
        answer = self.chat.post(body)
        return Answer(answer.status, answer.headers.get("retry-after"), answer.body.decode())


@pytest.fixture
def webhook() -> Webhook:
    return Webhook()


@pytest.fixture
def slack(app: ModuleType, stack: Stack, webhook: Webhook) -> ModuleType:
    """The function with a subscription to a chat, and an order."""
    stack.keep_secret("EndpointSecrets", {"crm": ADDRESS})
    subscribe(stack, NAME, channel=Channel.SLACK)
    keep_order(stack)
    replace_caller(app, http=webhook)
    return app


def queue(stack: Stack, *, sequence: int = 1) -> Notice:
    return enter(stack, NAME, sequence=sequence, channel=Channel.SLACK)


def test_a_notice_is_posted_once_and_its_address_is_in_no_item_and_no_log_line(
    slack: ModuleType, stack: Stack, webhook: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    notice = queue(stack)
    assert invoke(slack, notice_message(notice)) == []
    assert invoke(slack, notice_message(notice)) == []
    assert webhook.urls == [ADDRESS]
    assert entry(stack, notice)["state"] == "delivered"
    (message,) = webhook.chat.taken
    assert message["text"].startswith("Rejected: ")
    assert "Charlotte" not in json.dumps(message)
    seen = json.dumps(stack.items("NoticesTable"), default=str) + str(capsys.readouterr())
    assert "SECRET" not in seen


def test_a_disabled_webhook_ends_its_subscription_and_mails_its_owner(
    slack: ModuleType, stack: Stack, webhook: Webhook
) -> None:
    webhook.chat.trouble = "no_service"
    notice = queue(stack)
    invoke(slack, notice_message(notice))
    kept = entry(stack, notice)
    assert kept["state"] == "failed"
    assert "no_service: the webhook was disabled or removed" in kept["reason"]
    assert "because it is gone" in subscription_item(stack)["ended"]
    (mail,) = mails()
    assert "SECRET" not in str(vars(mail))


def test_a_webhook_that_is_called_too_often_is_left_alone_as_long_as_it_asks(
    slack: ModuleType, stack: Stack, webhook: Webhook
) -> None:
    webhook.chat.trouble = "rate_limited"
    first, second = queue(stack), queue(stack, sequence=2)
    invoke(slack, notice_message(first))
    invoke(slack, notice_message(second))
    assert len(webhook.urls) == 1
    assert entry(stack, first)["reason"] == "answered 429"
    assert entry(stack, second)["reason"] == "the endpoint has asked not to be called yet"
    assert "retry_at" in entry(stack, second)


def test_what_was_held_for_a_chat_is_one_message_and_is_released_by_its_queue(
    slack: ModuleType, stack: Stack, webhook: Webhook
) -> None:
    batch, notices = hold(stack)
    release = stack.load("release_notices")
    assert release.handler({"until": "2026-03-02T14:00:00Z"}, None) == {"released": 1}
    webhook.chat.trouble = "rollup_error"
    assert invoke(slack, batch_message(batch)) == []
    waiting = [entry(stack, one) for one in notices]
    assert {(one["state"], one["reason"]) for one in waiting} == {("queued", "answered 500")}
    assert all("retry_at" in one for one in waiting)
    webhook.chat.trouble = None
    assert invoke(slack, {**batch_message(batch), "attempt": 1}) == []
    assert invoke(slack, {**batch_message(batch), "attempt": 1}) == []
    (message,) = webhook.chat.taken
    assert message["text"] == "2 updates: 2 rejected"
    sent = [entry(stack, one) for one in notices]
    assert {(one["state"], one.get("reason")) for one in sent} == {("delivered", None)}


def hold(stack: Stack) -> tuple[Batch, list[Notice]]:
    table = {"table_name": stack.resources["NoticesTable"]}
    log, holds = NoticesTable(aws("dynamodb"), **table), HoldsTable(aws("dynamodb"), **table)
    made = [replace(queue(stack, sequence=9 + at), copy=1) for at in range(2)]
    for one in made:
        log.enter(Choice(notice=one, due_at=DUE), at=NOON)
        holds.hold(one, due_at=DUE)
    return Batch.of(made[0], due_at=DUE), made


def test_a_chat_without_an_address_waits_for_one_as_a_dead_letter(
    slack: ModuleType, stack: Stack, webhook: Webhook
) -> None:
    stack.keep_secret("EndpointSecrets", {})
    replace_caller(slack, secrets=_NoSecrets())
    assert len(invoke(slack, notice_message(queue(stack)))) == 1
    assert webhook.urls == []


class _NoSecrets:
    def active(self, subscription_id: str, *, now: object) -> list[str]:
        return []
