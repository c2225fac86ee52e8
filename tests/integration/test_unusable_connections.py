"""One connection's settings or secret can't be used: it is closed and named, others go on."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.aws.dynamodb_items import to_item
from milepost.aws.notices_keys import SUBSCRIPTIONS
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.aws.activity import UNREADABLE, ContactsTable
from milepost.connections.connection import Connection
from milepost.connections.health import NOT_APPLIED
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import record
from tests.builders import NOON, OFFERGRID, RETAIL, RULES, report
from tests.stack import SIGNING, Context, Stack, aws, event

CHARGE = "spirii-charge"


def utc_now() -> datetime:
    return datetime.now(UTC)


BROKEN = ["", "{", "[]", "null", "[" * 50_000, '{"id": "offergrid-home"}']
BAD_ZONE = {"id": OFFERGRID.id, "provider": "offergrid", "base_url": "https://a.example"}
CLAIMS = {"sub": "5b1f", "username": "kim", "cognito:groups": "[operator]"}


def ask(stack: Stack, method: str, path: str, query: str = "", body: Any = None) -> tuple[int, Any]:
    request = {
        "rawPath": path,
        "rawQueryString": query,
        "queryStringParameters": dict(one.split("=") for one in query.split("&") if one),
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": path},
            "authorizer": {"jwt": {"claims": CLAIMS}},
        },
    } | ({"body": json.dumps(body)} if body is not None else {})
    answer = stack.load("orders_api").handler(request, Context())
    return answer["statusCode"], json.loads(answer["body"])


def keep_order(stack: Stack, connection: Connection) -> None:
    table = stack.resources["OrdersTable"]
    orders = OrdersTable(aws("dynamodb"), table_name=table, connection=connection)
    one = report(Status.ACCEPTED, connection=connection.id)
    record(one, orders=orders, rules=RULES, now=one.seen_at)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("text", [*BROKEN, json.dumps(BAD_ZONE | {"time_zone": "Europe/Atlantis"})])
def test_webhooks_of_it_are_kept_byte_for_byte_and_those_of_others_recorded(
    text: str, stack: Stack
) -> None:
    stack.put_settings(RETAIL.id, text or " ")
    app = stack.load("record_report")
    good = event("record_report", "accepted")
    [message] = good["Records"]
    attributes = json.loads(message["body"])
    bad = message | {
        "messageId": "bad",
        "body": message["body"].replace(OFFERGRID.id, RETAIL.id),
    }
    assert RETAIL.id in json.loads(bad["body"]).values()
    answer = app.handler({"Records": [bad, message]}, Context())
    assert answer == {"batchItemFailures": []}
    assert len(stack.orders()) == 1
    [(key, _)] = stack.objects("QuarantineBucket").items()
    assert RETAIL.id in key
    assert attributes


@pytest.mark.sampled(2)
@pytest.mark.parametrize("text", BROKEN)
def test_lists_show_its_orders_and_those_of_others(text: str, stack: Stack) -> None:
    keep_order(stack, OFFERGRID)
    stack.put_settings(OFFERGRID.id, text or " ")
    status, said = ask(stack, "GET", "/orders")
    assert (status, [one["connection"] for one in said["orders"]]) == (200, [OFFERGRID.id])
    status, said = ask(stack, "GET", f"/orders/{said['orders'][0]['id']}")
    assert (status, said["status"]) == (200, "accepted")
    for path in ("/stages", "/commissions"):
        assert ask(stack, "GET", path)[0] == 200


def test_it_is_named_with_its_reason_among_the_others(stack: Stack) -> None:
    stack.put_settings(OFFERGRID.id, json.dumps(BAD_ZONE | {"page_size": "secret-in-a-setting"}))
    status, said = ask(stack, "GET", "/connections")
    health = {one["id"]: one["health"] for one in said["items"]}
    assert status == 200
    assert health[OFFERGRID.id]["condition"] == "unusable"
    assert "page_size is not a whole number" in health[OFFERGRID.id]["last_error"]
    assert health[RETAIL.id]["condition"] != "unusable"
    assert "secret-in-a-setting" not in json.dumps(said)
    assert ask(stack, "GET", f"/connections/{OFFERGRID.id}")[1]["provider"] == "offergrid"
    status, said = ask(stack, "POST", f"/connections/{OFFERGRID.id}/poll", body={})
    assert (status, "page_size" in said["detail"]) == (409, True)


def test_it_is_subscribed_to_like_any_other(stack: Stack) -> None:
    stack.put_settings(OFFERGRID.id, "{")
    wanted = {"email": "sales@example.org", "connections": [OFFERGRID.id, RETAIL.id]}
    assert ask(stack, "POST", "/subscriptions", body=wanted)[0] == 201


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes([make_connection(CHARGE, "spirii")]) as running:
        yield running


CREDENTIALS = [None, "key", [], {"api_key": 7}, {"api_key": "a\r\nb"}, {"api_key": "\ud800"}]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("entry", CREDENTIALS)
def test_its_poll_fails_by_name_and_others_poll(
    entry: Any, stack: Stack, sandboxes: Sandboxes
) -> None:
    right = sandboxes.accounts[CHARGE].connection.credentials
    stack.apply(Connection(id=CHARGE, provider="spirii", base_url=sandboxes.url(CHARGE)))
    stack.keep_secret("ApiCredentials", {OFFERGRID.id: entry, CHARGE: right})
    app = stack.load("poll_orders")
    failed = app.handler({"connection": OFFERGRID.id}, Context())
    assert failed["outcome"] == "failed"
    assert failed["error"].startswith(f"the credentials of {OFFERGRID.id} can't be used")
    assert app.handler({"connection": CHARGE}, Context())["outcome"] == "complete"
    contacts = ContactsTable(aws("dynamodb"), table_name=stack.resources["PollsTable"]).all()
    assert contacts[OFFERGRID.id].failures == 1
    assert contacts[OFFERGRID.id].last_error == failed["error"]
    assert contacts[OFFERGRID.id].polling_until is None


@pytest.mark.sampled(2)
@pytest.mark.parametrize("text", BROKEN)
def test_a_poll_by_settings_that_cannot_be_used_is_a_failed_poll(text: str, stack: Stack) -> None:
    stack.put_settings(OFFERGRID.id, text or " ")
    failed = stack.load("poll_orders").handler({"connection": OFFERGRID.id}, Context())
    assert failed["outcome"] == "failed"
    assert failed["error"].startswith(f"the settings of {OFFERGRID.id} can't be used")


@pytest.mark.thorough
def test_polls_of_a_connection_that_is_gone_fail_by_name_and_others_poll(
    stack: Stack, sandboxes: Sandboxes, capsys: pytest.CaptureFixture[str]
) -> None:
    right = sandboxes.accounts[CHARGE].connection.credentials
    stack.apply(Connection(id=CHARGE, provider="spirii", base_url=sandboxes.url(CHARGE)))
    stack.keep_secret("ApiCredentials", {CHARGE: right})
    app = stack.load("poll_orders")
    results = [app.handler({"connection": name}, Context()) for name in ("gone", "gone", CHARGE)]
    assert [one["outcome"] for one in results] == ["failed", "failed", "complete"]
    assert results[0]["error"] == NOT_APPLIED
    contact = ContactsTable(aws("dynamodb"), table_name=stack.resources["PollsTable"]).get("gone")
    assert (contact.failures, contact.last_error, contact.polling_until) == (2, NOT_APPLIED, None)
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["PollFailures"] for one in counted if one.get("connection") == "gone"] == [[1], [1]]

    status, said = ask(stack, "GET", "/connections")
    health = {one["id"]: one["health"] for one in said["items"]}
    assert status == 200
    assert health["gone"]["condition"] == "not_applied"
    assert health["gone"]["last_error"] == NOT_APPLIED
    assert health[CHARGE]["condition"] == "not_polled"
    status, said = ask(stack, "GET", "/connections/gone")
    assert (status, said["health"]["condition"]) == (200, "not_applied")
    assert ask(stack, "POST", "/connections/gone/poll", body={})[0] == 404
    assert ask(stack, "GET", "/connections/never")[0] == 404


@pytest.mark.thorough
def test_a_connection_that_is_gone_is_shown_only_while_its_schedule_runs(stack: Stack) -> None:
    long_ago = {"last_error": NOT_APPLIED, "failures": 7, "last_failure_at": "2026-03-02T12:00:00Z"}
    removed = {"last_error": "500", "failures": 7, "last_failure_at": format_instant(utc_now())}
    for name, item in (("long-ago", long_ago), ("removed", removed)):
        aws("dynamodb").put_item(
            TableName=stack.resources["PollsTable"], Item=to_item({"pk": f"poll#{name}", **item})
        )
    ids = [one["id"] for one in ask(stack, "GET", "/connections")[1]["items"]]
    assert ids
    assert not {"long-ago", "removed"} & {*ids}


@pytest.mark.thorough
def test_its_announcement_waits_and_is_told_once_the_settings_are_right(stack: Stack) -> None:
    subscriptions = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    subscriptions.put(Subscription(id="sales", recipient="sales@example.org"))
    stack.put_settings(OFFERGRID.id, "{")
    app = stack.load("announce")
    assert app.handler(event("announce", "accepted"), Context()) == {"batchItemFailures": []}
    assert stack.messages("EmailQueue") == []

    keep_order(stack, OFFERGRID)
    watch = stack.load("watch_deadlines")
    later = {"now": format_instant(NOON.replace(hour=20))}
    assert watch.handler(later, Context())["notified"] == 0
    assert stack.messages("EmailQueue") == []

    stack.apply(OFFERGRID)
    assert stack.load("watch_deadlines").handler(later, Context())["notified"] == 1
    assert len(stack.messages("EmailQueue")) == 1


@pytest.mark.parametrize("entry", [None, [], "text", {"scheme": 1}, {"secrets": "x"}])
def test_without_usable_signing_secrets_its_webhooks_get_503_and_others_202(
    entry: Any, stack: Stack
) -> None:
    stack.keep_secret("SigningSecrets", {**SIGNING, OFFERGRID.id: entry})
    app = stack.load("receive_webhook")
    mine = event("receive_webhook", "scheduled")
    assert app.handler(mine, Context())["statusCode"] == 503
    stack.keep_secret("SigningSecrets", {**SIGNING, RETAIL.id: entry})
    app = stack.load("receive_webhook")
    assert app.handler(event("receive_webhook", "scheduled"), Context())["statusCode"] == 202


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": "accepted"},
        {"mode": "weekly"},
        {"daily_at": "8"},
        {"time_zone": "Mars"},
        {"quiet_hours": {"start": "22:00"}},
        {"recipient": None},
        {"connections": [7]},
    ],
)
def test_one_subscription_that_cannot_be_read_keeps_nobody_else_from_being_notified(
    wrong: dict[str, Any], stack: Stack
) -> None:
    table = stack.resources["NoticesTable"]
    subscriptions = SubscriptionsTable(aws("dynamodb"), table_name=table)
    subscriptions.put(Subscription(id="sales", recipient="sales@example.org"))
    item = {"pk": SUBSCRIPTIONS, "sk": "bad", "recipient": "bad@example.org"} | wrong
    aws("dynamodb").put_item(
        TableName=table,
        Item=to_item({name: one for name, one in item.items() if one is not None}),
    )
    assert subscriptions.read_each()[1] == ["bad"]
    app = stack.load("announce")
    assert app.handler(event("announce", "accepted"), Context()) == {"batchItemFailures": []}
    assert len(stack.messages("EmailQueue")) == 1


def test_what_is_stored_of_its_polls_is_read_by_itself(stack: Stack) -> None:
    polls = stack.resources["PollsTable"]
    for name, at in ((OFFERGRID.id, "never"), (RETAIL.id, "2026-03-02T12:00:00Z")):
        item = to_item({"pk": f"poll#{name}", "last_success_at": at})
        aws("dynamodb").put_item(TableName=polls, Item=item)
    contacts = ContactsTable(aws("dynamodb"), table_name=polls).all()
    assert contacts[OFFERGRID.id].last_error == UNREADABLE
    assert contacts[RETAIL.id].failures == 0
