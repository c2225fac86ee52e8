"""receive_webhook: what a provider is answered, and what is in the inbox afterwards."""

import base64
import json
import time
from types import ModuleType
from typing import Any

import pytest

from tests.make_webhook_events import http_event
from tests.signing import OTHER_SECRET, SECRET, standard_headers
from tests.stack import SIGNING, Context, Stack, aws, event, sign

MOST_BYTES = 512 * 1024


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    return stack.load("receive_webhook")


def invoke(app: ModuleType, request: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = app.handler(request, Context())
    assert json.loads(answer["body"])["message"]
    return answer


@pytest.mark.parametrize(
    "name",
    ["status_changed_accepted", "scheduled", "rescheduled", "completed", "rejected", "cancelled",
     "late_accepted_after_completed", "unknown_status", "not_json"],
)  # fmt: skip
def test_what_is_authentic_is_in_the_inbox_byte_for_byte(
    name: str, app: ModuleType, stack: Stack
) -> None:
    request = event("receive_webhook", name)
    assert invoke(app, request)["statusCode"] == 202
    (message,) = stack.messages("InboxQueue")
    assert base64.b64decode(message["body"]) == request["body"].encode()
    assert message["connection"] == "offergrid-home"
    assert message["delivery_id"] == request["headers"]["webhook-id"]


def test_the_same_delivery_again_is_accepted_again(app: ModuleType, stack: Stack) -> None:
    for name in ("status_changed_accepted", "duplicate_accepted", "duplicate_accepted"):
        assert invoke(app, event("receive_webhook", name))["statusCode"] == 202
    messages = stack.messages("InboxQueue")
    assert len({message["delivery_id"] for message in messages}) == 1
    assert len(messages) == 3


@pytest.mark.parametrize("name", ["bad_signature", "no_signature"])
def test_what_is_not_authentic_is_refused_and_kept_nowhere(
    name: str, app: ModuleType, stack: Stack
) -> None:
    answer = invoke(app, event("receive_webhook", name))
    assert (answer["statusCode"], answer["body"]) == (401, '{"message": "unauthorized"}')
    assert stack.messages("InboxQueue") == []


def test_one_connections_signature_does_not_open_another(app: ModuleType, stack: Stack) -> None:
    request = http_event('{"event": "order.scheduled"}')
    sign(request)
    request["pathParameters"]["connection"] = "offergrid-business"
    assert invoke(app, request)["statusCode"] == 401
    assert invoke(app, event("receive_webhook", "another_connection"))["statusCode"] == 202


def test_an_unknown_connection_is_not_found(app: ModuleType, stack: Stack) -> None:
    assert invoke(app, event("receive_webhook", "unknown_connection"))["statusCode"] == 404
    assert stack.messages("InboxQueue") == []


def test_another_method_than_post_is_told_so(app: ModuleType) -> None:
    answer = invoke(app, event("receive_webhook", "get_instead_of_post"))
    assert (answer["statusCode"], answer["headers"]["allow"]) == (405, "POST")


def test_a_request_without_a_body_is_refused_like_any_other(app: ModuleType) -> None:
    request = http_event("")
    del request["body"]
    assert invoke(app, request)["statusCode"] == 401


@pytest.mark.parametrize(("extra", "status"), [(0, 202), (1, 413)])
def test_a_body_may_have_512_kilobytes_and_no_byte_more(
    extra: int, status: int, app: ModuleType, stack: Stack
) -> None:
    request = http_event("x" * (MOST_BYTES + extra))
    sign(request)
    assert invoke(app, request)["statusCode"] == status
    assert len(stack.messages("InboxQueue")) == (status == 202)


def test_a_body_in_base64_is_verified_by_its_bytes(app: ModuleType, stack: Stack) -> None:
    raw = b'{"note": "\xff\xfe not UTF-8"}'
    request = http_event("")
    request["body"] = base64.b64encode(raw).decode()
    request["isBase64Encoded"] = True
    request["headers"] |= standard_headers(raw, timestamp=int(time.time()))
    assert invoke(app, request)["statusCode"] == 202
    (message,) = stack.messages("InboxQueue")
    assert base64.b64decode(message["body"]) == raw


@pytest.mark.parametrize(("off", "status"), [(-290, 202), (290, 202), (-310, 401), (310, 401)])
def test_an_old_or_early_delivery_is_refused(off: int, status: int, app: ModuleType) -> None:
    request = http_event("{}")
    sign(request, timestamp=int(time.time()) + off)
    assert invoke(app, request)["statusCode"] == status


def test_both_secrets_of_a_rotation_are_let_in(app: ModuleType, stack: Stack) -> None:
    rotating = {**SIGNING["offergrid-home"], "secrets": [OTHER_SECRET, SECRET]}
    stack.keep_secret("SigningSecrets", {"offergrid-home": rotating})
    assert invoke(app, event("receive_webhook", "scheduled"))["statusCode"] == 202


@pytest.mark.parametrize(
    "secrets",
    [{"offergrid-home": {"scheme": "standard-webhooks", "secrets": []}},
     {"offergrid-home": {"scheme": "standard-webhooks", "secrets": ["whsec_!"]}},
     {"offergrid-home": {"scheme": "none", "secrets": [SECRET]}},
     {"offergrid-home": "not an object"}],
)  # fmt: skip
def test_without_a_usable_secret_nothing_is_let_in(
    secrets: dict[str, Any], app: ModuleType, stack: Stack
) -> None:
    stack.keep_secret("SigningSecrets", secrets)
    answer = invoke(app, event("receive_webhook", "scheduled"))
    assert (answer["statusCode"], "retry-after" in answer["headers"]) == (503, True)
    assert stack.messages("InboxQueue") == []


def test_when_the_secret_is_gone_nothing_is_let_in(app: ModuleType, stack: Stack) -> None:
    aws("secretsmanager").delete_secret(
        SecretId=stack.resources["SigningSecrets"], ForceDeleteWithoutRecovery=True
    )
    answer = invoke(app, event("receive_webhook", "scheduled"))
    assert (answer["statusCode"], "retry-after" in answer["headers"]) == (503, True)


def test_when_the_queue_refuses_the_provider_tries_again(app: ModuleType, stack: Stack) -> None:
    aws("sqs").delete_queue(QueueUrl=stack.resources["InboxQueue"])
    answer = invoke(app, event("receive_webhook", "scheduled"))
    assert (answer["statusCode"], "retry-after" in answer["headers"]) == (503, True)


def test_bad_signatures_cost_one_reading_of_the_secrets(app: ModuleType, stack: Stack) -> None:
    reads = []
    app.secrets._client.meta.events.register(
        "before-call.secrets-manager.GetSecretValue", lambda **_: reads.append(1)
    )
    for _ in range(20):
        assert invoke(app, event("receive_webhook", "bad_signature"))["statusCode"] == 401
    assert len(reads) == 1


@pytest.mark.parametrize("name", ["scheduled", "bad_signature", "unknown_connection"])
def test_a_line_is_logged_without_the_body_or_the_signature(
    name: str, app: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    request = event("receive_webhook", name)
    invoke(app, request)
    logged = capsys.readouterr().out
    line = json.loads(logged)
    assert line["reason"] == ("accepted" if name == "scheduled" else name)
    # Each metric is charged: what is accepted is counted by SQS, and scanners are not counted.
    assert ("_aws" in line) == (name == "bad_signature")
    assert "ord-7c1e20" not in logged
    assert f'"{request["headers"]["webhook-signature"]}"' not in logged
    assert "nobody" not in logged
