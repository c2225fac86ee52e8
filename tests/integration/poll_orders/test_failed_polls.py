"""Polls that fail, are killed, or meet another one."""

import json
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from local.sandboxes import Sandboxes
from milepost.common.timestamps import parse_instant
from milepost.providers.base import Response
from milepost.providers.http import ProviderHttp
from tests.integration.crash_injection import clock_at
from tests.integration.poll_orders.polled_accounts import (
    DE,
    MAIN,
    SOME_PAGES,
    Poll,
    poll_item,
    serve,
    small_order,
)
from tests.stack import Context, Stack, aws


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("fault", "name"),
    [("500", MAIN), ("429", MAIN), ("broken_page", MAIN), ("redirect", MAIN),
     ("drop", MAIN), ("drop", DE),
     ("self_next", MAIN), ("500", DE), ("broken_page", DE), ("is_success_false", DE)],
)  # fmt: skip
def test_a_failed_page_moves_no_cursor_and_the_next_poll_is_complete(
    fault: str, name: str, poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    for _ in range(SOME_PAGES[name]):
        sandboxes.accounts[name].create_order({})
    sandboxes.accounts[name].faults.add(
        {"fault": fault, "times": 1, "on": {"page": 2}, "retry_after": 0}
    )
    failed = poll(name)
    assert failed["outcome"] == "failed"
    assert "poll_cursor" not in poll_item(stack)
    assert poll_item(stack)["failures"] == 1
    assert poll(name)["outcome"] == "complete"
    assert len(stack.order_ids()) == SOME_PAGES[name]
    assert poll_item(stack)["failures"] == 0


def test_a_poll_that_finds_another_at_work_leaves_it_alone(
    poll: Poll, app: ModuleType, stack: Stack
) -> None:
    app.scheduled.polls.lease(MAIN, now=app.now(), duration=timedelta(minutes=5))
    assert poll()["outcome"] == "leased"


def test_wrong_credentials_fail_the_poll(poll: Poll, stack: Stack) -> None:
    stack.keep_secret("ApiCredentials", {MAIN: {"api_key": "wrong"}})
    result = poll()
    assert result["outcome"] == "failed"
    assert "401" in result["error"]


def test_a_failed_poll_is_counted_for_all_and_for_its_connection(
    poll: Poll, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.keep_secret("ApiCredentials", {MAIN: {"api_key": "wrong"}})
    poll()
    counted = [
        json.loads(line)
        for line in capsys.readouterr().out.splitlines()
        if '"PollFailures"' in line
    ]
    said = {one.get("connection"): one["PollFailures"] for one in counted}
    assert said == {None: [1.0], MAIN: [1.0]}
    named = {one.get("connection"): dimensions_of(one) for one in counted}
    assert named == {None: {"service"}, MAIN: {"service", "connection"}}


def dimensions_of(metric: dict[str, Any]) -> set[str]:
    (described,) = metric["_aws"]["CloudWatchMetrics"]
    return {name for names in described["Dimensions"] for name in names}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("credentials", ["a text", ["a list"], {"api_key": "a\nb"}, 7])
def test_credentials_that_cannot_be_used_are_a_failed_poll_that_health_shows(
    credentials: Any, poll: Poll, stack: Stack, logged: Callable[[], str]
) -> None:
    stack.keep_secret("ApiCredentials", {MAIN: credentials})
    assert poll()["outcome"] == "failed"
    item = poll_item(stack)
    assert ("lease_until" in item, item["failures"]) == (False, 1)
    said = logged()
    assert '"PollFailures":[1.0]' in said.replace(" ", "")
    assert "a\\nb" not in said
    health = health_shown(stack)
    assert health["failures"] == 1
    assert MAIN in health["last_error"]


def health_shown(stack: Stack) -> dict[str, Any]:
    """What ``GET /connections`` says, which `milepost connections list` prints."""
    request = {
        "rawPath": "/connections",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {
            "http": {"method": "GET", "path": "/connections"},
            "authorizer": {"jwt": {"claims": {"sub": "5b1f", "cognito:groups": "[operator]"}}},
        },
    }
    answer = stack.load("orders_api").handler(request, Context())
    (shown,) = [one for one in json.loads(answer["body"])["items"] if one["id"] == MAIN]
    health: dict[str, Any] = shown["health"]
    return health


def test_a_poll_that_was_killed_leaves_a_memory_that_is_not_trusted(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({"orders": [small_order("a")], "nextCursor": None}).encode()
    serve(app, monkeypatch, body)
    poll()
    app.scheduled.polls.lease(
        MAIN, now=app.now() - timedelta(hours=1), duration=timedelta(minutes=5)
    )
    assert poll()["changed"] == 1
    assert poll()["changed"] == 0


def test_a_request_while_another_poll_is_at_work_is_done_by_that_poll_afterwards(
    app: ModuleType, poll: Poll, stack: Stack, sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandboxes.accounts[MAIN].create_order({"at": "2026-03-02T10:00:00.000Z"})
    sandboxes.accounts[MAIN].create_order({"at": "2026-03-02T18:00:00.000Z"})
    poll()
    known = set(stack.order_ids())
    table = stack.resources["OrdersTable"]
    for key in stack.items("OrdersTable"):
        place = {name: {"S": key[name]} for name in ("pk", "sk")}
        aws("dynamodb").delete_item(TableName=table, Key=place)
    other: list[str] = []
    fetch = ProviderHttp.request

    def request(self: Any, method: str, url: str, **rest: Any) -> Response:
        if not other:
            other.append("requested")
            second = {"connection": MAIN, "since": "2026-03-01T00:00:00Z"}
            other.append(app.handler(second, Context())["outcome"])
        response: Response = fetch(self, method, url, **rest)
        return response

    monkeypatch.setattr(ProviderHttp, "request", request)
    result = poll()
    assert other == ["requested", "leased"]
    assert result["outcome"] == "complete"
    assert set(stack.order_ids()) == known
    assert not [name for name in poll_item(stack) if name.startswith("request_")]


def test_a_request_that_meets_a_poll_that_is_killed_is_done_by_the_next_tick(
    app: ModuleType, poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    sandboxes.accounts[MAIN].create_order({"at": "2026-03-02T10:00:00.000Z"})
    start = parse_instant("2026-03-03T00:00:00Z")
    vars(app)["datetime"] = clock_at(start)
    app.scheduled.polls.lease(MAIN, now=start, duration=timedelta(minutes=5))
    second = {"connection": MAIN, "since": "2026-03-01T00:00:00Z"}
    for _ in range(2):  # Lambda may start it twice.
        assert app.handler(second, Context())["outcome"] == "leased"
    assert [n for n in poll_item(stack) if n.startswith("request_")] == [
        f"request_{Context().aws_request_id}"
    ]
    vars(app)["datetime"] = clock_at(start + timedelta(minutes=6))
    assert poll()["outcome"] == "complete"
    assert len(stack.order_ids()) == 1
    assert not [n for n in poll_item(stack) if n.startswith("request_")]
