"""The template's house rules: what every function, queue, table and bucket has to have."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from milepost.actions.schedule import RUN_WITHIN
from milepost.notifications.claims import CLAIM
from milepost.notifications.endpoints.aws.call_log import LONGEST_DELAY
from milepost.notifications.mail.bounces_and_complaints import LOGGED_WITHIN
from milepost.notifications.mail.sender import NEWS_WITHIN
from tests.template import (
    FUNCTIONS,
    QUEUES,
    RESOURCES,
    ROLES,
    ROOT,
    TEMPLATE,
    chosen,
    of_type,
)

NO_RESOURCE_LEVEL = {"dynamodb:ListStreams"}
"""Actions that AWS can only allow on everything."""


_OF_ONE_PREFIX = ("s3:", "scheduler:")


every_function = pytest.mark.parametrize("name", FUNCTIONS)


every_role = pytest.mark.parametrize("name", ROLES)


def statements(role: str) -> Iterator[Mapping[str, Any]]:
    for policy in ROLES[role]["Policies"]:
        yield from chosen(policy)["PolicyDocument"]["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@every_function
def test_a_function_is_named_after_its_folder(name: str) -> None:
    words = FUNCTIONS[name]["CodeUri"].removeprefix("functions/").split("_")
    assert name == "".join(word.capitalize() for word in words) + "Function"
    assert (ROOT / FUNCTIONS[name]["CodeUri"] / "app.py").is_file()


@every_function
def test_a_function_has_a_role_of_its_own(name: str) -> None:
    role = {"GetAtt": f"{name.removesuffix('Function')}Role.Arn"}
    assert FUNCTIONS[name]["Role"] == role
    assert [f["Role"] for f in FUNCTIONS.values()].count(role) == 1


@every_function
def test_a_function_has_a_log_group_that_forgets(name: str) -> None:
    group = f"{name.removesuffix('Function')}LogGroup"
    assert FUNCTIONS[name]["LoggingConfig"] == {"LogGroup": {"Ref": group}}
    assert RESOURCES[group]["Properties"]["RetentionInDays"] <= 30


@every_function
def test_a_function_has_a_failure_destination(name: str) -> None:
    assert FUNCTIONS[name]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]


FAILED = '{ ($.type = "platform.report" && $.record.status != "success") || $.errorType = * }'
"""What Lambda logs of an invocation that failed: its report, and the error that nobody caught.
Sources: Lambda developer guide, "Telemetry API event schema reference" (platform.report), and
awslambdaric, ``lambda_runtime_log_utils`` (errorType)."""


@every_function
def test_a_function_has_an_alarm_for_its_errors(name: str) -> None:
    # By its log: an alarm of each function, or on the sum of all, is charged for each of them.
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]
    filters = [
        one
        for one in of_type("AWS::Logs::MetricFilter").values()
        if (one["LogGroupName"], one["FilterPattern"]) == (group, FAILED)
    ]
    counted = [one["MetricTransformations"] for one in filters]
    alarm = of_type("AWS::CloudWatch::Alarm")["FunctionFailuresAlarm"]
    metric = {"MetricNamespace": alarm["Namespace"], "MetricName": alarm["MetricName"]}
    assert counted == [[{**metric, "MetricValue": "1"}]]
    assert "Dimensions" not in alarm
    logging = TEMPLATE["Globals"]["Function"]["LoggingConfig"]
    assert logging == {"LogFormat": "JSON", "SystemLogLevel": "WARN"}


@every_function
def test_an_event_source_of_a_function_reports_partial_failures_and_leaves_its_failures_somewhere(
    name: str,
) -> None:
    for event in FUNCTIONS[name].get("Events", {}).values():
        properties = event.get("Properties", {})
        match event["Type"]:
            case "SQS":
                assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
                queue = properties["Queue"]["GetAtt"].removesuffix(".Arn")
                assert QUEUES[queue]["RedrivePolicy"]
            case "DynamoDB":
                assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
                assert properties["BisectBatchOnFunctionError"] is True
                assert properties["MaximumRetryAttempts"] >= 0
                assert properties["DestinationConfig"]["OnFailure"]
            case "SNS":
                assert properties["RedrivePolicy"]


@every_role
def test_a_policy_names_its_actions_and_resources_without_wildcards(name: str) -> None:
    for statement in statements(name):
        actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
        assert not any("*" in action for action in actions), statement["Sid"]
        if not NO_RESOURCE_LEVEL.issuperset(actions):
            assert "*" not in resources, statement["Sid"]


@every_role
def test_a_wildcard_within_a_resource_is_only_for_objects_of_one_prefix_or_schedules_of_one_group(
    name: str,
) -> None:
    for statement in statements(name):
        if statement["Action"] == "ses:SendEmail":
            continue
        for resource in as_list(statement["Resource"]):
            text = str(resource)
            if "*" in text and text != "*":
                assert all(a.startswith(_OF_ONE_PREFIX) for a in as_list(statement["Action"]))
                assert text.rstrip("}'").endswith("/*")


@every_role
def test_whoever_sends_mails_sends_them_from_the_senders_address_alone(name: str) -> None:
    # Not by the identity: in its sandbox SES checks the recipient's identity too.
    for statement in statements(name):
        if any(action.startswith("ses:") for action in as_list(statement["Action"])):
            assert statement["Action"] == "ses:SendEmail"
            assert statement["Condition"] == {
                "StringEquals": {"ses:FromAddress": {"Ref": "SenderAddress"}}
            }


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_is_encrypted(name: str) -> None:
    assert QUEUES[name]["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("name", of_type("AWS::DynamoDB::Table"))
def test_a_table_is_encrypted_with_the_key_that_is_not_charged(name: str) -> None:
    """DynamoDB has no table that isn't encrypted; docs/decisions/0053."""
    assert RESOURCES[name]["Properties"]["SSESpecification"] == {"SSEEnabled": False}


@pytest.mark.parametrize("name", ["OrdersTable", "NoticesTable", "FiguresTable", "SearchTable"])
def test_a_table_that_matters_is_kept_protected_and_recoverable(name: str) -> None:
    table = RESOURCES[name]
    assert table["UpdateReplacePolicy"] == "Retain"
    # Not by the stage: the tables of a first deployment that fails have to be deleted again.
    assert table["Properties"]["DeletionProtectionEnabled"] == {"If": ["IsProtected", True, False]}
    recovery = table["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] == {"If": ["IsRecoverable", True, False]}


RETRY_SECONDS: int = TEMPLATE["Parameters"]["RetrySeconds"]["Default"]


DEFAULT_TIMEOUT: int = TEMPLATE["Globals"]["Function"]["Timeout"]


def visibility_timeout(queue: str) -> int:
    """In seconds, of a stack that is not the local one."""
    value = QUEUES[queue]["VisibilityTimeout"]
    if value == {"Ref": "RetrySeconds"}:
        return RETRY_SECONDS
    condition, _, deployed = value["If"]
    assert condition == "IsLocal"
    return int(deployed)


@pytest.mark.parametrize("name", ["SendNoticeFunction", "CallEndpointFunction"])
def test_a_claim_ends_after_its_holder_and_before_the_message_comes_back(name: str) -> None:
    timeout = FUNCTIONS[name].get("Timeout", DEFAULT_TIMEOUT)
    (source,) = FUNCTIONS[name]["Events"].values()
    queue = source["Properties"]["Queue"]["GetAtt"].removesuffix(".Arn")
    assert timeout < CLAIM.total_seconds() < visibility_timeout(queue)


FOR_ONE = re.compile(r"^FOR_ONE: Final = timedelta\(seconds=(\d+)\)$", re.MULTILINE)


@pytest.mark.parametrize("name", ["SendNotice", "CallEndpoint", "TrackDelivery", "RecordReport"])
def test_a_function_has_time_for_a_message_when_it_starts(name: str) -> None:
    function = FUNCTIONS[f"{name}Function"]
    source = (ROOT / function["CodeUri"] / "app.py").read_text()
    (seconds,) = FOR_ONE.findall(source)
    timeout = function.get("Timeout", DEFAULT_TIMEOUT)
    assert int(seconds) <= 0.8 * timeout
    (mapping,) = function["Events"].values()
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    queue = mapping["Properties"]["Queue"]["GetAtt"].removesuffix(".Arn")
    assert timeout <= visibility_timeout(queue)


def test_what_became_of_a_mail_is_known_before_its_message_comes_back() -> None:
    sent_by = FUNCTIONS["SendNoticeFunction"]["Timeout"]
    known_after = LOGGED_WITHIN.total_seconds() + visibility_timeout("MailEventsQueue")
    assert sent_by + known_after < visibility_timeout("EmailQueue")
    assert known_after < NEWS_WITHIN.total_seconds() <= LONGEST_DELAY.total_seconds()


def test_a_planned_action_is_over_before_it_can_be_called_off_again() -> None:
    assert FUNCTIONS["PerformActionFunction"]["Timeout"] < RUN_WITHIN.total_seconds()


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_private_encrypted_and_reached_by_tls_alone(name: str) -> None:
    bucket = RESOURCES[name]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]
    denied = [
        statement
        for policy in of_type("AWS::S3::BucketPolicy").values()
        if policy["Bucket"] == {"Ref": name}
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert [statement["Effect"] for statement in denied] == ["Deny"]


@pytest.mark.parametrize(
    ("kind", "policy", "members"),
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ],
)
def test_queues_and_topics_are_reached_by_tls_alone(kind: str, policy: str, members: str) -> None:
    policies = of_type(policy).values()
    named = [one["Ref"] for each in policies for one in each[members]]
    assert sorted(named) == sorted(of_type(kind)), "one policy each: the last one is what counts"
    for each in policies:
        (denied,) = [s for s in each["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert denied["Principal"] == "*"


def test_topics_are_encrypted_unless_that_would_shut_out_who_publishes() -> None:
    open_ones = {n for n, one in of_type("AWS::SNS::Topic").items() if "KmsMasterKeyId" not in one}
    assert open_ones == {"AlarmsTopic", "MailEventsTopic"}
    for name in open_ones:
        (why,) = RESOURCES[name]["Metadata"]["checkov"]["skip"]
        assert why["comment"]


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_a_log_group_forgets(name: str) -> None:
    assert RESOURCES[name]["Properties"]["RetentionInDays"] <= 30


def test_the_api_is_throttled() -> None:
    (api,) = of_type("AWS::Serverless::HttpApi").values()
    assert api["DefaultRouteSettings"]["ThrottlingRateLimit"]
    assert api["DefaultRouteSettings"]["ThrottlingBurstLimit"]


def test_every_route_without_a_token_has_a_throttle_of_its_own() -> None:
    events = [one for function in FUNCTIONS.values() for one in function.get("Events", {}).values()]
    routes = [one["Properties"] for one in events if one["Type"] == "HttpApi"]
    open_routes = {
        f"{one['Method']} {one['Path']}"
        for one in routes
        if one.get("Auth", {}).get("Authorizer") == "NONE"
    }
    [api] = of_type("AWS::Serverless::HttpApi").values()
    assert open_routes
    assert api["RouteSettings"].keys() == open_routes
    assert all(one["ThrottlingRateLimit"] <= 1000 for one in api["RouteSettings"].values())


def test_a_service_takes_a_role_for_this_account_alone() -> None:
    for name, role in ROLES.items():
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            if statement["Principal"] != {"Service": "lambda.amazonaws.com"}:
                of_account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
                assert statement["Condition"] == of_account, name


def test_a_queue_hands_out_no_more_at_once_than_its_ceiling() -> None:
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                assert 2 <= event["Properties"]["ScalingConfig"]["MaximumConcurrency"] <= 20


def test_entries_of_the_activity_log_can_only_be_put_and_queried() -> None:
    allowed = {
        action
        for role in ROLES
        for statement in statements(role)
        if "ActivityTable" in str(statement["Resource"])
        for action in as_list(statement["Action"])
    }
    assert allowed == {"dynamodb:PutItem", "dynamodb:Query"}
    policy = RESOURCES["ActivityTable"]["Properties"]["ResourcePolicy"]["PolicyDocument"]
    (denied,) = policy["Statement"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert {"dynamodb:DeleteItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"} <= set(
        denied["Action"]
    )
