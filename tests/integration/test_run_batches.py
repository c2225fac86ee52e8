"""run_batches and the API's batches: planned, started, stopped, delivered twice."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.actions.aws.batches import BatchesTable
from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.connection import Connection
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.recipients import Choice
from milepost.orders.aws.table import OrdersTable, order_item
from milepost.orders.order import Kind, OrderKey
from milepost.orders.recording import record
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    RULES,
    announcement,
    minute,
    notice,
    report,
    tracked,
)
from tests.integration.operator_requests import http_event
from tests.stack import Context, Stack, aws

CHARGE = "spirii-charge"
ORDERS = [replace(KEY, order_id=f"ord_{number}") for number in range(3)]
IDS = [key.path_id for key in ORDERS]
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    stack.apply(OFFERGRID)
    for key in ORDERS:
        keep(stack, key)
    return stack.load("orders_api")


@pytest.fixture
def ask(app: ModuleType) -> Ask:
    def send(method: str, path: str, body: Any = None, role: str = "operator") -> tuple[int, Any]:
        path, _, said = path.partition("?")
        query = dict(parse_qsl(said))
        answer = app.handler(http_event(method, path, body, role=role, query=query), Context())
        return answer["statusCode"], json.loads(answer["body"])

    return send


@pytest.fixture
def work(stack: Stack, app: ModuleType) -> Callable[..., list[Any]]:
    """Hands what is in the queue to the function; what was handed over."""
    runner = stack.load("run_batches")
    runner.worker = replace(runner.worker, pause=lambda _seconds: None)

    def run(messages: list[Any] | None = None, *, milliseconds: int = 150_000) -> list[Any]:
        handed = stack.messages("BatchQueue") if messages is None else messages
        records = [{"messageId": "1", "body": json.dumps(one)} for one in handed]
        answer = runner.handler({"Records": records}, Context(milliseconds=milliseconds))
        assert answer == {"batchItemFailures": []}
        return handed

    return run


def keep(stack: Stack, key: OrderKey, status: Status = Status.ACCEPTED) -> None:
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    record(report(status, key=key), orders=table, rules=RULES, now=NOON)


def notes(stack: Stack) -> list[str]:
    """The orders on whose timeline there is a note, once for each."""
    return sorted(
        item["order_id"]
        for item in stack.items("OrdersTable")
        for entry in item["timeline"]
        if "rang them" in json.dumps(entry, default=str)
    )


def planned(ask: Ask, **asked: Any) -> Any:
    status, plan = ask("POST", "/batches", {"action": "note", "text": "rang them", **asked})
    assert status == 201, plan
    return plan


def started(ask: Ask, **asked: Any) -> str:
    plan = planned(ask, **asked)
    status, _ = ask("POST", f"/batches/{plan['id']}/start", {"token": plan["token"]})
    assert status == 202
    return str(plan["id"])


def test_a_dry_run_says_what_would_be_refused_and_changes_nothing(ask: Ask, stack: Stack) -> None:
    unknown = replace(KEY, order_id="unknown").path_id
    plan = planned(ask, orders=[*IDS, IDS[0], unknown])
    assert (plan["total"], plan["counts"]["waiting"]) == (4, 3)
    assert plan["sample"] == IDS
    (refused,) = plan["refused"]
    assert (refused["id"], "no such order" in refused["why"]) == (unknown, True)
    assert notes(stack) == []
    assert stack.messages("BatchQueue") == []
    status, shown = ask("GET", f"/batches/{plan['id']}", role="viewer")
    assert (status, shown["state"], "token" in shown) == (200, "planned", False)


def test_a_batch_is_done_once_however_often_its_message_comes(
    ask: Ask, stack: Stack, work: Callable[..., list[Any]]
) -> None:
    batch = started(ask, orders=IDS)
    again, shown = ask("POST", f"/batches/{batch}/start", {"token": "of another"})
    assert again == 202
    handed = work()
    assert handed == [{"batch": batch}, {"batch": batch}]
    work(handed)
    assert notes(stack) == ["ord_0", "ord_1", "ord_2"]
    _, shown = ask("GET", f"/batches/{batch}")
    assert (shown["state"], shown["counts"]["done"]) == ("finished", 3)
    assert [one["id"] for one in shown["targets"]] == IDS
    (kept,) = [one for one in stack.items("BatchesTable") if one["sk"] == "batch"]
    assert "arguments" not in kept
    assert stack.messages("BatchQueue") == []


def test_a_filter_means_what_it_found_at_the_dry_run(
    ask: Ask, stack: Stack, work: Callable[..., list[Any]]
) -> None:
    plan = planned(ask, filter={"status": ["accepted"], "connection": [OFFERGRID.id]})
    keep(stack, replace(KEY, order_id="came-later"))
    ask("POST", f"/batches/{plan['id']}/start", {"token": plan["token"]})
    work()
    assert notes(stack) == ["ord_0", "ord_1", "ord_2"]


def test_a_stopped_batch_begins_with_no_further_order(
    ask: Ask, stack: Stack, work: Callable[..., list[Any]]
) -> None:
    batch = started(ask, orders=IDS)
    status, shown = ask("POST", f"/batches/{batch}/stop")
    assert (status, shown["state"]) == (200, "stopped")
    work()
    assert notes(stack) == []
    assert ask("POST", f"/batches/{batch}/start", {"token": "x"})[0] == 409


def test_when_time_is_up_the_rest_is_put_into_the_queue_again(
    ask: Ask, stack: Stack, work: Callable[..., list[Any]]
) -> None:
    batch = started(ask, orders=IDS)
    work(milliseconds=10_000)
    assert notes(stack) == []
    assert work() == [{"batch": batch}]
    assert len(notes(stack)) == 3


def test_an_order_that_another_worker_has_is_left_to_it(
    ask: Ask, stack: Stack, work: Callable[..., list[Any]]
) -> None:
    batch = started(ask, orders=IDS)
    table = BatchesTable(aws("dynamodb"), table_name=stack.resources["BatchesTable"])
    now = datetime.now(UTC)
    assert table.claim(batch, 2, at=now, until=now + timedelta(minutes=3))
    assert table.claim(batch, 2, at=now, until=now + timedelta(minutes=3)) is None
    work()
    assert notes(stack) == ["ord_0", "ord_2"]
    _, shown = ask("GET", f"/batches/{batch}")
    assert (shown["state"], shown["counts"]["waiting"]) == ("running", 1)


def test_the_text_of_a_batch_that_nobody_starts_is_kept_for_a_day(ask: Ask, stack: Stack) -> None:
    waits, runs = planned(ask, orders=IDS), started(ask, orders=IDS)
    stopped = planned(ask, orders=IDS)["id"]
    assert ask("POST", f"/batches/{stopped}/stop")[0] == 200
    kept = {}
    for item in stack.items("BatchesTable"):
        if item["sk"] == "batch":
            left = int(item["expires_at"]) - parse_instant(item["created_at"]).timestamp()
            kept[item["pk"]] = (timedelta(seconds=round(left)).days, "arguments" in item)
    assert kept[f"batch#{waits['id']}"] in {(1, True), (0, True)}
    assert kept[f"batch#{runs}"][0] in {29, 30}
    assert kept[f"batch#{stopped}"][0] in {29, 30}
    assert not kept[f"batch#{stopped}"][1]


def test_only_the_token_of_its_dry_run_starts_a_batch(ask: Ask) -> None:
    plan, other = planned(ask, orders=IDS), planned(ask, orders=IDS)
    path = f"/batches/{plan['id']}/start"
    assert ask("POST", path, {"token": other["token"]})[0] == 409
    assert ask("POST", path, {"token": plan["token"]}, role="viewer")[0] == 403
    assert ask("POST", "/batches/0123456789abcdef/start", {"token": "x"})[0] == 404
    assert ask("POST", path, {"token": plan["token"]})[0] == 202


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "note"},
        {"action": "note", "orders": IDS, "filter": {}},
        {"action": "resend", "orders": IDS},
        {"action": "note", "orders": ["nope"]},
        {"action": "note", "orders": []},
        {"action": "note", "filter": {"connection": ["nowhere"]}},
        {"action": "note", "filter": {"status": ["cancelled"]}},
    ],
)
def test_what_a_batch_is_about_is_said_by_one_way(ask: Ask, asked: Any) -> None:
    assert ask("POST", "/batches", asked)[0] == 422


@pytest.mark.parametrize(
    "asked", [{"orders": IDS}, {"filter": {"status": ["accepted"], "connection": [OFFERGRID.id]}}]
)
def test_too_many_orders_are_refused_in_the_same_words_however_they_are_chosen(
    ask: Ask, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("milepost.actions.batch.MOST_TARGETS", len(IDS) - 1)
    status, problem = ask("POST", "/batches", {"action": "note", "text": "x", **asked})
    assert status == 422
    assert [one["what"] for one in problem["errors"]] == [
        f"a batch has at most {len(IDS) - 1} orders or mails: "
        "use a narrower filter, or several batches"
    ]


def test_mails_are_sent_again_by_a_filter_of_notices(
    ask: Ask, stack: Stack, work: Callable[..., list[Any]]
) -> None:
    order = tracked(report(Status.ACCEPTED), announced=(announcement(Kind.ACCEPTED),), version=1)
    item = order_item(order, connection=OFFERGRID, new=())
    aws("dynamodb").put_item(TableName=stack.resources["OrdersTable"], Item=to_item(item))
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    for number in range(2):
        one = notice(Kind.ACCEPTED, recipient=f"p{number}@example.org")
        log.enter(Choice(notice=one), at=minute(number))
        log.mark_sent(one, message_id="m", at=minute(number))
    status, plan = ask(
        "POST", "/batches", {"action": "resend", "notice_filter": {"kind": ["accepted"]}}
    )
    assert (status, plan["counts"]["waiting"]) == (201, 2), plan
    ask("POST", f"/batches/{plan['id']}/start", {"token": plan["token"]})
    work(work())
    sent = stack.messages("EmailQueue")
    assert sorted(one["recipient"] for one in sent) == ["p0@example.org", "p1@example.org"]


@pytest.fixture
def charging(stack: Stack) -> Iterator[Any]:
    """A provider on this machine, with two orders that were polled; one is to be done tomorrow."""
    with Sandboxes([make_connection(CHARGE, "spirii")]) as running:
        account = running.accounts[CHARGE]
        stack.apply(Connection(id=CHARGE, provider="spirii", base_url=running.url(CHARGE)))
        stack.keep_secret("ApiCredentials", {CHARGE: account.connection.credentials})
        account.ids = [account.create_order({})["id"] for _ in range(2)]
        stack.load("poll_orders").handler({"connection": CHARGE}, Context())
        yield account


def test_an_action_at_a_provider_has_an_outcome_of_each_order(
    stack: Stack, charging: Any, ask: Ask, work: Callable[..., list[Any]]
) -> None:
    ids = [f"{CHARGE}:{id}:{id}" for id in charging.ids]
    tomorrow = format_instant(datetime.now(UTC).replace(microsecond=0) + timedelta(days=1))
    assert ask("POST", f"/orders/{ids[0]}/actions/fulfill", {"at": tomorrow})[0] == 200
    assert ask("POST", f"/orders/{ids[1]}/actions/cancel", {"reason": "moved"})[0] == 200
    asked = {"action": "fulfill", "orders": [*ids, IDS[0]]}
    _, plan = ask("POST", "/batches", asked)
    assert [one["id"] for one in plan["refused"]] == [ids[1], IDS[0]]
    ask("POST", f"/batches/{plan['id']}/start", {"token": plan["token"]})
    charging.faults.add({"fault": "500", "times": 1, "on": {"method": "POST"}})
    work()
    _, shown = ask("GET", f"/batches/{plan['id']}")
    assert (shown["state"], shown["counts"]["waiting"]) == ("running", 1)
    work([{"batch": plan["id"]}])
    _, shown = ask("GET", f"/batches/{plan['id']}")
    assert (shown["state"], shown["counts"]) == (
        "finished",
        {"waiting": 0, "done": 1, "refused": 2, "failed": 0},
    )
    _, order = ask("GET", f"/orders/{ids[0]}")
    assert order["planned"] == []


def test_batches_are_listed_the_latest_first_and_to_narrowed_roles_their_own(ask: Ask) -> None:
    made = [
        ask("POST", "/batches", {"action": "note", "text": "x", "orders": [one]})[1]["id"]
        for one in (IDS[0], IDS[0], IDS[1])
    ]
    first = ask("GET", "/batches?limit=2", role="viewer")[1]
    rest = ask("GET", f"/batches?limit=2&cursor={first['next']}")[1]
    listed = [one["id"] for page in (first, rest) for one in page["batches"]]
    assert sorted(listed) == sorted(made)
    assert rest["next"] is None
    assert [one["created_at"] for one in first["batches"]] == sorted(
        (one["created_at"] for one in first["batches"]), reverse=True
    )
    assert first["batches"][0]["state"] == "planned"
    assert ask("GET", "/batches", role="viewer:another")[1]["batches"] == []
