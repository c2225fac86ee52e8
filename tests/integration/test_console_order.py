"""The console's page of one order: its actions, at a sandbox on this machine."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.connections.connection import Connection
from milepost.notifications.notice import NoticeId
from tests.builders import KEY, notice
from tests.integration.api_requests import a_mail
from tests.integration.console_browser import ORIGIN, OperatorsBrowser, open_console
from tests.stack import Context, Stack

NAME = "spirii-charge"


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
def browser(stack: Stack) -> OperatorsBrowser:
    return open_console(stack)


def test_each_action_is_done_and_stands_on_the_timeline(
    browser: OperatorsBrowser, order: str
) -> None:
    page = f"/console/orders/{order}"
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}"
    for path, form in (
        ("actions/note", {"text": "rang them twice"}),
        ("actions/refresh", {"silent": "1"}),
        ("actions/fulfill", {"at": tomorrow}),
        ("actions/fulfill/call-off", {}),
        ("actions/cancel", {"reason": "moved"}),
    ):
        done = browser.post(f"{page}/{path}", **form)
        assert done.status == 303, done.text
    shown = browser.get(page)
    assert shown.status == 200
    for text in ("rang them twice", "Fulfill: planned", "Fulfill: called off", "Cancel: done"):
        assert text in shown.text
    assert 'class="status cancelled"' in shown.text
    again = browser.post(f"{page}/actions/cancel", reason="again")
    assert again.status == 409
    assert "not possible" in again.text


def test_a_mail_is_sent_again_to_another_address(stack: Stack, browser: OperatorsBrowser) -> None:
    a_mail(stack)
    path = f"/console/orders/{KEY.path_id}/notices/{NoticeId.parse(notice().id).path_id}/resend"
    shown = browser.get(f"{path}?to=other@example.org&force=1")
    assert "Confirm: send it to other@example.org" in shown.text
    assert f"{ORIGIN}/console/orders/{KEY.path_id}" in shown.text
    assert stack.messages("EmailQueue") == []
    done = browser.post(path, to="other@example.org", force="1")
    assert done.status == 303, done.text
    assert "other@example.org" in str(stack.messages("EmailQueue"))
