"""Polls of two accounts in the sandboxes."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.connections.connection import Connection
from tests.integration.poll_orders.polled_accounts import DE, MAIN, Poll
from tests.stack import Context, Stack, event


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    accounts = [make_connection(MAIN, "offergrid"), make_connection(DE, "rabot")]
    with Sandboxes(accounts) as running:
        yield running


@pytest.fixture
def app(stack: Stack, sandboxes: Sandboxes) -> ModuleType:
    stack.apply(
        Connection(id=MAIN, provider="offergrid", base_url=sandboxes.url(MAIN), page_size=3),
        Connection(
            id=DE,
            provider="rabot",
            base_url=sandboxes.url(DE),
            token_url=f"{sandboxes.url(DE)}/connect/token",
            scopes="api:partner",
            page_size=12,
        ),
    )
    credentials = {name: one.connection.credentials for name, one in sandboxes.accounts.items()}
    stack.keep_secret("ApiCredentials", credentials)
    return stack.load("poll_orders")


@pytest.fixture
def poll(app: ModuleType) -> Poll:
    def run(name: str = MAIN, milliseconds: int = 300_000) -> dict[str, Any]:
        schedule = event("poll_orders", name.replace("-", "_"))
        answer: dict[str, Any] = app.handler(schedule, Context(milliseconds))
        return answer

    return run
