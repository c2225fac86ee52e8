"""The rare ways through the functions, which no other test goes through the function itself.

What they ask for is added up with the rest in test_policies_match_calls.py.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.notice import Channel, NoticeId
from milepost.notifications.subscription import Subscription
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of_email
from tests.batches import sqs_batch
from tests.builders import NOON, OFFERGRID, minute, notice, report
from tests.integration import scenarios
from tests.integration.operator_requests import http_event, hurry
from tests.integration.queued_messages import put
from tests.integration.recorded_orders import keep
from tests.permissions import Use, Watch, started_by_schedules
from tests.stack import Context, Stack, aws, event

pytestmark = pytest.mark.thorough

CHARGE: Final = "spirii-charge"
FUNCTION_ARN: Final = "arn:aws:lambda:eu-central-1:123456789012:function:"


def ask(stack: Stack, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    app = stack.load("orders_api")
    hurry(app)
    answer = app.handler(http_event(method, path, body, role="operator", query={}), Context())
    return answer["statusCode"], json.loads(answer["body"]) if answer.get("body") else None


def put_subscription(stack: Stack, subscription: Subscription) -> None:
    table = stack.resources["NoticesTable"]
    SubscriptionsTable(aws("dynamodb"), table_name=table).put(subscription)


def test_a_change_is_queued_for_an_endpoint(stack: Stack) -> None:
    answer = stack.load("announce").handler(scenarios.changes(stack), Context())
    assert answer == {"batchItemFailures": []}
    assert len(stack.messages("EndpointQueue")) == 1


def test_a_digest_is_released_and_sent(stack: Stack) -> None:
    put_subscription(stack, Subscription(id="sales", recipient=notice().recipient))
    scenarios.hold_two(stack, subscription="sales")
    event = {"until": format_instant(minute(61))}
    assert stack.load("release_notices").handler(event, Context()) == {"released": 1}
    bodies = [json.dumps(one) for one in stack.messages("EmailQueue")]
    answer = stack.load("send_notice").handler(sqs_batch(bodies), Context())
    assert answer == {"batchItemFailures": []}


def test_a_door_that_starts_in_lambda_opens_its_connections(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "receive-webhook")
    app = stack.load("receive_webhook")
    sent = app.handler(event("receive_webhook", "status_changed_accepted"), Context())
    assert sent["statusCode"] == 202


@pytest.fixture
def charge(stack: Stack) -> str:
    """The id of an order at a provider on this machine, which is gone once the test begins."""
    with Sandboxes([make_connection(CHARGE, "spirii")]) as running:
        stack.apply(Connection(id=CHARGE, provider="spirii", base_url=running.url(CHARGE)))
        account = running.accounts[CHARGE]
        stack.keep_secret("ApiCredentials", {CHARGE: account.connection.credentials})
        id = account.create_order({})["id"]
        stack.load("poll_orders").handler({"connection": CHARGE}, Context())
        order = f"{CHARGE}:{id}:{id}"
        at = format_instant(datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1))
        assert ask(stack, "POST", f"/orders/{order}/actions/fulfill", {"at": at})[0] < 300
    return order


def test_a_planned_action_whose_provider_is_down_is_planned_anew(stack: Stack, charge: str) -> None:
    scheduler, group = aws("scheduler"), stack.resources["ActionSchedules"]
    (name,) = [one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]]
    planned = scheduler.get_schedule(Name=name, GroupName=group)["Target"]["Input"]
    stack.load("perform_action").handler(json.loads(planned), Context())
    names = {one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]}
    assert names > {name}


def test_what_was_missed_is_told_to_an_endpoint(stack: Stack) -> None:
    url = "https://crm.example.com/x"
    put_subscription(stack, Subscription(id="crm", recipient=url, channel=Channel.HTTPS))
    keep(stack, report(Status.ACCEPTED))
    late = format_instant(NOON + timedelta(hours=2))
    answer = stack.load("watch_deadlines").handler({"now": late}, Context())
    assert answer["notified"] == 1
    assert len(stack.messages("EndpointQueue")) == 1


@pytest.mark.parametrize(
    ("name", "letters", "queue"),
    [
        ("email", "EmailDeadLetters", "EmailQueue"),
        ("endpoint", "EndpointDeadLetters", "EndpointQueue"),
        ("mail_events", "MailEventsDeadLetters", "MailEventsQueue"),
        ("batch", "BatchDeadLetters", "BatchQueue"),
    ],
)
def test_dead_letters_go_back_through_the_api(
    name: str, letters: str, queue: str, stack: Stack
) -> None:
    put(stack, letters, {"number": 1})
    _, shown = ask(stack, "GET", f"/dead-letters/{name}")
    assert len(shown["messages"]) == 1
    assert ask(stack, "POST", f"/dead-letters/{name}/redrive")[1]["moved"] == 1
    assert stack.messages(queue) == [{"number": 1}]


def test_a_mail_is_sent_again_through_the_api(stack: Stack) -> None:
    keep(stack, report(Status.ACCEPTED))
    one = notice()
    scenarios.enter(stack, one)
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    log.mark_sent(one, message_id="m-1", at=NOON)
    path = f"/notices/{NoticeId.parse(one.id).path_id}/resend"
    assert ask(stack, "POST", path)[0] == 202
    assert len(stack.messages("EmailQueue")) == 1


@pytest.mark.parametrize("name", started_by_schedules())
def test_what_a_schedule_could_not_start_is_started_through_the_api(
    name: str, stack: Stack, permitted: Watch
) -> None:
    put(stack, "FailedInvocations", {}, TARGET_ARN=f"{FUNCTION_ARN}{name}")
    # There is no such function in moto, so the letter stays; it is taken out by hand afterwards.
    assert len(ask(stack, "POST", "/dead-letters/invocations/redrive")[1]["failed"]) == 1
    assert ("orders_api", Use("lambda:InvokeFunction", name)) in permitted.asked
    discard(stack, "invocations")


def test_a_poll_is_started_through_the_api(stack: Stack, permitted: Watch) -> None:
    ask(stack, "POST", f"/connections/{OFFERGRID.id}/poll")
    assert ("orders_api", Use("lambda:InvokeFunction", "PollOrdersFunction")) in permitted.asked


def test_what_was_not_announced_is_told_given_up_and_erased_through_the_api(
    stack: Stack, permitted: Watch
) -> None:
    key = "aws/lambda/1/shard/2026/11/22/one"
    records = event("announce", "accepted")["Records"]
    other = {"dynamodb": {"Keys": {"pk": {"S": "order#offergrid-home#another"}}}}
    bucket = stack.resources["UnannouncedBucket"]
    keep_records(stack, key, [*records, other])
    letter = {"detail": {"bucket": {"name": bucket}, "object": {"key": key}}}
    put(stack, "AnnounceFailures", letter)
    assert len(ask(stack, "POST", "/dead-letters/announce/redrive")[1]["failed"]) == 1
    assert ("orders_api", Use("lambda:InvokeFunction", "AnnounceFunction")) in permitted.asked
    erase_customer_of(stack, records[0])
    (left,) = stack.objects("UnannouncedBucket").values()
    assert json.loads(json.loads(left)["payload"]) == {"Records": [other]}
    discard(stack, "announce")
    assert stack.objects("UnannouncedBucket") == {}


def keep_records(stack: Stack, key: str, records: list[Any]) -> None:
    body = json.dumps({"payload": json.dumps({"Records": records})}).encode()
    aws("s3").put_object(Bucket=stack.resources["UnannouncedBucket"], Key=key, Body=body)


def erase_customer_of(stack: Stack, record: Any) -> None:
    """Erase the customer to whom the order of this record belongs."""
    image = record["dynamodb"]["NewImage"]
    scenarios.keep_image(stack, record)
    order = str(OrderKey(*(image[name]["S"] for name in ("connection", "order_id", "item_id"))))
    customer = customer_id_of_email("charlotte.nguyen@example.com")
    aws("dynamodb").put_item(
        TableName=stack.resources["SearchTable"],
        Item={"pk": {"S": f"customer#{customer}"}, "sk": {"S": order}, "order": {"S": order}},
    )
    assert ask(stack, "DELETE", f"/customers/{customer}")[1]["orders"] == 1


def discard(stack: Stack, queue: str) -> None:
    (message,) = ask(stack, "GET", f"/dead-letters/{queue}")[1]["messages"]
    assert ask(stack, "DELETE", f"/dead-letters/{queue}/messages/{message['id']}")[0] == 204
