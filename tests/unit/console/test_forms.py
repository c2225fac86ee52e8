"""What a form may do: sent by a page of the session itself, by somebody who may act."""

import pytest

from milepost.console.csrf import form_token
from milepost.console.request import read_request
from tests.unit.console.conftest import Browser


def session_id(browser: Browser) -> str:
    [session] = browser.sessions.kept
    return session


@pytest.mark.parametrize(
    ("origin", "own_token"),
    [
        ("https://orders.example.org", False),
        ("https://evil.example", True),
        ("https://orders.example.org.evil.example", True),
        ("null", True),
    ],
)
def test_a_forged_form_does_nothing(origin: str, own_token: bool, browser: Browser) -> None:
    browser.sign_in("operator")
    token = form_token(session_id(browser) if own_token else "another session")
    shown = browser.post("/console/sign-out", origin=origin, csrf=token)
    assert shown.status == 403
    assert browser.sessions.kept


def test_a_form_without_a_token_does_nothing(browser: Browser) -> None:
    browser.sign_in("operator")
    assert browser.post("/console/sign-out").status == 403
    assert browser.sessions.kept


def test_each_token_is_another_and_counts(browser: Browser) -> None:
    browser.sign_in()
    first, second = (form_token(session_id(browser)) for _ in range(2))
    assert first != second
    assert browser.post("/console/sign-out", csrf=first).status == 303


def test_a_viewer_can_send_no_form_that_does_something(browser: Browser) -> None:
    browser.sign_in("viewer")
    token = form_token(session_id(browser))
    shown = browser.post("/console/orders/a:b:c/actions/cancel", csrf=token)
    assert shown.status == 403
    assert "operator" in shown.text


def test_a_form_of_a_session_that_has_ended_says_that_nothing_was_done(browser: Browser) -> None:
    shown = browser.post("/console/orders/a:b:c/actions/cancel")
    assert shown.status == 401
    assert "Nothing was done" in shown.text


def test_repeated_values_of_a_query_are_read_from_the_raw_query() -> None:
    request = read_request(
        {
            "rawPath": "/console/orders",
            "rawQueryString": "status=accepted&status=rejected&q=a%2Cb",
            "queryStringParameters": {"status": "accepted,rejected", "q": "a,b"},
            "requestContext": {"http": {"method": "GET"}},
        }
    )
    assert request.query.all("status") == ["accepted", "rejected"]
    assert request.query.one("q") == "a,b"
