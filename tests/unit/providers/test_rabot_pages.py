"""RABOT's pages, and signing in."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from milepost.providers.base import BrokenPage, PageRequest, Response, SignInFailed
from milepost.providers.rabot import OVERLAP
from tests.builders import NOON, RABOT, rabot_order, rabot_page
from tests.unit.providers.rabot_orders import FIRST, PROVIDER


@pytest.mark.parametrize(
    "body",
    [
        rabot_page([], isSuccess=False),
        rabot_page([], isSuccess="true"),
        rabot_page([], isSuccess=None),
        rabot_page([], data=None),
        rabot_page([], data={"orders": None}),
        rabot_page([], hasMoreItems=None),
        rabot_page([], more=True),
        {"isSuccess": False, "error": [{"code": "ORDERS_UNAVAILABLE"}], "data": None},
        {"isSuccess": False, "error": None},
        {"isSuccess": False, "error": "text"},
        {},
    ],
)
def test_a_failed_page_is_never_an_empty_one(body: dict[str, Any]) -> None:
    with pytest.raises(BrokenPage):
        PROVIDER.read_page(body, request=FIRST)


def test_a_failed_page_is_named_by_its_codes_and_by_no_sentence() -> None:
    codes = ["kim@example.org", "NOT_ALLOWED", "No such user: Kim", 17, None, {}, "a\nb"]
    body = {"isSuccess": False, "error": [{"code": one} for one in codes]}
    with pytest.raises(BrokenPage) as failed:
        PROVIDER.read_page(body, request=FIRST)
    assert str(failed.value) == "the provider says that the page failed: NOT_ALLOWED, 17"


@pytest.mark.parametrize("limit", [1, 2, 7, 10, 11, 50, 100])
def test_pages_overlap_so_that_drift_loses_none(limit: int) -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(230)]
    request: PageRequest | None = PageRequest(
        "/partner/v1/orders", {"offset": "0", "limit": str(limit)}
    )
    seen: set[str] = set()
    pages = 0
    while request is not None:
        # An order leaves the list before each page: all behind it move up by one.
        orders = orders[: limit // 2] + orders[limit // 2 + 1 :] if limit > 2 else orders
        offset = int(request.query["offset"])
        served = orders[offset : offset + limit]
        page = PROVIDER.read_page(
            rabot_page(served, more=offset + limit < len(orders)), request=request
        )
        seen |= {order["contractNumber"] for order in page.orders}
        request = page.next
        pages += 1
        assert pages < 1_000
    assert {order["contractNumber"] for order in orders} <= seen


def test_a_page_steps_back_by_its_overlap() -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(100)]
    page = PROVIDER.read_page(rabot_page(orders, more=True), request=FIRST)
    assert page.next is not None
    assert page.next.query["offset"] == str(100 - OVERLAP)


def test_a_page_that_lists_every_order_twice_hides_none_of_the_next_page() -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(100)]
    page = PROVIDER.read_page(rabot_page(orders * 2, more=True), request=FIRST)
    assert page.next is not None
    assert page.next.query["offset"] == str(100 - OVERLAP)


class TokenEndpoint:
    def __init__(self, status: int, body: bytes) -> None:
        self.answer = Response(status, {}, body)
        self.asked: list[tuple[str, str, bytes | None]] = []

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        self.asked.append((method, url, body))
        return self.answer


CREDENTIALS = {"client_id": "milepost", "client_secret": "s3cret&more"}


def test_a_token_is_asked_for_once_and_renewed_before_it_ends() -> None:
    answer = json.dumps({"access_token": "eyJ.x", "expires_in": 3599, "token_type": "Bearer"})
    endpoint = TokenEndpoint(200, answer.encode())
    signed_in = PROVIDER.sign_in(RABOT, CREDENTIALS, http=endpoint, now=NOON)
    assert signed_in.headers["authorization"] == "Bearer eyJ.x"
    assert signed_in.valid_until is not None
    assert NOON < signed_in.valid_until < NOON + timedelta(seconds=3599)
    ((method, url, body),) = endpoint.asked
    assert (method, url) == ("POST", RABOT.token_url)
    assert b"client_secret=s3cret%26more" in (body or b"")
    assert b"grant_type=client_credentials" in (body or b"")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"error": "invalid_client"}'),
        (500, b"oops"),
        (200, b"not json"),
        (200, b"\xff"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"access_token": "x\\r\\nx-evil: 1", "expires_in": 3599}'),
        (200, '{"access_token": "é", "expires_in": 3599}'.encode()),
        (200, b'{"access_token": "", "expires_in": 3599}'),
        (200, b"[" * 100_000),
    ],
)
def test_without_a_token_signing_in_fails(status: int, body: bytes) -> None:
    with pytest.raises(SignInFailed) as failure:
        PROVIDER.sign_in(RABOT, CREDENTIALS, http=TokenEndpoint(status, body), now=NOON)
    assert "s3cret" not in str(failure.value)


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("", 60, 300),
        (', "expires_in": null', 60, 300),
        (', "expires_in": "soon"', 60, 300),
        (', "expires_in": true', 60, 300),
        (', "expires_in": [3599]', 60, 300),
        (', "expires_in": "3599"', 3_000, 3_599),
        (', "expires_in": 3599.5', 3_000, 3_599),
        (', "expires_in": 60', 1, 59),
        (', "expires_in": 0', 0, 0),
        (', "expires_in": -1', 0, 0),
        (', "expires_in": 1e30', 3_600, 86_400),
        (', "expires_in": 99999999999999999999', 3_600, 86_400),
    ],
)
def test_a_token_is_used_for_as_long_as_can_be_meant(said: str, least: int, most: int) -> None:
    endpoint = TokenEndpoint(200, f'{{"access_token": "x"{said}}}'.encode())
    signed_in = PROVIDER.sign_in(RABOT, CREDENTIALS, http=endpoint, now=NOON)
    assert signed_in.valid_until is not None
    assert least <= (signed_in.valid_until - NOON).total_seconds() <= most
