"""``milepost doctor``: what can't be examined, or can't be used."""

import json
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from cli.doctor import commands
from cli.doctor.findings import ok
from cli.errors import CannotDo
from cli.stack import find_stack
from cli.stack_choice import StackChoice
from tests.stack import SENDER, aws
from tests.unit.cli.conftest import Deployed
from tests.unit.cli.doctor_findings import HEALTHY, ROUTES, resource, set_verified, trouble

pytestmark = pytest.mark.thorough


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


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetAccount")
CANNOT_LOOK = [
    DENIED,
    EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    CannotDo("The orders API failed."),
    KeyError("AlarmsTopic"),
    ValueError("hunter2"),
    RecursionError(),
]


@pytest.mark.parametrize("error", CANNOT_LOOK, ids=lambda one: type(one).__name__)
def test_what_cannot_be_looked_at_is_a_failure_and_ends_no_examination(
    error: Exception, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_patient: object) -> Any:
        raise error

    well = ("alarms", lambda _patient: iter([ok("alarms", "quiet")]))
    monkeypatch.setattr(commands, "CHECKS", [("mail", fail), well])
    found = deployed.run("doctor", "--json")
    assert found.exit_code == 1
    assert [(one["level"], one["about"]) for one in json.loads(found.stdout)] == [
        ("fail", "mail"),
        ("ok", "alarms"),
    ]
    assert "could not be checked" in found.stdout
    assert "hunter2" not in found.stdout


@pytest.mark.parametrize("about", [about for about, _ in commands.CHECKS])
def test_each_check_that_cannot_look_is_named_by_itself(
    about: str, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_patient: object) -> Any:
        raise DENIED

    checks = [(name, fail if name == about else check) for name, check in commands.CHECKS]
    monkeypatch.setattr(commands, "CHECKS", checks)
    assert [one[:2] for one in trouble(deployed)] == [("fail", about)]


def test_a_dead_stack_is_a_failure_in_every_check(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    target = find_stack(StackChoice(name="milepost-test"))
    monkeypatch.setattr(commands, "find_stack", lambda _name: target)
    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    result = deployed.run("doctor", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {one["level"] for one in found} == {"fail"}
    assert {one["about"] for one in found} == {about for about, _ in commands.CHECKS}


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("AWS::CloudWatch::Alarm", "alarms"),
        ("AWS::Lambda::Function", "functions"),
        ("AWS::Lambda::EventSourceMapping", "sources"),
        ("AWS::SNS::Topic", "topics"),
    ],
)
def test_a_stack_that_has_nothing_to_look_at_is_not_well(
    kind: str, about: str, deployed: Deployed
) -> None:
    listed = deployed.answers["ListStackResources"]["StackResourceSummaries"]
    listed[:] = [one for one in listed if one["ResourceType"] != kind]
    assert ("fail", about) in [one[:2] for one in trouble(deployed)]


def test_figures_that_cloudwatch_does_not_give_are_a_failure(deployed: Deployed) -> None:
    refused = {"Id": "m0", "StatusCode": "Forbidden", "Values": []}
    deployed.answers["GetMetricData"] = {"MetricDataResults": [refused]}
    assert ("fail", "functions") in [one[:2] for one in trouble(deployed)]


def test_a_connection_whose_settings_or_secrets_cannot_be_used_is_named(
    deployed: Deployed,
) -> None:
    deployed.stack.put_settings("offergrid-home", '{"page_size": "hunter2"}')
    credentials = deployed.stack.kept_secret("ApiCredentials")
    deployed.stack.keep_secret("ApiCredentials", credentials | {"rabot-energy": ["hunter2"]})
    signing = deployed.stack.kept_secret("SigningSecrets")
    deployed.stack.keep_secret("SigningSecrets", signing | {"offergrid-business": "hunter2"})
    found = trouble(deployed)
    assert ("fail", "connections") in [one[:2] for one in found]
    texts = " ".join(one[2] for one in found if one[0] == "fail")
    assert "offergrid-home: the settings of offergrid-home can't be used" in texts
    assert "rabot-energy: the credentials of rabot-energy can't be used" in texts
    assert "offergrid-business: the signing secrets of offergrid-business can't be used" in texts
    assert "hunter2" not in texts
    listed = deployed.run("connections", "list").output
    assert "offergrid-home" in listed
    assert "can't be used" in listed
    assert "hunter2" not in listed


def test_a_subscription_that_cannot_be_read_is_named(deployed: Deployed) -> None:
    item = {"pk": {"S": "subscriptions"}, "sk": {"S": "bad"}, "mode": {"S": "weekly"}}
    table = deployed.stack.resources["NoticesTable"]
    aws("dynamodb").put_item(TableName=table, Item=item)
    assert ("fail", "subscriptions") in [one[:2] for one in trouble(deployed)]
