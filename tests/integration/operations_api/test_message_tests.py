"""Test messages to addresses, endpoints and chats, through the API, over HTTP."""

import json
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from local.chat_server import ChatServer
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.notice import Channel
from milepost.notifications.subscription import Subscription
from milepost.webhooks.signatures import verify
from tests.batches import sqs_batch
from tests.builders import NOON, RABOT
from tests.data_leaks import Overheard
from tests.integration.call_endpoint.endpoint_calls import mails
from tests.integration.operations_api.requests import Ask
from tests.integration.operator_requests import hurry
from tests.signing import OTHER_SECRET, SECRET
from tests.stack import SENDER, Context, Stack, aws
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


def put(stack: Stack, channel: Channel, recipient: str, *, language: str = "en") -> None:
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table.put(Subscription(id="one", recipient=recipient, channel=channel, language=language))


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
        put(stack, channel, "a chat", language="da-DK")
        stack.keep_secret("EndpointSecrets", {"one": chats.url(channel)})
        sent = ask("POST", "/subscriptions/one/send-test")
        assert sent.body["failure"] is None, sent
        [taken] = chats.platforms[channel].taken
        assert "Testbesked fra Milepost" in json.dumps(taken, default=str)


def test_what_can_not_be_sent_is_refused_or_says_why(ask: Ask, stack: Stack) -> None:
    put(stack, Channel.HTTPS, "http://127.0.0.1:9/")
    assert ask("POST", "/subscriptions/one/send-test").status == 409
    stack.keep_secret("EndpointSecrets", {"one": SECRET})
    nobody = ask("POST", "/subscriptions/one/send-test").body
    assert nobody["status"] is None
    assert nobody["failure"]
    assert ask("POST", "/subscriptions/nobody/send-test").status == 404


def test_a_mail_is_queued_and_says_in_the_subscribers_language_that_it_is_a_test(
    ask: Ask, stack: Stack
) -> None:
    put(stack, Channel.EMAIL, "sales@bücher.example", language="de-AT")
    sent = ask("POST", "/subscriptions/one/send-test")
    assert (sent.status, sent.body) == (
        200,
        {"subscription": "one", "status": None, "failure": None},
    )
    take_queued(stack)
    [mail] = mails()
    assert mail.destinations["ToAddresses"] == ["sales@xn--bcher-kva.example"]
    assert mail.subject == "Testnachricht von Milepost"
    assert "Diese Adresse erhält Meldungen zu Aufträgen." in str(mail.body)
    assert "notice#" not in json.dumps(stack.items("NoticesTable"), default=str)


def take_queued(stack: Stack) -> None:
    """Let send_notice take what is queued."""
    bodies = [json.dumps(one) for one in stack.messages("EmailQueue")]
    assert stack.load("send_notice").handler(sqs_batch(bodies), Context()) == {
        "batchItemFailures": []
    }


def suppress(stack: Stack) -> None:
    table = SuppressionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table.suppress("sales@example.org", reason="hard bounce", at=NOON)


def delete(stack: Stack) -> None:
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table.delete("one")


def test_a_test_mail_to_a_suppressed_address_is_not_sent_and_says_why(
    ask: Ask, stack: Stack
) -> None:
    put(stack, Channel.EMAIL, "sales@example.org")
    suppress(stack)
    said = ask("POST", "/subscriptions/one/send-test").body
    assert said["failure"].startswith("the address is suppressed: ")
    assert stack.messages("EmailQueue") == []


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (suppress, "the address is suppressed"),
        (lambda _: aws("sesv2").delete_email_identity(EmailIdentity=SENDER), "SES refused"),
        (delete, "the subscription was deleted"),
    ],
)
def test_a_queued_test_mail_that_cannot_be_sent_is_given_up_and_logged(
    ask: Ask, stack: Stack, overheard: Overheard, meanwhile: Callable[[Stack], None], why: str
) -> None:
    put(stack, Channel.EMAIL, "sales@example.org")
    ask("POST", "/subscriptions/one/send-test")
    meanwhile(stack)
    take_queued(stack)
    assert mails() == []
    assert why in overheard.text
