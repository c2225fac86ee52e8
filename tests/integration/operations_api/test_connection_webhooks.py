"""Test webhooks and signing secrets of connections, through the API."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest

from milepost.operations.aws.webhook_tests import StackWebhookTests
from tests.builders import OFFERGRID, RABOT
from tests.integration.operations_api.requests import HOME, Ask, Polls, asking
from tests.integration.operator_requests import hurry
from tests.signing import SECRET
from tests.stack import NOWHERE, Context, Stack

ROTATE = f"/connections/{HOME}/rotate-secret"
FINISH = f"/connections/{HOME}/finish-rotation"
TEST = f"/connections/{HOME}/send-test"


@dataclass
class WayIn:
    """What is behind the public address: two functions and the queue between them."""

    stack: Stack
    receive: Callable[..., Any]
    record: Callable[..., Any]
    is_read: bool = True
    urls: list[str] = field(default_factory=list)

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> int:
        self.urls.append(url)
        event = {
            "requestContext": {"http": {"method": "POST"}},
            "pathParameters": {"connection": url.rpartition("/")[2]},
            "headers": dict(headers),
            "body": body.decode(),
        }
        status: int = self.receive(event, None)["statusCode"]
        if self.is_read:
            found = self.stack.messages("InboxQueue")
            records = [
                {"messageId": str(number), "body": json.dumps(one)}
                for number, one in enumerate(found)
            ]
            self.record({"Records": records}, Context())
        return status


@pytest.fixture
def functions(stack: Stack) -> WayIn:
    receive, record = stack.load("receive_webhook"), stack.load("record_report")
    return WayIn(stack, receive.handler, record.handler)


@pytest.fixture
def app(functions: WayIn, stack: Stack) -> ModuleType:
    """Loaded after the others: calls outside of a handler count for the function loaded last."""
    loaded = stack.load("orders_api")
    hurry(loaded)
    return loaded


@pytest.fixture
def way(functions: WayIn, app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> WayIn:
    tests = app.api.services.operations.webhook_tests
    assert isinstance(tests, StackWebhookTests)
    monkeypatch.setattr(
        tests, "_test", replace(tests._test, sender=functions, pause=lambda _: None)
    )
    return functions


def test_a_test_webhook_goes_all_the_way_and_leaves_nothing(
    ask: Ask, way: WayIn, stack: Stack
) -> None:
    sent = ask("POST", TEST)
    assert (sent.status, sent.body["arrived"]) == (200, True)
    assert way.urls == [f"{NOWHERE}/webhooks/{HOME}"] == [sent.body["url"]]
    assert stack.objects("QuarantineBucket") == {}
    assert stack.orders() == {}


def test_a_test_webhook_that_is_not_read_stays_in_the_inbox(ask: Ask, way: WayIn) -> None:
    way.is_read = False
    sent = ask("POST", TEST, {"patience": 1})
    assert (sent.status, sent.body["status"], sent.body["arrived"]) == (200, 202, False)


def test_an_address_that_nobody_answers_is_no_error_of_the_api(ask: Ask) -> None:
    sent = ask("POST", TEST)
    assert (sent.status, sent.body["status"], sent.body["arrived"]) == (200, None, None)
    assert "could not be reached" in sent.body["fault"]


def test_a_secret_is_rotated_once_for_a_key_and_both_sign_until_the_rotation_is_finished(
    ask: Ask, stack: Stack, way: WayIn
) -> None:
    made = ask("POST", ROTATE, key="k-1")
    assert (made.status, made.body["previous_is_valid"]) == (200, True)
    new = made.body["secret"]
    assert stack.kept_secret("SigningSecrets")[HOME]["secrets"] == [new, SECRET]
    assert ask("POST", ROTATE, key="k-1").body == made.body
    assert ask("POST", ROTATE, key="k-2").status == 409
    assert ask("POST", TEST).body["arrived"] is True
    assert ask("POST", FINISH).status == 204
    assert stack.kept_secret("SigningSecrets")[HOME] == {
        "scheme": "standard-webhooks",
        "secrets": [new],
    }
    assert ask("POST", FINISH).status == 204
    kept = [*stack.items("ActivityTable"), *stack.items("NoticesTable")]
    assert new not in json.dumps(kept, default=str)
    again = ask("POST", ROTATE, key="k-1").body["secret"]
    assert again != new


def test_what_others_change_now_is_not_rotated(ask: Ask, stack: Stack, app: ModuleType) -> None:
    keeper = app.api.services.operations.signing_secrets
    services = app.api.services
    keeper._declarations.take(read=None, now=services.clock())
    # The request's clock stands before the end of the lease.
    refused = asking(app, Polls())("POST", ROTATE)
    assert (refused.status, "try again" in refused.body["detail"]) == (409, True)
    assert stack.kept_secret("SigningSecrets")[HOME]["secrets"] == [SECRET]


def test_who_may_not_and_what_has_no_secret_is_refused(ask: Ask, stack: Stack) -> None:
    before = stack.kept_secret("SigningSecrets")
    for path in (ROTATE, FINISH, TEST):
        assert ask("POST", path, role="viewer").status == 403
        assert ask("POST", path, role=f"operator:{RABOT.id}").status == 404
        assert ask("POST", path.replace(HOME, "nowhere")).status == 404
        assert ask("POST", path.replace(HOME, RABOT.id)).status == 409
    assert ask("POST", ROTATE, role=f"operator:{OFFERGRID.id}").status == 200
    assert ask("POST", TEST, {"patience": 60}).status == 422
    public_key = {"scheme": ED25519, "secrets": ["MCowBQYDK2VwAyEA"]}
    stack.keep_secret("SigningSecrets", {**before, HOME: public_key})
    assert (ask("POST", ROTATE).status, ask("POST", TEST).status) == (409, 409)


ED25519 = {
    "header": "x-signature",
    "algorithm": "ed25519",
    "encoding": "base64",
    "key": "base64",
    "signed": "{body}",
}
