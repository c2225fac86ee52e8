"""Secrets in every setting, every secret and every error of a library: none is logged or stored."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient

from local.sandboxes import Sandboxes, make_connection
from milepost.common.exception_summary import HandlerFailed
from milepost.connections.aws.activity import ContactsTable
from milepost.connections.connection import Connection
from tests.builders import OFFERGRID, RABOT
from tests.data_leaks import Overheard
from tests.stack import SIGNING, Context, Stack, aws, event

PLANTED = "hunter2-hunter2-hunter2"
CHARGE = "spirii-charge"
EVENTS: dict[str, Callable[[], Any]] = {
    "announce": lambda: event("announce", "accepted"),
    "call_endpoint": lambda: {"Records": [{"messageId": "1", "body": "{}"}]},
    "make_exports": lambda: event("make_exports", "an_export"),
    "measure_stages": lambda: event("measure_stages", "new_order"),
    "orders_api": lambda: {
        "rawPath": "/orders",
        "requestContext": {
            "http": {"method": "GET", "path": "/orders"},
            "authorizer": {"jwt": {"claims": {"sub": "5", "cognito:groups": "[viewer]"}}},
        },
    },
    "perform_action": lambda: {"order": "a:b:c", "action": "cancel", "plan": "p"},
    "poll_orders": lambda: {"connection": OFFERGRID.id},
    "receive_webhook": lambda: event("receive_webhook", "scheduled"),
    "record_report": lambda: event("record_report", "accepted"),
    "release_notices": dict,
    "run_batches": lambda: {"Records": [{"messageId": "1", "body": "{}"}]},
    "send_notice": lambda: {"Records": [{"messageId": "1", "body": "{}"}]},
    "track_delivery": lambda: {"Records": [{"messageId": "1", "body": "{}"}]},
    "tracking_page": lambda: {
        "requestContext": {"http": {"method": "GET"}},
        "pathParameters": {"token": "x"},
    },
    "unsubscribe": lambda: {
        "requestContext": {"http": {"method": "GET"}},
        "pathParameters": {"token": "x"},
    },
    "watch_deadlines": dict,
}


def quote(*_: Any, **__: Any) -> Any:
    """An error as libraries raise it: it quotes what it was given."""
    raise ValueError(f"Invalid header value b'Bearer {PLANTED}'")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("function", EVENTS)
def test_an_error_that_quotes_a_secret_leaves_the_function_without_it(
    function: str, stack: Stack, overheard: Overheard, capsys: pytest.CaptureFixture[str]
) -> None:
    app = stack.load(function)
    answer: Any = None
    with patch.object(BaseClient, "_make_api_call", quote):
        try:
            answer = app.handler(EVENTS[function](), Context())
        except HandlerFailed as failed:
            answer = str(failed)
    assert PLANTED not in json.dumps(answer)
    assert PLANTED not in overheard.text + capsys.readouterr().out


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes([make_connection(CHARGE, "spirii")]) as running:
        yield running


FREE = {"options", "scopes", "service_type", "language", "region", "contact"}
"""Settings that may be any text, or of any structure: there a secret is a setting like others."""
KEYS = [PLANTED, f"{PLANTED}\r\nX-Evil: 1", f"{PLANTED}\x00", f"{PLANTED}€", f" {PLANTED}"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_is_refused_or_cannot_be_sent_is_nowhere(
    key: str,
    stack: Stack,
    sandboxes: Sandboxes,
    overheard: Overheard,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack.apply(Connection(id=CHARGE, provider="spirii", base_url=sandboxes.url(CHARGE)))
    stack.keep_secret("ApiCredentials", {CHARGE: {"api_key": key}})
    result = stack.load("poll_orders").handler({"connection": CHARGE}, Context())
    assert result["outcome"] == "failed"
    contacts = ContactsTable(aws("dynamodb"), table_name=stack.resources["PollsTable"]).all()
    for said in (json.dumps(result), str(contacts), overheard.text, capsys.readouterr().out):
        assert PLANTED not in said


@pytest.mark.sampled(2)
@pytest.mark.parametrize("setting", sorted(Connection.__dataclass_fields__.keys() - FREE))
@pytest.mark.parametrize("value", [f"https://u:{PLANTED}@a.example", [PLANTED], {PLANTED: PLANTED}])
def test_a_secret_in_a_setting_is_nowhere(
    setting: str,
    value: Any,
    stack: Stack,
    overheard: Overheard,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = {"id": OFFERGRID.id, "provider": "offergrid", "base_url": "https://a.example"}
    stack.put_settings(OFFERGRID.id, json.dumps(good | {setting: value}))
    result = stack.load("poll_orders").handler({"connection": OFFERGRID.id}, Context())
    stack.load("record_report").handler(event("record_report", "accepted"), Context())
    stack.load("watch_deadlines").handler({}, Context())
    request = EVENTS["orders_api"]() | {"rawPath": "/connections"}
    listed = stack.load("orders_api").handler(request, Context())
    assert listed["statusCode"] == 200
    if setting not in ("tracks", "customer_notices"):
        assert PLANTED not in json.dumps(result) + listed["body"]
    assert PLANTED not in overheard.text + capsys.readouterr().out


def test_secrets_in_every_shape_of_a_signing_entry_are_nowhere(
    stack: Stack, overheard: Overheard, capsys: pytest.CaptureFixture[str]
) -> None:
    for entry in (
        PLANTED,
        [PLANTED],
        {"scheme": PLANTED},
        {"scheme": "spirii", "secrets": PLANTED},
    ):
        stack.keep_secret("SigningSecrets", {**SIGNING, OFFERGRID.id: entry, RABOT.id: PLANTED})
        app = stack.load("receive_webhook")
        answer = app.handler(event("receive_webhook", "scheduled"), Context())
        assert answer["statusCode"] == 503
        assert PLANTED not in json.dumps(answer)
    assert PLANTED not in overheard.text + capsys.readouterr().out
