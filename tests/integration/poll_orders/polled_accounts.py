"""Shared parts of poll tests: the accounts, and pages that a provider returns."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from milepost.providers.base import Response
from milepost.providers.http import ProviderHttp
from tests.stack import Stack

Poll = Callable[..., dict[str, Any]]
MAIN, DE = "offergrid-home", "rabot-energy"
SOME_PAGES = {MAIN: 7, DE: 14}
"""As many orders as make several pages; DE's overlap by ten."""


def poll_item(stack: Stack) -> dict[str, Any]:
    (item,) = [one for one in stack.items("PollsTable") if one["pk"].startswith("poll#")]
    return item


def serve(app: ModuleType, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """The provider responds to each request for a page with this one."""
    request = ProviderHttp.request

    def answer(self: Any, method: str, url: str, **more: Any) -> Response:
        return Response(200, {}, body) if method == "GET" else request(self, method, url, **more)

    monkeypatch.setattr(ProviderHttp, "request", answer)


def small_order(id: str, **fields: Any) -> dict[str, Any]:
    at = "2026-03-01T09:00:00Z"
    item = {"itemId": "i", "status": "accepted", "updatedAt": at}
    return {"orderId": id, "updatedAt": at, "items": [item], **fields}


def many_orders(app: ModuleType, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """The provider has this number of new orders, on one page."""
    orders = [small_order(f"ord-{number}") for number in range(count)]
    serve(app, monkeypatch, json.dumps({"orders": orders, "nextCursor": None}).encode())
