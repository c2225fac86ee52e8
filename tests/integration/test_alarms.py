"""Alarms on metrics of our own: what is emitted is what the template's alarm waits for."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.topic_and_queues import notice_message, notice_of
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.mail.sender import Refused
from milepost.notifications.notice import Channel, Notice
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Kind
from tests.batches import sqs_batch
from tests.builders import OFFERGRID, announcement, minute, notice, report, tracked
from tests.integration.adjusted_functions import allow_this_machine
from tests.make_mail_events import MESSAGE_ID
from tests.signing import SECRET
from tests.stack import (
    SIGNING,
    Context,
    Stack,
    aws,
    event,
    template,
    variables_of_all_functions,
)
from tests.unit.notifications.endpoints.receiver import receiving

ALARMS = {
    name: one["Properties"]
    for name, one in template().items()
    if one["Type"] == "AWS::CloudWatch::Alarm"
    and one["Properties"]["Namespace"].startswith("Milepost")
}
FILTERED = {
    transformation["MetricName"]: transformation["MetricNamespace"]
    for one in template().values()
    if one["Type"] == "AWS::Logs::MetricFilter"
    for transformation in one["Properties"]["MetricTransformations"]
}
"""Namespaces of metrics that are counted in logs, by name."""
STACK = "Milepost/milepost"
"""The namespace of the metrics of the stack at hand."""
CHARGE = "spirii-charge"
UNITS = {"PollLag": "Seconds"}
"""Every other one is a count."""


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes([make_connection(CHARGE, "spirii")]) as running:
        yield running


def connect(stack: Stack, sandboxes: Sandboxes, **credentials: str) -> None:
    stack.apply(Connection(id=CHARGE, provider="spirii", base_url=sandboxes.url(CHARGE)))
    right = sandboxes.accounts[CHARGE].connection.credentials
    stack.keep_secret("ApiCredentials", {CHARGE: credentials or right})


def receive(stack: Stack, name: str = "scheduled") -> int:
    app = stack.load("receive_webhook")
    return int(app.handler(event("receive_webhook", name), Context())["statusCode"])


def keep_in_quarantine(stack: Stack, _: Sandboxes) -> None:
    stack.load("record_report").handler(event("record_report", "not_json"), Context())


def fail_to_answer(stack: Stack, _: Sandboxes) -> None:
    app = stack.load("orders_api")
    aws("dynamodb").delete_table(TableName=stack.resources["OrdersTable"])
    assert call(app, "GET", "/orders/offergrid-home:ord-1:item-1") == 500


def fail_to_poll(stack: Stack, sandboxes: Sandboxes) -> None:
    connect(stack, sandboxes, api_key="wrong")
    poll = stack.load("poll_orders").handler({"connection": CHARGE}, Context())
    assert poll["outcome"] == "failed"


def poll_late(stack: Stack, _: Sandboxes) -> None:
    ago = format_instant(datetime.now(UTC) - timedelta(hours=2))
    stack.apply(
        Connection(id=OFFERGRID.id, provider="offergrid", base_url="https://x", poll_minutes=5)
    )
    item = to_item({"pk": f"poll#{OFFERGRID.id}", "last_success_at": ago})
    aws("dynamodb").put_item(TableName=stack.resources["PollsTable"], Item=item)
    stack.load("watch_deadlines").handler({}, Context())


def edit_settings_by_hand(stack: Stack, _: Sandboxes) -> None:
    stack.apply(OFFERGRID)
    stack.put_settings(OFFERGRID.id, "{")
    stack.load("watch_deadlines").handler({}, Context())


def fail_what_was_planned(stack: Stack, sandboxes: Sandboxes) -> None:
    connect(stack, sandboxes)
    id = sandboxes.accounts[CHARGE].create_order({})["id"]
    stack.load("poll_orders").handler({"connection": CHARGE}, Context())
    at = format_instant(datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1))
    path = f"/orders/{CHARGE}:{id}:{id}/actions/fulfill"
    assert call(stack.load("orders_api"), "POST", path, {"at": at}) < 300
    sandboxes.accounts[CHARGE].move_order(id, {"status": "Cancelled", "webhook": False})
    scheduler, group = aws("scheduler"), stack.resources["ActionSchedules"]
    (name,) = [one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]]
    planned = scheduler.get_schedule(Name=name, GroupName=group)["Target"]["Input"]
    stack.load("perform_action").handler(json.loads(planned), Context())


def fail_a_mail(stack: Stack, _: Sandboxes) -> None:
    """A notice whose order can't be read."""
    batch = event("send_notice", "accepted")
    enter_notice(stack, batch)
    (record,) = event("announce", "accepted")["Records"]
    image = {**record["dynamodb"]["NewImage"], "reports": {"S": "{"}, "timeline": {"S": "{"}}
    aws("dynamodb").put_item(TableName=stack.resources["OrdersTable"], Item=image)
    stack.load("send_notice").handler(batch, Context())
    assert states(stack) == ["failed"]


def have_a_mail_refused(stack: Stack, _: Sandboxes) -> None:
    """SES takes no mail to the address, however often it is tried."""
    batch = event("send_notice", "accepted")
    enter_notice(stack, batch)
    (record,) = event("announce", "accepted")["Records"]
    aws("dynamodb").put_item(
        TableName=stack.resources["OrdersTable"], Item=record["dynamodb"]["NewImage"]
    )
    app: Any = stack.load("send_notice")

    def refuse(*_: Any, **__: Any) -> str:
        raise Refused("MessageRejected")

    app.mails.sender.mailer.send = refuse
    app.handler(batch, Context())
    assert states(stack) == ["failed"]


def have_an_endpoint_gone(stack: Stack, _: Sandboxes) -> None:
    with receiving(status=410, content=b"") as receiver:
        batch = sqs_batch([json.dumps(notice_message(notice_to(stack, receiver.url)))])
        app: Any = stack.load("call_endpoint")
        allow_this_machine(app)
        app.handler(batch, Context())
    assert states(stack) == ["failed"]


def have_ses_reject(stack: Stack, _: Sandboxes) -> None:
    """SES takes a mail, and then doesn't send it."""
    notices, one = notices_table(stack), notice()
    MailsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"]).keep(
        [one], at=minute(1)
    )
    notices.enter(Choice(notice=one), at=minute(0))
    notices.mark_sent(one, message_id=MESSAGE_ID, at=minute(1))
    stack.load("track_delivery").handler(event("track_delivery", "rejected"), Context())
    assert states(stack) == ["failed"]


def notices_table(stack: Stack) -> NoticesTable:
    return NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])


def enter_notice(stack: Stack, batch: Mapping[str, Any]) -> None:
    one = notice_of(json.loads(batch["Records"][-1]["body"]))
    notices_table(stack).enter(Choice(notice=one), at=datetime.now(UTC))


def notice_to(stack: Stack, url: str) -> Notice:
    """A notice of a rejection to an endpoint, as announce leaves it."""
    subscription = Subscription(id="crm", channel=Channel.HTTPS, recipient=url)
    SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"]).put(
        subscription
    )
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    orders.write(tracked(report(Status.REJECTED)), new=())
    stack.apply(OFFERGRID)
    stack.keep_secret("EndpointSecrets", {"crm": SECRET})
    one = replace(
        notice(Kind.REJECTED, channel=Channel.HTTPS, recipient=url, subscription="crm"),
        announcement=announcement(Kind.REJECTED, 1, status=Status.REJECTED),
    )
    notices_table(stack).enter(Choice(notice=one), at=minute(0))
    return one


def states(stack: Stack) -> list[str]:
    items = stack.items("NoticesTable")
    return [
        item["state"]
        for item in items
        if item["pk"].startswith("order#") and item["sk"].startswith("notice#")
    ]


def call(app: Any, method: str, path: str, body: Any = None) -> int:
    claims = {"sub": "5b1f", "username": "kim", "cognito:groups": "[operator]"}
    request = {
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": path},
            "authorizer": {"jwt": {"claims": claims}},
        },
        "body": json.dumps(body) if body else None,
    }
    return int(app.handler(request, Context())["statusCode"])


def have_no_secret(stack: Stack, _: Sandboxes) -> None:
    empty = {**SIGNING["offergrid-home"], "secrets": []}
    stack.keep_secret("SigningSecrets", {"offergrid-home": empty})
    assert receive(stack) == 503


def lose_the_secrets(stack: Stack, _: Sandboxes) -> None:
    secret = stack.resources["SigningSecrets"]
    aws("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    assert receive(stack) == 503


def lose_the_inbox(stack: Stack, _: Sandboxes) -> None:
    app = stack.load("receive_webhook")
    aws("sqs").delete_queue(QueueUrl=stack.resources["InboxQueue"])
    answer = app.handler(event("receive_webhook", "scheduled"), Context())
    assert answer["statusCode"] == 503


def leave_dead_letters(stack: Stack, _: Sandboxes) -> None:
    aws("sqs").send_message(QueueUrl=stack.resources["EmailDeadLetters"], MessageBody="{}")
    stack.load("watch_deadlines").handler({}, Context())


def leave_what_was_not_counted(stack: Stack, _: Sandboxes) -> None:
    aws("sqs").send_message(QueueUrl=stack.resources["MeasureFailures"], MessageBody="{}")
    stack.load("watch_deadlines").handler({}, Context())


def refuse_many(stack: Stack, _: Sandboxes) -> None:
    for _ in range(21):
        assert receive(stack, "bad_signature") == 401


Provoke = Callable[[Stack, Sandboxes], None]
PROVOKED_BY: Sequence[tuple[str, str, Provoke]] = (
    ("FailuresAlarm", "Quarantined", keep_in_quarantine),
    ("FailuresAlarm", "ApiFailures", fail_to_answer),
    ("FailuresAlarm", "PlannedActionFailures", fail_what_was_planned),
    ("FailuresAlarm", "NoticeFailures", fail_a_mail),
    ("FailuresAlarm", "NoticeFailures", have_a_mail_refused),
    ("FailuresAlarm", "NoticeFailures", have_an_endpoint_gone),
    ("FailuresAlarm", "NoticeFailures", have_ses_reject),
    ("FailuresAlarm", "RefusedWebhooks", have_no_secret),
    ("FailuresAlarm", "RefusedWebhooks", lose_the_secrets),
    ("FailuresAlarm", "RefusedWebhooks", lose_the_inbox),
    ("OpenProblemsAlarm", "PollLag", poll_late),
    ("OpenProblemsAlarm", "UnusableConnections", edit_settings_by_hand),
    ("OpenProblemsAlarm", "DeadLetters", leave_dead_letters),
    ("OpenProblemsAlarm", "DeadLetters", leave_what_was_not_counted),
    ("RefusedWebhooksAlarm", "RefusedWebhooks", refuse_many),
)
"""What sets off an alarm, and the metric that says of which kind it was."""


def emitted(output: str) -> Iterator[tuple[str, str, str, dict[str, str], float]]:
    """Every metric of every line, as CloudWatch reads it.

    Namespace, name, unit, dimensions with their values, value.
    """
    for line in output.splitlines():
        said = json.loads(line) if '"_aws"' in line else {"_aws": {"CloudWatchMetrics": []}}
        for group in said["_aws"]["CloudWatchMetrics"]:
            for names in group["Dimensions"]:
                dimensions = {name: said[name] for name in names}
                for one in group["Metrics"]:
                    value = said[one["Name"]]
                    largest = max(value) if isinstance(value, list) else value
                    yield group["Namespace"], one["Name"], one["Unit"], dimensions, largest


@pytest.mark.sampled(2)
@pytest.mark.parametrize("way", PROVOKED_BY, ids=lambda way: f"{way[0]} {way[2].__name__}")
def test_what_an_alarm_waits_for_is_emitted_when_it_happens(
    way: tuple[str, str, Provoke],
    stack: Stack,
    sandboxes: Sandboxes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, kind, provoke = way
    provoke(stack, sandboxes)
    alarm = ALARMS[name]
    waited_for = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    sent = list(emitted(capsys.readouterr().out))
    values = [
        value
        for namespace, metric, unit, dimensions, value in sent
        if (namespace, metric, unit) == (STACK, alarm["MetricName"], "Count")
        and dimensions == waited_for
    ]
    judged = sum(values) if alarm["Statistic"] == "Sum" else max(values)
    assert judged > alarm["Threshold"]
    assert any(
        (namespace, metric, unit) == (STACK, kind, UNITS.get(kind, "Count"))
        for namespace, metric, unit, _, _ in sent
    )


def test_two_stacks_of_an_account_share_no_metric() -> None:
    namespace = variables_of_all_functions()["POWERTOOLS_METRICS_NAMESPACE"]
    assert namespace.endswith("/${AWS::StackName}")
    alarms = {one["Namespace"] for one in ALARMS.values()}
    assert alarms == set(FILTERED.values()) == {namespace}


def test_every_alarm_on_a_metric_of_ours_is_provoked_here() -> None:
    of_filters = {name for name, one in ALARMS.items() if one["MetricName"] in FILTERED}
    assert {name for name, _, _ in PROVOKED_BY} | of_filters == ALARMS.keys()


def test_while_all_is_well_no_metric_is_sent(
    stack: Stack, sandboxes: Sandboxes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is charged for every hour in which it is sent."""
    connect(stack, sandboxes)
    assert stack.load("poll_orders").handler({"connection": CHARGE}, Context())
    assert receive(stack) == 202
    stack.load("watch_deadlines").handler({}, Context())
    assert list(emitted(capsys.readouterr().out)) == []


def test_throttled_calls_are_counted_by_what_the_access_log_says_of_them() -> None:
    throttles = template()["ApiThrottles"]["Properties"]
    log = template()["Api"]["Properties"]["AccessLogSettings"]
    line = json.loads(log["Format"].replace("$context.status", "429"))
    field, _, wanted = throttles["FilterPattern"].strip("{} ").removeprefix("$.").partition(" = ")
    assert line[field] == json.loads(wanted)
    assert throttles["LogGroupName"] == log["DestinationArn"].removesuffix(".Arn")
