"""Declared providers: the pages, requests, webhooks and actions of their files."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from milepost.common.errors import BadPayload
from milepost.orders.order import OrderKey
from milepost.providers.base import BrokenPage, OrderNamed, PageRequest, SignInFailed
from tests.unit.providers.declared.declared_files import (
    BASE,
    CONNECTION,
    EVENTS,
    NOW,
    ORDER,
    declared,
    fetch,
)

PAGES: list[tuple[dict[str, Any], Any, PageRequest, Any]] = [
    ({"kind": "number", "parameter": "p"}, {}, PageRequest("/orders", {"p": "3"}), {"p": "4"}),
    (
        {"kind": "number", "parameter": "p", "pages": "last"},
        {"last": 3},
        PageRequest("/orders", {"p": "3"}),
        None,
    ),
    (
        {"kind": "offset", "parameter": "o", "total": "total"},
        {"total": "9"},
        PageRequest("/orders", {"o": "7"}),
        {"o": "8"},
    ),
    (
        {"kind": "offset", "parameter": "o", "has_more": "more"},
        {"more": False},
        PageRequest("/orders", {"o": "7"}),
        None,
    ),
    (
        {"kind": "cursor", "parameter": "c", "next": "meta.next"},
        {"meta": {"next": "abc"}},
        PageRequest("/orders", {"c": "x"}),
        {"c": "abc"},
    ),
    (
        {"kind": "cursor", "parameter": "c", "next": "next"},
        {"next": None},
        PageRequest("/orders", {}),
        None,
    ),
]


@pytest.mark.parametrize(("pages", "said", "request_", "following"), PAGES)
def test_pages_follow_one_another_as_the_file_says(
    pages: dict[str, Any], said: dict[str, Any], request_: PageRequest, following: Any
) -> None:
    provider = declared(list={"path": "/orders", "items": "data.orders", "pages": pages})
    body = {"data": {"orders": [ORDER]}, **said}
    page = provider.read_page(body, request=request_)
    assert (page.next.query if page.next else None) == following
    assert page.newest_change == datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    if pages == {"kind": "number", "parameter": "p"}:
        empty = provider.read_page({"data": {"orders": []}}, request=request_)
        assert empty.next is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"{BASE}/orders?after=1&a=1&a=2", "/orders?after=1&a=1&a=2"),
        ("?after=2", "/orders?after=2"),
        ("/v2/orders?key=s3cret&after=3", "/orders?after=3"),
        ("http://api.heatly.example/v2/orders", BrokenPage),
        ("https://api.heatly.example:444/v2/orders", BrokenPage),
        ("https://evil.example/v2/orders", BrokenPage),
        ("https://api.heatly.example@evil.example/v2/orders", BrokenPage),
        ("//evil.example/v2/orders", BrokenPage),
        ("https://api.heatly.example/v1/orders", BrokenPage),
        ("https://api.heatly.example/v2evil/orders", BrokenPage),
        ("/v2/../../admin", BrokenPage),
        ("https://[::1", BrokenPage),
        ("file:///etc/passwd", BrokenPage),
        ("http://169.254.169.254/latest", BrokenPage),
        (7, BrokenPage),
    ],
)
def test_a_next_page_is_followed_only_below_the_connection_s_base_url(url: Any, path: Any) -> None:
    provider = declared(
        list={"path": "/orders", "items": "data", "pages": {"kind": "url", "next": "next"}},
        sign_in={"kind": "query", "parameter": "key"},
    )
    request = PageRequest("/orders")
    if path is BrokenPage:
        with pytest.raises(BrokenPage):
            provider.read_page({"data": [], "next": url}, request=request)
        return
    page = provider.read_page({"data": [], "next": url}, request=request)
    assert page.next == PageRequest(path)


def test_a_link_header_and_a_list_without_an_envelope_are_read() -> None:
    listed = {"path": "/orders", "items": "@", "pages": {"kind": "link"}}
    provider = declared(list=listed)
    assert provider.orders_path == ()
    request = PageRequest("/orders", {}, link=f"{BASE}/orders?page=2")
    page = provider.read_page([ORDER], request=request)  # type: ignore[arg-type]
    assert page.next == PageRequest("/orders?page=2")
    last = provider.read_page([ORDER], request=PageRequest("/orders"))  # type: ignore[arg-type]
    assert last.next is None


KEYS: list[tuple[dict[str, Any], dict[str, str], str, str]] = [
    ({"kind": "header", "header": "X-Key", "prefix": "k "}, {"api_key": "a"}, "x-key", "k a"),
    ({"kind": "bearer"}, {"token": "t"}, "authorization", "Bearer t"),
    ({"kind": "basic"}, {"username": "u", "password": "p"}, "authorization", "Basic dTpw"),
    ({"kind": "none"}, {}, "x-version", "2"),
]


@pytest.mark.parametrize(("sign_in", "credentials", "header", "value"), KEYS)
def test_requests_carry_what_the_file_says(
    sign_in: dict[str, Any], credentials: dict[str, str], header: str, value: str
) -> None:
    _, url, headers, _ = fetch(sign_in, credentials).asked[-1]
    assert url == f"{BASE}/orders?x=1"
    assert headers[header] == value
    if credentials:
        with pytest.raises(SignInFailed, match="has no"):
            fetch(sign_in, {})


def test_a_key_in_the_query_is_added_to_the_request_alone() -> None:
    sign_in = {"kind": "query", "parameter": "key"}
    assert fetch(sign_in, {"api_key": "s&t"}).asked[-1][1] == f"{BASE}/orders?x=1&key=s%26t"


@pytest.mark.parametrize("client", ["form", "basic"])
def test_a_token_is_got_by_oauth2_client_credentials(client: str) -> None:
    sign_in = {"kind": "oauth2", "token_url": "https://auth.heatly.example/token", "scope": "o",
               "client": client, "parameters": {"audience": "api"}}  # fmt: skip
    secrets = {"client_id": "i", "client_secret": "s"}
    http = fetch(sign_in, secrets, b'{"access_token": "tok", "expires_in": 60}')
    (method, url, headers, body), (_, _, carried, _) = http.asked
    form = parse_qs((body or b"").decode())
    assert (method, url) == ("POST", "https://auth.heatly.example/token")
    assert form["scope"] == ["o"]
    assert form["audience"] == ["api"]
    assert ("client_secret" in form) is (client == "form")
    assert headers.get("authorization") == (None if client == "form" else "Basic aTpz")
    assert carried["authorization"] == "Bearer tok"


def test_a_token_is_got_by_a_login_call() -> None:
    sign_in = {"kind": "login", "path": "/login", "body": {"user": "{name}", "pw": "{word}"},
               "token": "data.jwt"}  # fmt: skip
    http = fetch(sign_in, {"name": "n", "word": "{name}"}, b'{"data": {"jwt": "j"}}')
    assert json.loads(http.asked[0][3] or b"") == {"user": "n", "pw": "{name}"}
    assert http.asked[1][2]["authorization"] == "Bearer j"
    with pytest.raises(SignInFailed, match="no token"):
        fetch(sign_in, {"name": "n", "word": "w"}, b'{"data": {}}')


def test_webhooks_are_whole_orders_parts_names_and_nothing() -> None:
    provider = declared(EVENTS)

    def take(kind: str, data: Any = None) -> Any:
        event = {"type": kind, "at": "2026-03-05 10:00:00", "data": data}
        return provider.read_event(event, connection=CONNECTION, seen_at=NOW)

    (whole,) = take("changed", ORDER)
    assert whole.snapshot_at == datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
    (part,) = take("moved", {"id": 7, "visit": "2026-03-09 10:00:00"})
    assert (part.status, part.raw_status, part.snapshot_at) == (None, None, None)
    assert part.details == {"appointment": "2026-03-09T09:00:00Z"}
    with pytest.raises(OrderNamed) as named:
        take("touched", {"id": 9})
    assert named.value.order_id == "9"
    assert take("ping") == []
    for wrong in ("surprise", "", None, 7):
        with pytest.raises(BadPayload, match="event"):
            take(wrong)  # type: ignore[arg-type]


def test_an_action_fills_its_path_and_body_and_nothing_else() -> None:
    action = {
        "statuses": ["pending"], "words": ["Angelegt"], "path": "/orders/{order_id}/cancel",
        "body": {"why": "{reason}", "n": 1}, "arguments": ["reason"], "outcome": "said",
    }  # fmt: skip
    cancel = declared(actions={"cancel": action}).actions["cancel"]

    class Tracked:
        key = OrderKey("heatly-de", "a/../b?x", "a/../b?x")

    call = cancel.make_call(Tracked(), {"reason": "{order_id}"})  # type: ignore[arg-type]
    assert call.path == "/orders/a%2F..%2Fb%3Fx/cancel"
    assert call.body == {"why": "{order_id}", "n": 1}
    assert cancel.read_outcome({"said": "gone"}) == "gone"
    assert cancel.read_outcome({}) == "done"
