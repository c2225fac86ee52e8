"""The console's page of one order: its actions, at a sandbox on this machine."""

import base64
import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.connections.connection import Connection
from milepost.console.aws.sessions import SessionsTable
from milepost.console.forgery import form_token
from milepost.console.sessions import Person, Session
from milepost.notifications.notice import NoticeId
from tests.builders import KEY, notice
from tests.integration.asking import a_mail
from tests.stack import Context, Stack, aws

NAME = "spirii-charge"
ORIGIN = "https://orders.example.org"
SESSION = "a session's id"
ADDRESSES = f'{{"url":"{ORIGIN}/console","login":"https://login.example.org","client":"c-1"}}'
Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def order(stack: Stack) -> Iterator[str]:
    """The id of an order that was polled from the sandbox."""
    with Sandboxes([make_connection(NAME, "spirii")]) as sandboxes:
        stack.apply(Connection(id=NAME, provider="spirii", base_url=sandboxes.url(NAME)))
        account = sandboxes.accounts[NAME]
        stack.keep_secret("ApiCredentials", {NAME: account.connection.credentials})
        id = account.create_order({})["id"]
        stack.load("poll_orders").handler({"connection": NAME}, Context())
        yield f"{NAME}:{id}:{id}"


@pytest.fixture
def ask(stack: Stack) -> Ask:
    """A browser in which an operator is signed in."""
    name = stack.environment("console")["CONSOLE_SETTINGS"]
    aws("ssm").put_parameter(Name=name, Value=ADDRESSES, Type="String", Overwrite=True)
    now = datetime.now(UTC)
    person = Person(subject="5b1f", name="kim", groups=("operator",))
    table = SessionsTable(aws("dynamodb"), table_name=stack.resources["SessionsTable"])
    table.put(
        Session(id=SESSION, person=person, began_at=now, renewed_at=now, sealed_token="sealed")
    )
    app = stack.load("console")

    def send(method: str, path: str, **form: str) -> tuple[int, str]:
        event: dict[str, Any] = {
            "rawPath": path,
            "headers": {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"},
            "cookies": [f"__Host-milepost={SESSION}"],
            "requestContext": {"http": {"method": method, "path": path}},
        }
        if method == "POST":
            event["body"] = urlencode({**form, "csrf": form_token(SESSION)})
        answer = app.handler(event, Context())
        body = answer["body"]
        if answer["isBase64Encoded"]:
            raw = base64.b64decode(body)
            is_packed = answer["headers"].get("content-encoding") == "gzip"
            body = (gzip.decompress(raw) if is_packed else raw).decode()
        return answer["statusCode"], body

    return send


def test_each_action_is_done_and_stands_on_the_timeline(ask: Ask, order: str) -> None:
    page = f"/console/orders/{order}"
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}"
    for path, form in (
        ("actions/note", {"text": "rang them twice"}),
        ("actions/refresh", {"silent": "1"}),
        ("actions/fulfill", {"at": tomorrow}),
        ("actions/fulfill/call-off", {}),
        ("actions/cancel", {"reason": "moved"}),
    ):
        status, shown = ask("POST", f"{page}/{path}", **form)
        assert status == 303, shown
    status, shown = ask("GET", page)
    assert status == 200
    for text in ("rang them twice", "Fulfill: planned", "Fulfill: called off", "Cancel: done"):
        assert text in shown
    assert 'class="status cancelled"' in shown
    status, shown = ask("POST", f"{page}/actions/cancel", reason="again")
    assert status == 409
    assert "not possible" in shown


def test_a_mail_is_sent_again_to_another_address(stack: Stack, ask: Ask) -> None:
    a_mail(stack)
    path = f"/console/orders/{KEY.path_id}/notices/{NoticeId.parse(notice().id).path_id}/resend"
    status, shown = ask("POST", path, to="other@example.org", force="1")
    assert status == 303, shown
    assert "other@example.org" in str(stack.messages("EmailQueue"))
