"""orders_api and perform_action: actions through the API, at sandboxes on this machine."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.common.status import Status
from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.connection import Connection
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import record
from milepost.polling.page_cache import key_of
from tests.builders import RULES, report
from tests.stack import CONNECTIONS_PATH, Context, Stack, aws

NAME = "spirii-charge"
Call = Callable[..., tuple[int, dict[str, Any], dict[str, str]]]


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes([make_connection(NAME, "spirii")]) as running:
        yield running


@pytest.fixture
def order(stack: Stack, sandboxes: Sandboxes) -> str:
    """The id of an order that was polled from the sandbox."""
    stack.apply(Connection(id=NAME, provider="spirii", base_url=sandboxes.url(NAME)))
    account = sandboxes.accounts[NAME]
    stack.keep_secret("ApiCredentials", {NAME: account.connection.credentials})
    id = account.create_order({})["id"]
    stack.load("poll_orders").handler({"connection": NAME}, Context())
    return f"{NAME}:{id}:{id}"


@pytest.fixture
def app(stack: Stack, order: str) -> ModuleType:
    return stack.load("orders_api")


@pytest.fixture
def call(app: ModuleType) -> Call:
    def send(
        method: str, path: str, body: Any = None, *, key: str | None = None, role: str = "operator"
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        claims = {"sub": "5b1f", "username": "kim", "cognito:groups": f"[{role}]"}
        event = {
            "rawPath": path,
            "headers": {"content-type": "application/json"}
            | ({"idempotency-key": key} if key else {}),
            "requestContext": {
                "http": {"method": method, "path": path},
                "authorizer": {"jwt": {"claims": claims}},
            },
            "body": None if body is None else json.dumps(body),
        }
        answer = app.handler(event, Context())
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        return answer["statusCode"], json.loads(answer["body"]), headers

    return send


@pytest.fixture
def perform(stack: Stack, order: str) -> Callable[[], list[str]]:
    """Runs every schedule of the group, as if its time had come; the results."""
    planned = stack.load("perform_action")

    def run() -> list[str]:
        return [planned.handler(one, Context())["result"] for one in schedules(stack)]

    return run


def schedules(stack: Stack) -> list[dict[str, Any]]:
    """The inputs of all schedules of planned actions."""
    scheduler, group = aws("scheduler"), stack.resources["ActionSchedules"]
    names = [one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]]
    found = [scheduler.get_schedule(Name=name, GroupName=group) for name in names]
    return [json.loads(one["Target"]["Input"]) for one in found]


def actions(order: str) -> str:
    return f"/orders/{order}/actions"


def in_an_hour() -> str:
    return format_instant(datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1))


def timeline(call: Call, order: str) -> list[dict[str, Any]]:
    _, shown, _ = call("GET", f"/orders/{order}")
    return [entry for entry in shown["timeline"] if entry["source"] == "person"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("action", "first", "other"),
    [
        ("note", {"text": "rang them"}, {"text": "rang them twice"}),
        ("refresh", {"notices": "off"}, None),
        ("cancel", {"reason": "moved"}, {"reason": "another"}),
        ("cancel", {"reason": "moved"}, None),
    ],
)
def test_a_key_that_comes_again_with_other_contents_is_422_and_does_nothing(
    action: str, first: dict[str, Any], other: dict[str, Any] | None, call: Call, order: str
) -> None:
    path = f"{actions(order)}/{action}"
    assert call("POST", path, first, key="k1")[0] == 200
    done = timeline(call, order)
    status, said, _ = call("POST", path, other, key="k1")
    assert (status, "use a new one" in said["detail"]) == (422, True)
    assert timeline(call, order) == done
    assert call("POST", path, first, key="k1")[0] == 200


def test_a_request_that_was_refused_may_be_corrected_under_its_key(call: Call, order: str) -> None:
    path = f"{actions(order)}/note"
    assert call("POST", path, {"text": " "}, key="k1")[0] == 422
    assert call("POST", path, {"text": "rang them"}, key="k1")[0] == 200


def test_an_action_reaches_the_provider_and_the_timeline(
    call: Call, order: str, sandboxes: Sandboxes
) -> None:
    status, done, headers = call("POST", f"{actions(order)}/cancel", {"reason": "moved"}, key="k1")
    assert (status, done["result"], done["repeated"]) == (200, "done", False)
    assert headers["idempotency-key"] == done["key"] == "k1"
    (noted,) = sandboxes.accounts[NAME].actions
    assert (noted["action"], noted["reason"], noted["idempotency_key"]) == ("cancel", "moved", "k1")
    _, shown, _ = call("GET", f"/orders/{order}")
    assert shown["status"] == "cancelled"
    assert shown["actions"] == ["note", "refresh"]
    (entry,) = timeline(call, order)
    assert (entry["person"], entry["action"], entry["result"]) == ("kim", "cancel", "done")
    assert entry["note"] == "moved"


def test_a_repeated_key_is_done_once(call: Call, order: str, sandboxes: Sandboxes) -> None:
    path = f"{actions(order)}/resend_confirmation"
    _, first, _ = call("POST", path, key="k1")
    status, again, _ = call("POST", path, key="k1")
    assert (status, again) == (200, first | {"repeated": True})
    assert len(sandboxes.accounts[NAME].actions) == 1


def test_a_key_is_made_when_there_is_none(call: Call, order: str) -> None:
    _, done, headers = call("POST", f"{actions(order)}/note", {"text": "called"})
    assert headers["idempotency-key"] == done["key"]
    assert len(done["key"]) == 32


@pytest.mark.thorough
def test_what_the_status_does_not_allow_is_409_with_what_it_does(
    call: Call, order: str, sandboxes: Sandboxes
) -> None:
    call("POST", f"{actions(order)}/fulfill")
    status, problem, _ = call("POST", f"{actions(order)}/cancel")
    assert status == 409
    assert problem["detail"].startswith("Cancel is not possible for an order that is completed.")
    assert problem["allowed"] == ["resend_confirmation", "commission_paid", "note", "refresh"]
    assert len(sandboxes.accounts[NAME].actions) == 1


@pytest.mark.thorough
def test_the_providers_refusal_comes_back_in_its_own_words(
    call: Call, order: str, sandboxes: Sandboxes
) -> None:
    id = order.split(":")[1]
    sandboxes.accounts[NAME].move_order(id, {"status": "Fulfilled", "webhook": False})
    status, problem, _ = call("POST", f"{actions(order)}/cancel", key="k1")
    assert (status, problem["detail"]) == (
        409,
        f"The provider answered 409: Order {id} is Fulfilled",
    )
    assert timeline(call, order)[0]["outcome"] == f"Order {id} is Fulfilled"
    assert call("POST", f"{actions(order)}/cancel", key="k1")[1] == problem


def test_a_provider_that_asks_us_to_wait_is_503_with_the_time_and_the_key(
    call: Call, order: str, sandboxes: Sandboxes
) -> None:
    busy = {"fault": "429", "retry_after": 77, "times": 1, "on": {"method": "POST"}}
    sandboxes.accounts[NAME].faults.add(busy)
    status, problem, headers = call("POST", f"{actions(order)}/cancel")
    assert (status, headers["retry-after"]) == (503, "77")
    assert "try again in 77 s" in problem["detail"]
    again = call("POST", f"{actions(order)}/cancel", key=headers["idempotency-key"])
    assert again[1]["result"] == "done"


def test_credentials_that_were_replaced_are_read_anew(
    call: Call, order: str, stack: Stack, sandboxes: Sandboxes
) -> None:
    right = sandboxes.accounts[NAME].connection.credentials
    stack.keep_secret("ApiCredentials", {NAME: {"api_key": "old"}})
    status, problem, _ = call("POST", f"{actions(order)}/refresh")
    assert (status, problem["type"]) == (502, "urn:milepost:problem:provider-failed")
    stack.keep_secret("ApiCredentials", {NAME: right})
    assert call("POST", f"{actions(order)}/refresh")[0] == 200


WRONG: tuple[tuple[int, str, Any], ...] = (
    (404, "teleport", None),
    (422, "note", None),
    (422, "note", {"text": "x", "y": 1}),
    (422, "fulfill", {"at": "tomorrow"}),
    (422, "fulfill", {"at": "2020-01-01T00:00:00Z"}),
    (422, "cancel", {"at": "2999-01-01T00:00:00Z"}),
    (409, "acknowledge", {"attention": ["x"]}),
    (422, "cancel", {"reason": "x" * 501}),
    (422, "UPPER", None),
)


def test_what_is_asked_for_wrongly_is_a_problem_and_does_nothing(
    call: Call, order: str, sandboxes: Sandboxes
) -> None:
    answers = [call("POST", f"{actions(order)}/{action}", body)[0] for _, action, body in WRONG]
    assert answers == [status for status, _, _ in WRONG]
    assert sandboxes.accounts[NAME].actions == []
    assert timeline(call, order) == []


def test_an_order_that_is_not_there_is_404(call: Call) -> None:
    assert call("POST", f"{actions(f'{NAME}:so-0:so-0')}/cancel")[0] == 404
    assert call("POST", f"{actions('nobody:so-0:so-0')}/cancel")[0] == 404


def test_a_viewer_may_not_act(call: Call, order: str, sandboxes: Sandboxes) -> None:
    assert call("POST", f"{actions(order)}/cancel", role="viewer")[0] == 403
    assert call("DELETE", f"{actions(order)}/fulfill/planned", role="viewer")[0] == 403
    assert sandboxes.accounts[NAME].actions == []


@pytest.mark.thorough
def test_a_planned_action_waits_for_its_schedule_and_is_then_done(
    call: Call,
    order: str,
    stack: Stack,
    sandboxes: Sandboxes,
    perform: Callable[[], list[str]],
) -> None:
    at = in_an_hour()
    status, planned, _ = call("POST", f"{actions(order)}/fulfill", {"at": at}, key="p1")
    assert (status, planned["result"], planned["planned_for"]) == (200, "planned", at)
    _, shown, _ = call("GET", f"/orders/{order}")
    assert shown["planned"] == [
        {"action": "fulfill", "planned_for": at, "person": "kim", "planned_in": "milepost"}
    ]
    (due,) = schedules(stack)
    assert due == {"order": order, "action": "fulfill", "key": "p1", "attempt": 1}
    assert sandboxes.accounts[NAME].actions == []
    assert perform() == ["done"]
    assert perform() == ["nothing"], "a second firing does nothing"
    assert [one["action"] for one in sandboxes.accounts[NAME].actions] == ["fulfill"]
    assert [entry["result"] for entry in timeline(call, order)] == ["planned", "started", "done"]
    assert timeline(call, order)[-1]["person"] == "kim"


def test_the_schedule_is_for_the_second_that_was_asked_for(
    call: Call, order: str, stack: Stack
) -> None:
    at = in_an_hour()
    call("POST", f"{actions(order)}/fulfill", {"at": at})
    scheduler, group = aws("scheduler"), stack.resources["ActionSchedules"]
    (name,) = [one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]]
    schedule = scheduler.get_schedule(Name=name, GroupName=group)
    assert schedule["ScheduleExpression"] == f"at({parse_instant(at):%Y-%m-%dT%H:%M:%S})"
    assert (schedule["ScheduleExpressionTimezone"], schedule["ActionAfterCompletion"]) == (
        "UTC",
        "DELETE",
    )
    assert schedule["Target"]["DeadLetterConfig"]["Arn"]


@pytest.mark.thorough
def test_a_plan_is_changed_and_called_off(
    call: Call, order: str, stack: Stack, sandboxes: Sandboxes
) -> None:
    call("POST", f"{actions(order)}/fulfill", {"at": in_an_hour()}, key="p1")
    later = format_instant(datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5))
    call("POST", f"{actions(order)}/fulfill", {"at": later}, key="p2")
    assert [one["key"] for one in schedules(stack)] == ["p2"]
    status, off, _ = call("DELETE", f"{actions(order)}/fulfill/planned")
    assert (status, off["result"], off["planned_for"]) == (200, "called_off", later)
    assert schedules(stack) == []
    status, problem, _ = call("DELETE", f"{actions(order)}/fulfill/planned")
    assert (status, problem["detail"][:27]) == (409, "No fulfill is planned for t")
    results = [entry["result"] for entry in timeline(call, order)]
    assert results == ["planned", "planned", "called_off"]


@pytest.mark.thorough
def test_a_planned_action_that_the_provider_refuses_raises_the_alarm(
    call: Call,
    order: str,
    sandboxes: Sandboxes,
    perform: Callable[[], list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    call("POST", f"{actions(order)}/fulfill", {"at": in_an_hour()})
    id = order.split(":")[1]
    sandboxes.accounts[NAME].move_order(id, {"status": "Cancelled", "webhook": False})
    assert perform() == ["refused"]
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [one["PlannedActionFailures"] for one in emitted if "PlannedActionFailures" in one] == [
        [1.0]
    ]


@pytest.mark.thorough
def test_logs_of_actions_hold_nothing_of_what_people_wrote(
    call: Call, order: str, logged: Callable[[], str]
) -> None:
    call("POST", f"{actions(order)}/note", {"text": "Freja is on holiday"})
    call("POST", f"{actions(order)}/cancel", {"reason": "Freja moved"})
    assert "answered" in logged()
    assert "Freja" not in logged()
    assert "local-spirii" not in logged()


def test_what_a_refresh_records_is_marked_for_the_next_poll(
    call: Call, order: str, stack: Stack, sandboxes: Sandboxes
) -> None:
    id = order.split(":")[1]
    assert call("POST", f"/orders/{order}/actions/refresh", {}, key="k")[0] == 200
    marked = {mark["keys"] for mark in stack.items("TouchedTable")}
    assert marked == {key_of(id).hex()}


def wait_for_contact(order: str) -> dict[str, Any]:
    """The event by which announce has an order fetched."""
    return {"order": order, "action": "refresh", "key": "contact-1", "attempt": 1}


@pytest.fixture
def bare(stack: Stack, order: str, sandboxes: Sandboxes) -> str:
    """An order of which a webhook has said no more than its status."""
    id = sandboxes.accounts[NAME].create_order({})["id"]
    connection = Connection(id=NAME, provider="spirii", base_url=sandboxes.url(NAME))
    table = stack.resources["OrdersTable"]
    orders = OrdersTable(aws("dynamodb"), table_name=table, connection=connection)
    said = report(Status.PENDING, 0, raw="Pending", key=OrderKey(NAME, id, id))
    record(said, orders=orders, rules=RULES, now=said.seen_at)
    return f"{NAME}:{id}:{id}"


def test_an_order_without_contact_data_is_fetched_once(stack: Stack, bare: str) -> None:
    app = stack.load("perform_action")
    assert app.handler(wait_for_contact(bare), Context())["result"] == "fetched"
    item = stack.orders()[bare.rpartition(":")[2]]
    assert item["details"]["customer"]["email"]
    assert app.handler(wait_for_contact(bare), Context())["result"] == "known"


def test_a_provider_that_is_down_is_asked_again_in_a_minute_and_then_given_up(
    stack: Stack, bare: str, sandboxes: Sandboxes
) -> None:
    app = stack.load("perform_action")
    sandboxes.accounts[NAME].faults.add({"fault": "500", "times": None})
    assert app.handler(wait_for_contact(bare), Context())["result"] == "put_off"
    (again,) = schedules(stack)
    assert again == {**wait_for_contact(bare), "attempt": 2}
    last = {**again, "attempt": 3}
    assert app.handler(last, Context())["result"] == "given_up"


@pytest.mark.thorough
def test_a_plan_of_a_connection_that_was_removed_is_closed_and_the_timeline_says_why(
    call: Call, order: str, perform: Callable[[], list[str]], sandboxes: Sandboxes
) -> None:
    assert call("POST", f"{actions(order)}/fulfill", {"at": in_an_hour()}, key="k1")[0] == 200
    aws("ssm").delete_parameter(Name=f"{CONNECTIONS_PATH}/{NAME}")
    assert perform() == ["failed"]
    assert perform() == ["nothing"]
    assert sandboxes.accounts[NAME].actions == []
    (closed,) = [one for one in timeline(call, order) if one["result"] == "failed"]
    assert closed["outcome"] == "its connection is no longer applied"
