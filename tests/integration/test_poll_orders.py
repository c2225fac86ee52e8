"""poll_orders: against a provider on this machine, what is in tables and buckets afterwards."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.sandboxes import Sandboxes, make_connection
from milepost.common.timestamps import parse_instant
from milepost.connections.connection import Connection
from milepost.orders.aws.prefetch import ReadAhead
from milepost.orders.aws.table import OrdersTable
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.providers.base import Response
from milepost.providers.http import ProviderHttp
from tests.integration.crash_injection import Calls, Killed, clock_at
from tests.integration.killed_writes import Writes
from tests.malformed_payloads import nested
from tests.stack import Context, Stack, aws, event

Poll = Callable[..., dict[str, Any]]
MAIN, DE = "offergrid-home", "rabot-energy"
SOME_PAGES = {MAIN: 7, DE: 14}
"""As many orders as make several pages; DE's overlap by ten."""


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


def poll_item(stack: Stack) -> dict[str, Any]:
    (item,) = [one for one in stack.items("PollsTable") if one["pk"].startswith("poll#")]
    return item


@pytest.mark.parametrize("name", [MAIN, DE])
def test_a_poll_takes_in_every_page(
    name: str, poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    for _ in range(SOME_PAGES[name]):
        sandboxes.accounts[name].create_order({})
    result = poll(name)
    assert (result["outcome"], result["quarantined"]) == ("complete", 0)
    assert len(stack.order_ids()) == SOME_PAGES[name]
    assert "lease_until" not in poll_item(stack)


@pytest.mark.parametrize("name", [MAIN, DE])
def test_a_poll_of_unchanged_orders_writes_no_order(
    name: str, poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    for _ in range(5):
        sandboxes.accounts[name].create_order({})
    poll(name)
    before = stack.items("OrdersTable")
    result = poll(name)
    assert (result["outcome"], result["changed"], result["recorded"]) == ("complete", 0, 0)
    assert stack.items("OrdersTable") == before


def test_the_cursor_is_that_of_the_newest_change(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    sandboxes.accounts[MAIN].create_order({"at": "2026-03-02T10:00:00.000Z"})
    poll()
    assert parse_instant(poll_item(stack)["poll_cursor"]).year >= 2026


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


def test_a_poll_without_time_goes_on_the_next_time(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    for _ in range(8):
        sandboxes.accounts[MAIN].create_order({})
    outcomes = [poll(milliseconds=60_000)["outcome"]]
    while outcomes[-1] == "paused":
        outcomes.append(poll(milliseconds=60_000)["outcome"])
    assert outcomes == ["paused", "paused", "complete"]
    assert len(stack.order_ids()) == 8


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


def test_an_order_that_cannot_be_read_is_set_aside_without_what_may_not_be_kept(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    account = sandboxes.accounts[DE]
    secrets = {"password": "hunter2", "nested": [{"IBAN": "DE02120300000000202051"}]}
    account.create_order(secrets)["state"] = ["gestern"]
    account.create_order({})
    result = poll(DE)
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    assert len(stack.order_ids()) == 1
    (kept,) = stack.objects("QuarantineBucket").values()
    assert b"gestern" in kept
    assert b"hunter2" not in kept
    assert b"DE0212" not in kept


@pytest.mark.parametrize("depth", [100, 400])
def test_an_unreadable_order_is_set_aside_whole_however_deep_it_is_nested(
    depth: int, poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    """The page itself can be read: what is deep is a field that nobody knows."""
    account = sandboxes.accounts[DE]
    account.create_order({"surprise": nested(depth), "iban": "DE02120300000000202051"})["state"] = (
        None
    )
    account.create_order({})
    result = poll(DE)
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    (kept,) = stack.objects("QuarantineBucket").values()
    assert b"[" * depth in kept
    assert b"DE0212" not in kept
    assert len(stack.order_ids()) == 1


def test_a_bad_item_is_set_aside_alone_and_its_sibling_recorded(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    order = sandboxes.accounts[MAIN].create_order({"items": [{}, {}]})
    order["items"][0] |= {"status": "rejected", "reason": "No coverage"}
    order["items"][1]["status"] = ""
    result = poll(MAIN)
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    (item,) = stack.items("OrdersTable")
    assert (item["item_id"], item["status"]) == (order["items"][0]["itemId"], "rejected")
    (kept,) = stack.objects("QuarantineBucket").values()
    alone = json.loads(kept)
    assert [one["itemId"] for one in alone["items"]] == [order["items"][1]["itemId"]]
    assert alone["orderId"] == order["orderId"]


def test_an_amount_that_cannot_be_read_withholds_no_status(
    poll: Poll, stack: Stack, sandboxes: Sandboxes
) -> None:
    order = sandboxes.accounts[MAIN].create_order({"items": [{}, {}]})
    order["items"][0] |= {"status": "rejected", "reason": "No coverage"}
    order["items"][1] |= {"status": "Accepted ", "commission": {"amount": "1,280.00"}}
    assert poll(MAIN)["quarantined"] == 0
    found = {item["status"]: item for item in stack.items("OrdersTable")}
    assert set(found) == {"rejected", "accepted"}
    assert "attention" not in found["rejected"]
    (reason,) = found["accepted"]["attention"]
    assert reason["code"] == "unreadable_data"
    assert "items.commission.amount" in reason["text"]
    assert "1,280" not in reason["text"]


def test_logs_hold_nothing_personal(
    poll: Poll, stack: Stack, sandboxes: Sandboxes, logged: Callable[[], str]
) -> None:
    for name in (MAIN, DE):
        sandboxes.accounts[name].create_order({})
        poll(name)
    text = logged()
    assert "polled" in text
    for item in stack.items("OrdersTable"):
        for personal in item["details"]["customer"].values():
            assert personal not in text
    assert "local-offergrid-home-api_key" not in text


def serve(app: ModuleType, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """The provider answers each request for a page with this one."""
    request = ProviderHttp.request

    def answer(self: Any, method: str, url: str, **more: Any) -> Response:
        return Response(200, {}, body) if method == "GET" else request(self, method, url, **more)

    monkeypatch.setattr(ProviderHttp, "request", answer)


def small_order(id: str, **fields: Any) -> dict[str, Any]:
    at = "2026-03-01T09:00:00Z"
    item = {"itemId": "i", "status": "accepted", "updatedAt": at}
    return {"orderId": id, "updatedAt": at, "items": [item], **fields}


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "hostile",
    [
        b'{"x": ' + b"[" * 400 + b"]" * 400 + b"}",
        *(b'{"x": ' + b"[" * depth + b"]" * depth + b"}" for depth in (900, 990, 1_950, 5_000)),
        b'{"x": ' + b'{"x":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"orderId": "\\ud800"}',
        b'{"orderId": "\xff"}',
        b"null",
        b'{"orderId": 1e999999}',
    ],
    ids=[
        *(f"nested {depth} deep" for depth in (400, 900, 990, 1_950, 5_000)),
        "objects nested 5000 deep",
        "nested deep",
        "half a character",
        "not UTF-8",
        "null",
        "out of range",
    ],
)
def test_a_hostile_order_is_in_the_quarantine_byte_for_byte_and_delays_no_other(
    hostile: bytes, poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = [json.dumps(small_order(one)).encode() for one in ("a", "b")]
    serve(
        app,
        monkeypatch,
        b'{"nextCursor": null, "orders": [' + b",".join([good[0], hostile, good[1]]) + b"]}",
    )
    result = poll()
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    assert sorted(stack.order_ids()) == ["a", "b"]
    assert list(stack.objects("QuarantineBucket").values()) == [hostile]
    assert poll()["quarantined"] == 0
    assert "lease_until" not in poll_item(stack)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("opening", ["[", '{"x":'], ids=["lists", "objects"])
@pytest.mark.parametrize("depth", [100, 300, 900, 990, 1_950, 5_000, 50_000])
def test_an_order_with_a_deep_field_that_nobody_reads_is_recorded_or_kept_as_it_came(
    depth: int,
    opening: str,
    *,
    poll: Poll,
    app: ModuleType,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closing = "]" if opening == "[" else "}"
    deep = opening * depth + "1" + closing * depth
    orders = [json.dumps(small_order(one)) for one in ("a", "b", "c")]
    orders[1] = orders[1][:-1] + f', "surprise": {deep}}}'
    serve(app, monkeypatch, f'{{"nextCursor": null, "orders": [{",".join(orders)}]}}'.encode())
    result = poll()
    assert result["outcome"] == "complete"
    kept = stack.objects("QuarantineBucket")
    assert sorted(stack.order_ids()) == (["a", "c"] if kept else ["a", "b", "c"])
    assert list(kept.values()) in ([], [orders[1].encode()])
    assert result["quarantined"] == len(kept)
    assert kept or depth <= 900
    assert "lease_until" not in poll_item(stack)
    assert poll()["quarantined"] == 0


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("code", "outcome", "quarantined"),
    [
        ("ValidationException", "complete", 1),
        ("ProvisionedThroughputExceededException", "failed", 0),
        ("ThrottlingException", "failed", 0),
        ("InternalServerError", "failed", 0),
        ("AccessDeniedException", "failed", 0),
        ("ResourceNotFoundException", "failed", 0),
    ],
)
def test_an_item_that_dynamodb_refuses_is_kept_and_an_outage_fails_the_poll(
    code: str,
    outcome: str,
    quarantined: int,
    *,
    poll: Poll,
    app: ModuleType,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = [small_order(one) for one in ("a", "b", "c")]
    serve(app, monkeypatch, json.dumps({"orders": orders, "nextCursor": None}).encode())
    write = OrdersTable.write

    def refuse(self: Any, tracked: Any, **more: Any) -> None:
        if tracked.order.key.order_id == "b":
            said = {"Error": {"Code": code, "Message": "a secret"}}
            raise ClientError(said, "PutItem")  # type: ignore[arg-type]
        write(self, tracked, **more)

    monkeypatch.setattr(OrdersTable, "write", refuse)
    result = poll()
    assert (result["outcome"], result["quarantined"]) == (outcome, quarantined)
    assert "secret" not in json.dumps(result)
    item = poll_item(stack)
    assert "lease_until" not in item
    assert item["failures"] == (outcome == "failed")
    assert ("poll_cursor" in item) is (outcome == "complete")
    if outcome == "failed":
        assert code in item["last_error"]
    monkeypatch.setattr(OrdersTable, "write", write)
    assert poll()["outcome"] == "complete"
    assert sorted(stack.order_ids()) == (["a", "b", "c"] if outcome == "failed" else ["a", "c"])


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


def test_what_another_way_recorded_is_looked_at_by_the_next_poll(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(
        app,
        monkeypatch,
        json.dumps({"orders": [small_order("a"), small_order("b")], "nextCursor": None}).encode(),
    )
    poll()
    # Not by the poller's own client: only others may mark.
    others = TouchedTable(aws("dynamodb"), table_name=stack.resources["TouchedTable"])
    others.mark(MAIN, ["b"], at=app.now())
    assert poll()["changed"] == 1


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


# ---- two at once


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


def many_orders(app: ModuleType, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """The provider has so many new orders, on one page."""
    orders = [small_order(f"ord-{number}") for number in range(count)]
    serve(app, monkeypatch, json.dumps({"orders": orders, "nextCursor": None}).encode())


def test_new_orders_are_read_some_at_a_time_and_each_is_written_by_itself(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_orders(app, monkeypatch, 30)
    calls = Calls()
    with calls.watched(monkeypatch):
        assert poll()["recorded"] == 30
    assert len(stack.order_ids()) == 30
    assert calls.made.count("BatchGetItem") == 2
    assert calls.made.count("PutItem") == 30
    assert "TransactWriteItems" not in calls.made


def test_orders_that_cannot_be_read_ahead_fail_the_poll_and_none_is_lost(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_orders(app, monkeypatch, 3)
    with monkeypatch.context() as patched:

        def refuse(_self: Any, _keys: Any) -> None:
            said = {"Error": {"Code": "ThrottlingException", "Message": "a secret"}}
            raise ClientError(said, "BatchGetItem")  # type: ignore[arg-type]

        patched.setattr(ReadAhead, "read", refuse)
        failed = poll()
    assert (failed["outcome"], failed["error"]) == ("failed", "DynamoDB: ThrottlingException")
    assert poll()["recorded"] == len(stack.order_ids()) == 3


def test_one_key_that_dynamodb_does_not_allow_is_kept_and_stops_no_other_order(
    poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [small_order(one) for one in ("a", "b" * 2_100, "c")]
    serve(app, monkeypatch, json.dumps({"orders": orders, "nextCursor": None}).encode())
    result = poll()
    assert (result["outcome"], result["quarantined"]) == ("complete", 1)
    assert stack.order_ids() == {"a", "c"}


@pytest.mark.parametrize("at", [1, 9, 21])
def test_a_poll_that_is_killed_while_orders_are_written_loses_and_doubles_nothing(
    at: int, poll: Poll, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several writes are on their way when the process ends: up to seven more than are awaited."""
    many_orders(app, monkeypatch, 30)
    killed_at = Writes(at)
    with killed_at.watched(monkeypatch), suppress(Killed, Exception):
        poll()
    assert at <= len(stack.order_ids()) < 30
    vars(app)["datetime"] = clock_at(app.now() + timedelta(hours=1))
    assert poll()["outcome"] == "complete"
    items = stack.items("OrdersTable")
    assert len(items) == 30
    assert {one["version"] for one in items} == {1}
    assert all(len(json.loads(one["announce"])) == 1 for one in items)
