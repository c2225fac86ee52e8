"""Operating through the API: connections, subscriptions, quarantine, dead letters, customers."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from milepost.api.app import build_api
from milepost.api.routes.connections import MOST_REQUESTS
from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.aws.activity import LastWebhooks
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.poll_request import PollRequest
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.endpoints.secret_rotation import live_secrets
from milepost.notifications.notice import DEFAULT_KINDS, Audience, State
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import FROM_FILE, Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import record
from milepost.orders.search_terms import customer_id_of_email
from milepost.polling.aws.lease import PollsTable
from milepost.polling.aws.on_demand import PollStarts
from milepost.providers.registry import adapter
from milepost.quarantine.aws.store import Quarantine
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    minute,
    notice,
    offergrid_event,
    offergrid_order,
)
from tests.integration.operating import http_event, hurry
from tests.make_events import inbox_message
from tests.stack import Context, Stack, aws

HOME = OFFERGRID.id
MAIL = {"email": "sales@example.org", "kinds": ["rejected"]}
ENDPOINT = {"url": "https://hooks.example.org/orders", "owner": "it@example.org"}


@dataclass
class Answer:
    status: int
    body: Any


Ask = Callable[..., Answer]


class Polls:
    """Implements ``services.Polls``: notes what was started."""

    def __init__(self) -> None:
        self.started: list[tuple[str, PollRequest]] = []

    def start(self, connection_id: str, request: PollRequest) -> None:
        self.started.append((connection_id, request))


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    loaded = stack.load("orders_api")
    hurry(loaded)
    return loaded


@pytest.fixture
def polls() -> Polls:
    return Polls()


@pytest.fixture
def ask(app: ModuleType, polls: Polls) -> Ask:
    return asking(app, polls)


def asking(app: ModuleType, polls: Any) -> Ask:
    known = app.api.services
    operations = replace(known.operations, polls=polls)
    services = replace(known, open_operations=lambda: operations, clock=lambda: NOON)
    api = build_api(services, log=Logger("test-operations"))

    def ask(
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str = "operator",
        key: str | None = None,
        **query: Any,
    ) -> Answer:
        event = http_event(method, path, body, role=role, query=query)
        if key is not None:
            event["headers"]["idempotency-key"] = key
        answer = api.answer(event, Context())
        text = answer.get("body")
        return Answer(answer["statusCode"], json.loads(text) if text else None)

    return ask


# ---- notices and suppressions


def test_who_was_not_notified_is_one_request_with_the_reasons(ask: Ask, stack: Stack) -> None:
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    orders = [replace(KEY, order_id=f"ord_{number}") for number in range(3)]
    skipped, failed, sent = (notice(key=key) for key in orders)
    log.enter(Choice(notice=skipped, skipped="no email address"), at=minute(-3))
    for one in (failed, sent):
        log.enter(Choice(notice=one), at=minute(-2))
    log.close(failed, state=State.FAILED, reason="refused", at=minute(-1))
    log.mark_sent(sent, message_id="m-1", at=minute(0))

    asked = {"state": "skipped,suppressed,failed,bounced", "role": "viewer"}
    first = ask("GET", "/notices", **asked, limit="1")
    second = ask("GET", "/notices", **asked, limit="1", cursor=first.body["next"])
    found = [*first.body["notices"], *second.body["notices"]]

    assert [(one["order"], one["state"], one["reason"]) for one in found] == [
        (failed.key.path_id, "failed", "refused"),
        (skipped.key.path_id, "skipped", "no email address"),
    ]
    assert second.body["next"] is None
    assert ask("GET", "/notices", cursor=first.body["next"]).status == 400
    assert ask("GET", "/notices", connection="nowhere").status == 422
    assert (
        ask("GET", "/notices", since="2026-03-02T00:00:00Z", until="2026-03-01T00:00:00Z").status
        == 422
    )


def test_a_suppression_is_found_and_lifted_without_its_address_in_the_path(
    ask: Ask, stack: Stack
) -> None:
    kept = SuppressionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    for name in ("sales", "it"):
        kept.suppress(f"{name}@example.org", reason="bounced on 2026-03-01", at=minute(-1))
    (first,) = ask("GET", "/suppressions", limit="1").body["suppressions"]
    assert first["since"] == format_instant(minute(-1))
    (found,) = ask("GET", "/suppressions", address=" SALES@example.org").body["suppressions"]
    assert (found["reason"], found["audience"]) == ("bounced on 2026-03-01", None)

    path = f"/suppressions/{found['id']}"
    assert ask("DELETE", path, role="viewer").status == 403
    assert ask("DELETE", path).status == 204
    assert ask("DELETE", path).status == 404
    assert kept.reason("sales@example.org", audience=Audience.TEAM) is None
    (left,) = ask("GET", "/suppressions").body["suppressions"]
    assert left["address"] == "it@example.org"
    assert ask("DELETE", "/suppressions/sales@example.org").status == 422


# ---- connections


def test_a_connection_shows_its_settings_and_whether_it_works(ask: Ask, stack: Stack) -> None:
    stack.apply(replace(OFFERGRID, poll_minutes=5))
    table, dynamodb = stack.resources["PollsTable"], aws("dynamodb")
    lease = PollsTable(dynamodb, table_name=table).lease(
        HOME, now=minute(-60), duration=minute(5) - NOON
    )
    lease.succeed(cursor=minute(-61), validator=None, at=minute(-60))
    LastWebhooks(dynamodb, table_name=table).note(HOME, at=minute(-3))
    (shown,) = [one for one in ask("GET", "/connections").body["items"] if one["id"] == HOME]
    assert (shown["provider"], shown["settings"]["time_zone"]) == (
        "offergrid",
        "Australia/Melbourne",
    )
    health = shown["health"]
    assert (health["condition"], health["lag_seconds"]) == ("late", 55 * 60)
    assert health["last_success_at"] == format_instant(minute(-60))
    assert health["last_webhook_at"] == format_instant(minute(-3))
    assert ask("GET", f"/connections/{HOME}", role="viewer").body == shown


def test_a_connection_that_never_was_in_contact_is_shown_too(ask: Ask) -> None:
    health = ask("GET", f"/connections/{HOME}").body["health"]
    assert (health["condition"], health["last_webhook_at"]) == ("not_polled", None)


def test_a_poll_is_started_and_a_second_look_is_silent_unless_asked(ask: Ask, polls: Polls) -> None:
    assert ask("POST", f"/connections/{HOME}/poll").status == 202
    since = {"since": "2026-03-01T00:00:00+01:00"}
    assert ask("POST", f"/connections/{HOME}/poll", since).body["since"] == "2026-02-28T23:00:00Z"
    ask("POST", f"/connections/{HOME}/poll", {**since, "announce": True})
    assert [(one.since, one.announce) for _, one in polls.started] == [
        (None, False),
        (parse_instant("2026-02-28T23:00:00Z"), False),
        (parse_instant("2026-02-28T23:00:00Z"), True),
    ]
    assert ask("POST", f"/connections/{HOME}/poll", {"announce": True}).status == 409
    assert ask("POST", f"/connections/{HOME}/poll", {"since": "2026-03-01T00:00:00"}).status == 422
    assert ask("POST", "/connections/nowhere/poll").status == 404
    assert ask("POST", f"/connections/{HOME}/poll", role="viewer").status == 403
    assert len(polls.started) == 3


def test_a_request_for_a_poll_is_shown_until_a_poll_has_done_it(
    app: ModuleType, stack: Stack
) -> None:
    table, dynamodb = stack.resources["PollsTable"], aws("dynamodb")
    invoked: list[dict[str, Any]] = []
    starts = PollStarts(
        SimpleNamespace(invoke=lambda **call: invoked.append(json.loads(call["Payload"]))),
        function="poll-orders",
        requests=PollRequests(dynamodb, table_name=table),
    )
    ask = asking(app, starts)
    made = ask("POST", f"/connections/{HOME}/poll", {"since": "2026-03-01T00:00:00Z"})
    (request,) = ask("GET", f"/connections/{HOME}").body["requests"]
    assert request == {
        "id": made.body["request"],
        "requested_at": format_instant(NOON),
        "since": "2026-03-01T00:00:00Z",
        "announce": False,
        "failed_at": None,
    }
    assert invoked == [{"connection": HOME}]
    lease = PollsTable(dynamodb, table_name=table).lease(
        HOME, now=NOON, duration=timedelta(minutes=5)
    )
    lease.succeed(cursor=None, validator=None, at=NOON, done=[request["id"]])
    assert ask("GET", f"/connections/{HOME}").body["requests"] == []


@pytest.mark.thorough
def test_requests_for_polls_of_one_connection_are_bounded(app: ModuleType, stack: Stack) -> None:
    requests = PollRequests(aws("dynamodb"), table_name=stack.resources["PollsTable"])
    for number in range(MOST_REQUESTS):
        requests.keep(HOME, PollRequest(id=str(number), requested_at=NOON))
    refused = asking(app, Polls())("POST", f"/connections/{HOME}/poll")
    assert (refused.status, str(MOST_REQUESTS) in str(refused.body)) == (409, True)


# ---- subscriptions


def test_a_subscription_by_mail_is_made_changed_and_deleted(ask: Ask) -> None:
    made = ask("POST", "/subscriptions", MAIL)
    assert made.status == 201
    assert (made.body["kinds"], made.body["secret"]) == (["rejected"], None)
    path = f"/subscriptions/{made.body['id']}"
    changed = ask("PUT", path, {**MAIL, "mode": "daily", "daily_at": "07:30"})
    assert (changed.body["mode"], changed.body["daily_at"]) == ("daily", "07:30")
    assert ask("GET", "/subscriptions").body["items"] == [changed.body]
    assert ask("DELETE", path).status == 204
    assert ask("GET", path).status == 404
    assert ask("PUT", path, MAIL).status == 404


def test_an_endpoint_gets_a_secret_that_is_shown_once_and_goes_with_it(
    ask: Ask, stack: Stack
) -> None:
    def secrets() -> dict[str, str]:
        kept = aws("secretsmanager").get_secret_value(SecretId=stack.resources["EndpointSecrets"])
        found: dict[str, str] = json.loads(kept["SecretString"])
        return found

    made = ask("POST", "/subscriptions", ENDPOINT).body
    assert made["secret"].startswith("whsec_")
    assert secrets() == {made["id"]: made["secret"]}
    assert "secret" not in ask("GET", f"/subscriptions/{made['id']}").body
    ask("DELETE", f"/subscriptions/{made['id']}")
    assert secrets() == {}


def test_an_endpoints_secret_is_rotated_once_for_a_key_and_the_old_one_signs_for_a_while(
    ask: Ask, stack: Stack
) -> None:
    made = ask("POST", "/subscriptions", ENDPOINT).body
    path = f"/subscriptions/{made['id']}/rotate-secret"
    first = ask("POST", path, {"keep_old_for_hours": 2}, key="k1")
    entry = stack.kept_secret("EndpointSecrets")[made["id"]]
    until = parse_instant(first.body["previous_until"])
    before = until - timedelta(seconds=1)
    assert live_secrets(entry, now=before) == (first.body["secret"], made["secret"])
    assert live_secrets(entry, now=until) == (first.body["secret"],)
    assert ask("POST", path, {"keep_old_for_hours": 2}, key="k1").body == first.body
    at_once = ask("POST", path, {"keep_old_for_hours": 0}, key="k2").body
    assert at_once["previous_until"] is None
    assert live_secrets(stack.kept_secret("EndpointSecrets")[made["id"]], now=before) == (
        at_once["secret"],
    )


def test_what_has_no_secret_has_none_to_rotate(ask: Ask) -> None:
    mail = ask("POST", "/subscriptions", MAIL).body
    endpoint = ask("POST", "/subscriptions", ENDPOINT).body
    path = "/subscriptions/{}/rotate-secret"
    assert ask("POST", path.format(mail["id"])).status == 409
    assert ask("POST", path.format("nobody")).status == 404
    assert ask("POST", path.format(endpoint["id"]), role="viewer").status == 403
    for hours in (-1, 721, "soon"):
        asked = {"keep_old_for_hours": hours}
        assert ask("POST", path.format(endpoint["id"]), asked).status == 422


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("jürgen@example.org", "Internationalized characters before the @-sign"),
        ("sales@example.org.", "end with a period"),
        ("mailto:sales@example.org", "invalid characters"),
        ("Sales <sales@example.org>", "display name"),
        ("sales\x00@example.org", "invalid characters"),
        ("sales@exam\u200bple.org", "unsafe characters"),
    ],
)
def test_a_subscription_of_what_is_no_address_is_refused_with_its_reason(
    email: str, why: str, ask: Ask
) -> None:
    answer = ask("POST", "/subscriptions", {**MAIL, "email": email})
    assert answer.status == 422
    assert why in str(answer.body["errors"])
    owner = ask("POST", "/subscriptions", {**ENDPOINT, "owner": email})
    assert (owner.status, why in str(owner.body["errors"])) == (422, True)


def test_an_internationalised_domain_is_kept_as_people_read_it(ask: Ask) -> None:
    made = ask("POST", "/subscriptions", {**MAIL, "email": " Jo.S@XN--BLBR-ROAH.example "}).body
    assert made["recipient"] == "Jo.S@blåbær.example"
    path = f"/subscriptions/{made['id']}"
    same = {**MAIL, "email": "jo.s@blåbær.example", "mode": "hourly"}
    assert ask("PUT", path, same).status == 200
    assert ask("PUT", path, {**MAIL, "email": "jo@blåbær.example"}).status == 409


@pytest.mark.parametrize("asked", [MAIL, ENDPOINT])
def test_a_subscription_that_is_asked_for_again_with_its_key_is_the_same(
    asked: Any, ask: Ask
) -> None:
    first, second = (ask("POST", "/subscriptions", asked, key="k1") for _ in range(2))
    assert (second.status, second.body) == (201, first.body)
    other = ask("POST", "/subscriptions", {**MAIL, "language": "da"}, key="k1")
    assert (other.status, "take a new one" in other.body["detail"]) == (422, True)
    assert ask("POST", "/subscriptions", asked, key="k2").body["id"] != first.body["id"]
    assert len(ask("GET", "/subscriptions").body["items"]) == 2


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"email": "nobody"},
        {**MAIL, **ENDPOINT},
        {**MAIL, "kinds": ["lost"]},
        {**MAIL, "connections": ["nowhere"]},
        {**MAIL, "time_zone": "Mars/Olympus"},
        {"url": "https://hooks.example.org/"},
        {"url": "https://169.254.169.254/latest", "owner": "it@example.org"},
        {"url": "http://hooks.example.org/", "owner": "it@example.org"},
        {**MAIL, "source": "file"},
        {**MAIL, "quiet_hours": {"start": "22:00", "end": "22:00"}},
    ],
)
def test_a_subscription_that_would_tell_nobody_is_refused_and_says_where(
    asked: Any, ask: Ask
) -> None:
    refused = ask("POST", "/subscriptions", asked)
    assert refused.status == 422
    assert refused.body["errors"]
    assert ask("GET", "/subscriptions").body["items"] == []


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_list_means_what_leaving_it_out_means(empty: Any, ask: Ask) -> None:
    lists = dict.fromkeys(("kinds", "connections", "service_types"), empty)
    asked = {"email": "sales@example.org", **lists}
    quiet = {"start": "22:00", "end": "07:00"}
    made = ask("POST", "/subscriptions", {**asked, "quiet_hours": {**quiet, "passing": empty}}).body
    other = ask("POST", "/subscriptions", {"email": "sales@example.org", "quiet_hours": quiet}).body
    assert made["kinds"] == sorted(DEFAULT_KINDS)
    assert {**made, "id": ""} == {**other, "id": ""}


def test_what_a_key_has_made_is_answered_as_it_is_now_and_not_made_again(ask: Ask) -> None:
    made = ask("POST", "/subscriptions", MAIL, key="k1").body
    changed = ask("PUT", f"/subscriptions/{made['id']}", {**MAIL, "mode": "daily"}).body
    again = ask("POST", "/subscriptions", MAIL, key="k1")
    assert (again.status, again.body["mode"]) == (201, "daily")
    assert ask("GET", f"/subscriptions/{made['id']}").body == changed
    other = {**MAIL, "mode": "daily"}
    assert ask("POST", "/subscriptions", other, key="k1").status == 422


def test_the_recipient_of_a_subscription_stays(ask: Ask) -> None:
    made = ask("POST", "/subscriptions", MAIL).body
    assert ask("PUT", f"/subscriptions/{made['id']}", {"email": "other@example.org"}).status == 409


def test_what_the_file_declares_is_changed_there_and_nowhere_else(
    ask: Ask, app: ModuleType
) -> None:
    declared = Subscription(id="file-1", recipient="sales@example.org", source=FROM_FILE)
    app.api.services.operations.subscriptions.put(declared)
    for answer in (
        ask("PUT", "/subscriptions/file-1", MAIL),
        ask("DELETE", "/subscriptions/file-1"),
    ):
        assert answer.status == 409
        assert "connections.yaml" in answer.body["detail"]


def test_one_that_ended_stays_so_through_a_change_and_lives_again_when_resumed(
    ask: Ask, app: ModuleType
) -> None:
    path = f"/subscriptions/{ask('POST', '/subscriptions', MAIL).body['id']}"
    app.api.services.operations.subscriptions.end(path.rpartition("/")[2], reason="unsubscribed")
    assert ask("PUT", path, {**MAIL, "mode": "hourly"}).body["ended"] == "unsubscribed"
    assert ask("POST", f"{path}/resume").body["ended"] is None


def test_one_is_paused_and_resumed_and_an_ended_one_keeps_its_reason(
    ask: Ask, app: ModuleType
) -> None:
    path = f"/subscriptions/{ask('POST', '/subscriptions', MAIL).body['id']}"
    assert ask("POST", f"{path}/pause").body["ended"].startswith("paused on 20")
    assert ask("POST", f"{path}/resume").body["ended"] is None
    app.api.services.operations.subscriptions.end(path.rpartition("/")[2], reason="unsubscribed")
    assert ask("POST", f"{path}/pause").body["ended"] == "unsubscribed"


# ---- quarantine


@pytest.fixture
def quarantine(stack: Stack) -> Quarantine:
    return Quarantine(lambda: aws("s3"), bucket=stack.resources["QuarantineBucket"])


def keep(quarantine: Quarantine, body: bytes, hour: int = 0, connection: str = HOME) -> str:
    key = quarantine.keep(
        body, connection_id=connection, source="webhook", reason="because", at=minute(60 * hour)
    )
    return key.removeprefix("quarantine/").replace("/", ":")


def test_the_quarantine_is_listed_a_page_at_a_time(ask: Ask, quarantine: Quarantine) -> None:
    kept = {keep(quarantine, f"{hour}".encode(), hour) for hour in range(3)}
    other = keep(quarantine, b"x", connection="rabot-energy")
    first = ask("GET", "/quarantine", role="viewer", limit=2).body
    second = ask("GET", "/quarantine", limit=2, after=first["next"]).body
    assert {one["id"] for one in first["items"] + second["items"]} == {*kept, other}
    assert second["next"] is None
    at_one = {"since": format_instant(minute(60)), "until": format_instant(minute(61))}
    (found,) = ask("GET", "/quarantine", connection=HOME, **at_one).body["items"]
    assert (found["received_at"], found["reason"]) == (format_instant(minute(60)), "because")


def test_only_operators_look_into_it(ask: Ask, quarantine: Quarantine) -> None:
    path = f"/quarantine/{keep(quarantine, b'{no json')}"
    assert ask("GET", path, role="viewer").status == 403
    shown = ask("GET", path).body
    assert (shown["text"], base64.b64decode(shown["base64"])) == ("{no json", b"{no json")
    assert ask("GET", path[:-1] + ("0" if path[-1] != "0" else "1")).status == 404


def test_what_is_replayed_is_in_the_inbox_and_silent_unless_asked(
    ask: Ask, quarantine: Quarantine, stack: Stack
) -> None:
    kept = [keep(quarantine, f"{hour}".encode(), hour) for hour in range(2)]
    assert ask("POST", f"/quarantine/{kept[0]}/replay", {"announce": True}).status == 202
    (message,) = stack.messages("InboxQueue")
    assert (message["announce"], message["kept_as"]) == (True, kept[0])
    many = ask("POST", "/quarantine/replay", {"connection": HOME})
    assert (many.status, many.body) == (202, {"replayed": 2, "next": None})
    assert [one["announce"] for one in stack.messages("InboxQueue")] == [False, False]


def test_what_is_given_up_is_gone(ask: Ask, quarantine: Quarantine) -> None:
    path = f"/quarantine/{keep(quarantine, b'x')}"
    assert [ask("DELETE", path).status for _ in range(2)] == [204, 404]


# ---- dead letters


def test_dead_letters_are_counted_shown_and_taken_up(ask: Ask, stack: Stack) -> None:
    text = inbox_message(json.dumps(offergrid_event()))
    aws("sqs").send_message(QueueUrl=stack.resources["InboxDeadLetters"], MessageBody=text)
    waiting = {
        one["name"]: one["waiting"]
        for one in ask("GET", "/dead-letters", role="viewer").body["items"]
    }
    assert waiting == {
        "inbox": 1,
        **dict.fromkeys(("email", "endpoint", "mail_events", "announce", "invocations"), 0),
    }
    assert ask("GET", "/dead-letters/inbox", role="viewer").status == 403
    (message,) = ask("GET", "/dead-letters/inbox").body["messages"]
    assert message["content"] == json.loads(text)
    assert ask("POST", "/dead-letters/inbox/redrive").body == {"moved": 1, "failed": [], "left": 0}
    assert stack.messages("InboxQueue") == [json.loads(text)]


@pytest.mark.thorough
def test_a_dead_letter_is_given_up(ask: Ask, stack: Stack) -> None:
    aws("sqs").send_message(QueueUrl=stack.resources["EmailDeadLetters"], MessageBody="{}")
    (message,) = ask("GET", "/dead-letters/email").body["messages"]
    path = f"/dead-letters/email/messages/{message['id']}"
    assert [ask("DELETE", path).status for _ in range(2)] == [204, 404]
    assert ask("GET", "/dead-letters/nothing").status == 404


@pytest.mark.thorough
def test_no_customer_is_erased_while_somebody_looks_at_letters_that_may_name_them(
    ask: Ask, stack: Stack
) -> None:
    url = stack.resources["EmailDeadLetters"]
    aws("sqs").send_message(QueueUrl=url, MessageBody="{}")
    (held,) = aws("sqs").receive_message(QueueUrl=url)["Messages"]
    refused = ask("DELETE", "/customers/0123456789abcdef")
    assert (refused.status, "in a minute" in refused.body["detail"]) == (409, True)
    aws("sqs").change_message_visibility(
        QueueUrl=url, ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=0
    )
    assert ask("DELETE", "/customers/0123456789abcdef").status == 200


# ---- customers


@pytest.mark.thorough
def test_a_customer_is_erased_by_id(ask: Ask, stack: Stack) -> None:
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    provider, at = adapter("offergrid"), minute(60 * 72)
    for one in provider.read_order(offergrid_order(), connection=OFFERGRID, requested_at=at):
        record(one, orders=orders, rules=provider.rules, now=at)
    customer = customer_id_of_email("charlotte.nguyen@example.com")
    aws("dynamodb").put_item(
        TableName=stack.resources["SearchTable"],
        Item={
            "pk": {"S": f"customer#{customer}"},
            "sk": {"S": str(KEY)},
            "order": {"S": str(KEY)},
        },
    )
    assert ask("DELETE", f"/customers/{customer}", role="viewer").status == 403
    first, second = (ask("DELETE", f"/customers/{customer}") for _ in range(2))
    assert (first.body["orders"], second.body["orders"]) == (1, 0)
    assert stack.items("SearchTable") == []
    assert "charlotte" not in str(stack.items("OrdersTable")).lower()
    assert ask("DELETE", "/customers/not-an-id").status == 422
