"""``milepost doctor``: what it finds in a deployment, and what it says to do."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cli.doctor import commands
from cli.doctor.api_checks import OPEN_ROUTES
from cli.doctor.findings import Finding, Level
from milepost.connections.connection import SenderIdentity
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.subscription import Subscription
from tests.builders import OFFERGRID
from tests.stack import SENDER, aws, template
from tests.unit.cli.conftest import Deployed
from tests.unit.cli.doctor_findings import (
    HEALTHY,
    ROUTES,
    examined,
    resource,
    set_verified,
    trouble,
)

pytestmark = pytest.mark.thorough


ROLE = "arn:aws:iam::123456789012:role/polls"
SANDBOX = HEALTHY | {"ProductionAccessEnabled": False}


@pytest.fixture(autouse=True)
def _well(deployed: Deployed) -> None:
    """A deployment in which nothing is wrong."""
    topics = {
        name: deployed.stack.resources[name] for name in ("AlarmsTopic", "AnnouncementsTopic")
    }
    for arn in topics.values():
        queue = "arn:aws:sqs:eu-central-1:123456789012:wanted"
        aws("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    set_verified(SENDER, verified=True)
    deployed.answers |= {
        "GetAccount": HEALTHY,
        "GetMetricData": {"MetricDataResults": []},
        "GetEventSourceMapping": {"State": "Enabled"},
        "GetAccountSettings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
        "GetRoutes": {"Items": ROUTES},
        "ListStackResources": {
            "StackResourceSummaries": [
                *(resource(name, arn, "AWS::SNS::Topic") for name, arn in topics.items()),
                resource("QuarantineAlarm", "milepost-test-quarantine", "AWS::CloudWatch::Alarm"),
                resource("AnnounceFunction", "milepost-test-announce", "AWS::Lambda::Function"),
                resource("AnnounceStream", "uuid-1", "AWS::Lambda::EventSourceMapping"),
                resource("Api", "api-1", "AWS::ApiGatewayV2::Api"),
            ]
        },
    }
    names = ("offergrid-home", "offergrid-business")
    keys = {name: {"api_key": "k"} for name in names}
    rabot = {"rabot-energy": {"client_id": "i", "client_secret": "s"}}
    deployed.stack.keep_secret("ApiCredentials", keys | rabot)
    for name in names:
        aws("dynamodb").put_item(
            TableName=deployed.stack.resources["PollsTable"],
            Item={"pk": {"S": f"poll#{name}"}, "last_webhook_at": {"S": "2026-03-02T12:00:00Z"}},
        )


def test_a_deployment_in_which_nothing_is_wrong_is_told_so_line_by_line(deployed: Deployed) -> None:
    said = deployed.say("doctor")
    lines = said.splitlines()
    assert lines[-1] == "Failures: 0, warnings: 0."
    assert len([line for line in lines if line.startswith("ok")]) == len(commands.CHECKS)


def test_every_finding_that_is_not_well_says_what_to_do(deployed: Deployed) -> None:
    deployed.stack.keep_secret("ApiCredentials", {})
    deployed.answers["GetAccount"] = SANDBOX
    assert deployed.run("doctor").exit_code == 1
    assert all(one["advice"] for one in examined(deployed) if one["level"] != Level.OK)


def test_a_warning_alone_is_a_success(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(level=Level.WARN, about="mail", text="nearly", advice="look")
    monkeypatch.setattr(commands, "CHECKS", [("mail", lambda _patient: iter([finding]))])
    assert "Failures: 0, warnings: 1." in deployed.say("doctor")


def test_missing_credentials_and_signing_secrets_are_failures(deployed: Deployed) -> None:
    deployed.stack.keep_secret("ApiCredentials", {"rabot-energy": {"client_id": "i"}})
    entry = {"scheme": "standard-webhooks", "secrets": ["not base64!"]}
    deployed.stack.keep_secret("SigningSecrets", {OFFERGRID.id: entry})
    texts = {text for _, about, text in trouble(deployed) if about == "secrets"}
    assert texts == {
        "offergrid-business lacks api_key",
        "offergrid-home lacks api_key",
        "rabot-energy lacks client_secret",
        "offergrid-home has a signing secret that is not valid for standard-webhooks",
    }


def test_a_schedule_of_a_connection_that_is_gone_fails_by_name(deployed: Deployed) -> None:
    aws("scheduler").create_schedule(
        GroupName=deployed.stack.resources["PollSchedules"],
        Name="solar-gone",
        ScheduleExpression="rate(5 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:lambda:eu-central-1:123456789012:function:poll", "RoleArn": ROLE},
    )
    texts = [text for _, about, text in trouble(deployed) if about == "schedules"]
    assert texts == ["solar-gone has a schedule but no settings: each of its polls fails"]


def test_a_connection_that_is_to_be_polled_and_has_no_schedule_fails(deployed: Deployed) -> None:
    deployed.stack.apply(replace(OFFERGRID, poll_minutes=15))
    found = trouble(deployed)
    assert ("fail", "schedules", "offergrid-home has none") in found
    assert ("warn", "polls", "offergrid-home: never polled") in found


@pytest.mark.parametrize(
    ("account", "level", "said"),
    [
        (SANDBOX, "fail", "sandbox"),
        (HEALTHY | {"SendingEnabled": False}, "fail", "paused sending"),
        (HEALTHY | {"EnforcementStatus": "PROBATION"}, "warn", "under review (PROBATION)"),
        (
            HEALTHY | {"SendQuota": {"Max24HourSend": 200.0, "SentLast24Hours": 190.0}},
            "warn",
            "190 of the 200 mails",
        ),
    ],
)
def test_what_keeps_ses_from_sending_is_found(
    deployed: Deployed, account: Mapping[str, Any], level: str, said: str
) -> None:
    deployed.answers["GetAccount"] = account
    ((found_level, about, text),) = trouble(deployed)
    assert (found_level, about) == (level, "mail")
    assert said in text


def test_a_sender_that_is_not_verified_fails(deployed: Deployed) -> None:
    set_verified(SENDER, verified=False)
    assert trouble(deployed) == [("fail", "sender", "milepost@example.org is not verified")]


def test_a_sender_that_ses_does_not_know_fails(deployed: Deployed) -> None:
    aws("sesv2").delete_email_identity(EmailIdentity=SENDER)
    assert trouble(deployed) == [("fail", "sender", "milepost@example.org is not verified")]


def test_a_sender_of_a_verified_domain_is_verified(deployed: Deployed) -> None:
    aws("sesv2").delete_email_identity(EmailIdentity=SENDER)
    aws("sesv2").create_email_identity(EmailIdentity="example.org")
    set_verified("example.org", verified=True)
    assert not trouble(deployed)


def test_customers_who_are_not_told_who_writes_to_them_are_a_warning(deployed: Deployed) -> None:
    legal = "Example GmbH, Berlin, HRB 1"
    for name, country, sender, said in (
        ("nobody", "GH", None, "its customers get mails, but no sender is set"),
        ("no-law", "DE", SenderIdentity(company="Example"), "no legal line"),
        ("abroad", "GH", SenderIdentity(company="Example"), None),
        ("whole", "DE", SenderIdentity(company="Example GmbH", legal=legal), None),
    ):
        telling = replace(
            OFFERGRID, country=country, sender=sender, customer_notices=frozenset({"accepted"})
        )
        deployed.stack.apply(telling)
        found = [text for _, about, text in trouble(deployed) if about == "signatures"]
        assert len(found) == (0 if said is None else 1), name
        assert said is None or said in found[0]


def test_a_subscription_that_waits_to_be_confirmed_is_a_warning(deployed: Deployed) -> None:
    pending = {"SubscriptionArn": "PendingConfirmation", "Endpoint": "it@example.org"}
    deployed.answers["ListSubscriptionsByTopic"] = {"Subscriptions": [pending]}
    texts = [text for _, about, text in trouble(deployed) if about == "topics"]
    assert texts == [
        "it@example.org has not confirmed its subscription",
        "it@example.org has not confirmed its subscription",
        "nobody is notified of alarms",
    ]


def test_an_event_bus_whose_events_nothing_gets_is_a_warning(deployed: Deployed) -> None:
    events, name = aws("events"), "milepost-test-announcements"
    events.create_event_bus(Name=name)
    deployed.answers["ListStackResources"]["StackResourceSummaries"].append(
        resource("EventBus", name, "AWS::Events::EventBus")
    )
    assert ("warn", "event bus", f"{name} has no rule, so nothing gets its events") in trouble(
        deployed
    )
    rule = {"Name": "to-crm", "EventBusName": name, "EventPattern": '{"source": ["milepost"]}'}
    events.put_rule(**rule)
    assert not [one for one in trouble(deployed) if one[1] == "event bus"]
    events.put_rule(**rule, State="DISABLED")
    assert ("warn", "event bus", "the rule to-crm is disabled") in trouble(deployed)


def test_an_alarm_of_ours_that_rings_fails_and_anothers_does_not(deployed: Deployed) -> None:
    for name in ("milepost-test-quarantine", "somebody-elses"):
        aws("cloudwatch").put_metric_alarm(
            AlarmName=name,
            AlarmDescription="See docs/runbook.md.",
            MetricName="Quarantined",
            Namespace="Milepost",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            Statistic="Sum",
        )
        aws("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert trouble(deployed) == [("fail", "alarms", "milepost-test-quarantine is in ALARM")]


def test_functions_that_failed_and_sources_that_stopped_are_found(deployed: Deployed) -> None:
    deployed.answers["GetMetricData"] = {"MetricDataResults": [{"Id": "m0", "Values": [2.0, 1.0]}]}
    deployed.answers["GetEventSourceMapping"] = {"State": "Disabled"}
    assert trouble(deployed) == [
        ("warn", "functions", "milepost-test-announce failed 3 times within a day"),
        ("fail", "sources", "AnnounceStream is disabled: it passes nothing to its function"),
    ]


def test_an_account_that_runs_few_functions_at_once_is_a_warning(deployed: Deployed) -> None:
    deployed.answers["GetAccountSettings"] = {"AccountLimit": {"ConcurrentExecutions": 10}}
    [(level, about, text)] = trouble(deployed)
    assert (level, about) == ("warn", "concurrency")
    assert "10 functions" in text


def test_a_route_that_is_missing_or_open_by_mistake_fails(deployed: Deployed) -> None:
    opened = {"RouteKey": "GET /orders", "AuthorizationType": "NONE"}
    closed = [one for one in ROUTES if one["RouteKey"] != "ANY /webhooks/{connection}"]
    deployed.answers["GetRoutes"] = {"Items": [*closed, opened]}
    assert [one[:2] for one in trouble(deployed)] == [("fail", "routes")] * 2
    texts = " ".join(one[2] for one in trouble(deployed))
    assert "ANY /webhooks/{connection} is missing" in texts
    assert "GET /orders is open to everybody" in texts


def test_the_routes_without_a_token_are_those_of_the_template() -> None:
    events = [
        event["Properties"]
        for one in template().values()
        if one["Type"] == "AWS::Serverless::Function"
        for event in one["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    opened = {
        f"{one['Method'].upper()} {one['Path']}"
        for one in events
        if one.get("Auth", {}).get("Authorizer") == "NONE"
    }
    assert opened == OPEN_ROUTES


def test_what_waits_for_a_person_is_found(deployed: Deployed) -> None:
    url = deployed.stack.resources["InboxDeadLetters"]
    aws("sqs").send_message(QueueUrl=url, MessageBody="{}")
    aws("s3").put_object(
        Bucket=deployed.stack.resources["QuarantineBucket"],
        Key=f"quarantine/{OFFERGRID.id}/2026-03-02/{'0' * 32}",
        Body=b"?",
        Metadata={"reason": "odd", "source": "webhook", "received-at": "2026-03-02T12:00:00Z"},
    )
    assert trouble(deployed) == [
        ("fail", "dead letters", "1 wait in inbox"),
        ("warn", "quarantine", "1 could not be read"),
    ]


def test_polls_that_fail_say_why(deployed: Deployed) -> None:
    deployed.stack.apply(replace(OFFERGRID, poll_minutes=None))
    aws("dynamodb").update_item(
        TableName=deployed.stack.resources["PollsTable"],
        Key={"pk": {"S": f"poll#{OFFERGRID.id}"}},
        UpdateExpression="SET failures = :three, last_error = :why, last_failure_at = :at",
        ExpressionAttributeValues={
            ":three": {"N": "3"},
            ":why": {"S": "it answered 401"},
            ":at": {"S": "2026-03-02T12:00:00Z"},
        },
    )
    ((level, about, text),) = trouble(deployed)
    assert (level, about) == ("fail", "polls")
    assert text.startswith("offergrid-home: 3 polls in a row failed, the last one 2026-03-02 12:00")
    assert "it answered 401" in text


def test_a_connection_that_never_had_a_webhook_is_a_warning(deployed: Deployed) -> None:
    aws("dynamodb").delete_item(
        TableName=deployed.stack.resources["PollsTable"],
        Key={"pk": {"S": f"poll#{OFFERGRID.id}"}},
    )
    never = "no webhook has come yet: offergrid-home"
    assert trouble(deployed) == [("warn", "webhooks", never)]


def filter_announcements(deployed: Deployed, policy: dict[str, list[str]]) -> None:
    sns, topic = aws("sns"), deployed.stack.resources["AnnouncementsTopic"]
    for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        sns.set_subscription_attributes(
            SubscriptionArn=one["SubscriptionArn"],
            AttributeName="FilterPolicy",
            AttributeValue=json.dumps(policy),
        )


def unheard(deployed: Deployed) -> list[str]:
    return [
        text for level, about, text in trouble(deployed) if (level, about) == ("warn", "hearing")
    ]


def test_where_nobody_would_hear_of_trouble_is_a_warning(deployed: Deployed) -> None:
    filter_announcements(deployed, {"kind": ["overdue", "failed"], "connection": ["rabot-energy"]})
    said = "nobody is notified of orders that are"
    assert unheard(deployed) == [
        f"offergrid-business: {said} failed, in need of attention, overdue",
        f"offergrid-home: {said} failed, in need of attention, overdue",
        f"rabot-energy: {said} in need of attention",
    ]


@pytest.mark.parametrize(
    ("changes", "is_heard"),
    [
        ({}, True),
        ({"connections": frozenset({"offergrid-home"})}, False),
        ({"kinds": frozenset({"failed", "overdue"})}, False),
        ({"service_types": frozenset({"energy"})}, False),
        ({"ended": "unsubscribed"}, False),
    ],
)
def test_a_subscription_to_these_kinds_everywhere_hears_of_them(
    changes: dict[str, Any], is_heard: bool, deployed: Deployed
) -> None:
    filter_announcements(deployed, {"kind": ["accepted"]})
    kinds = frozenset({"failed", "attention", "overdue"})
    wanted = Subscription(id="desk", recipient="desk@example.org", kinds=kinds)
    table = deployed.stack.resources["NoticesTable"]
    SubscriptionsTable(aws("dynamodb"), table_name=table).put(replace(wanted, **changes))
    assert (unheard(deployed) == []) is is_heard


def test_a_subscription_to_a_service_type_that_no_order_has_is_a_warning(
    deployed: Deployed,
) -> None:
    table = SubscriptionsTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])
    wrong = Subscription(
        id="s-1", recipient="tv@example.org", service_types=frozenset({"tv", "televsion"})
    )
    table.put(wrong)
    table.put(replace(wrong, id="s-2", ended="paused on 2026-03-01"))
    [said] = [text for _, about, text in trouble(deployed) if about == "services"]
    assert said.startswith(
        "s-1: No order at any connection is known to have the service type televsion; known are: "
    )
