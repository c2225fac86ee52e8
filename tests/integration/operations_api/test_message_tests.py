"""Test messages to endpoints and chats, through the API, over HTTP."""

import json
from collections.abc import Iterator
from types import ModuleType

import pytest

from local.chat_server import ChatServer
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.notice import Channel
from milepost.notifications.subscription import Subscription
from milepost.webhooks.signatures import verify
from tests.builders import NOON, RABOT
from tests.integration.operations_api.requests import Ask
from tests.integration.operator_requests import hurry
from tests.signing import OTHER_SECRET, SECRET
from tests.stack import Stack, aws
from tests.unit.notifications.endpoints.receiver import Receiver, receiving


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    stack.chosen["ALLOW_PRIVATE_ENDPOINTS"] = "true"
    loaded = stack.load("orders_api")
    hurry(loaded)
    return loaded


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def put(stack: Stack, channel: Channel, recipient: str) -> None:
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table.put(Subscription(id="one", recipient=recipient, channel=channel))


def test_an_endpoint_gets_a_signed_test_by_both_secrets_of_a_rotation(
    ask: Ask, stack: Stack, receiver: Receiver
) -> None:
    put(stack, Channel.HTTPS, receiver.url)
    previous = [{"secret": OTHER_SECRET, "until": "2100-01-01T00:00:00Z"}]
    stack.keep_secret("EndpointSecrets", {"one": {"current": SECRET, "previous": previous}})
    sent = ask("POST", "/subscriptions/one/send-test")
    assert (sent.status, sent.body) == (
        200,
        {"subscription": "one", "status": 200, "failure": None},
    )
    [got] = receiver.requests
    assert (json.loads(got.body)["kind"], json.loads(got.body)["version"]) == ("test", 1)
    for secret in (SECRET, OTHER_SECRET):
        headers, at = dict(got.headers), NOON.timestamp()
        verify("standard-webhooks", headers=headers, body=got.body, secrets=[secret], now=at)

    receiver.status = 500
    refused = ask("POST", "/subscriptions/one/send-test").body
    assert refused["status"] == 500
    assert "500" in refused["failure"]
    [item] = [one for one in stack.items("NoticesTable") if one["pk"].startswith("subscription")]
    assert "failing_since" not in item
    assert ask("POST", "/subscriptions/one/send-test", role="viewer").status == 403
    assert ask("POST", "/subscriptions/one/send-test", role=f"operator:{RABOT.id}").status == 404


@pytest.mark.parametrize("channel", [Channel.SLACK, Channel.TEAMS])
def test_a_chat_shows_a_test(ask: Ask, stack: Stack, channel: Channel) -> None:
    with ChatServer() as chats:
        put(stack, channel, "a chat")
        stack.keep_secret("EndpointSecrets", {"one": chats.url(channel)})
        sent = ask("POST", "/subscriptions/one/send-test")
        assert sent.body["failure"] is None, sent
        [taken] = chats.platforms[channel].taken
        assert "Test message from Milepost" in json.dumps(taken, default=str)


def test_what_can_not_be_sent_is_refused_or_says_why(ask: Ask, stack: Stack) -> None:
    put(stack, Channel.HTTPS, "http://127.0.0.1:9/")
    assert ask("POST", "/subscriptions/one/send-test").status == 409
    stack.keep_secret("EndpointSecrets", {"one": SECRET})
    nobody = ask("POST", "/subscriptions/one/send-test").body
    assert nobody["status"] is None
    assert nobody["failure"]
    put(stack, Channel.EMAIL, "sales@example.org")
    assert ask("POST", "/subscriptions/one/send-test").status == 409
    assert ask("POST", "/subscriptions/nobody/send-test").status == 404
