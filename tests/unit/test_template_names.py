"""The template's names: two stacks fit into one account."""

import pytest

from tests.template import (
    FUNCTIONS,
    RESOURCES,
)

NAMED_BY = {
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Scheduler::ScheduleGroup": "Name",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::SES::ConfigurationSet": "Name",
    "AWS::Cognito::UserPool": "UserPoolName",
    "AWS::Cognito::UserPoolDomain": "Domain",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::SSM::Parameter": "Name",
}
"""The property that gives a resource a name of its own; without it AWS makes one up."""


NAMELESS = {
    *("AWS::ApiGatewayV2::ApiMapping", "AWS::ApiGatewayV2::DomainName"),
    *("AWS::Cognito::ManagedLoginBranding", "AWS::Cognito::UserPoolClient"),
    *(
        "AWS::Cognito::UserPoolGroup",
        "AWS::IAM::RolePolicy",
        "AWS::Logs::MetricFilter",
        "AWS::S3::BucketPolicy",
    ),
    *("AWS::SES::ConfigurationSetEventDestination", "AWS::SNS::Subscription"),
    *("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::Serverless::HttpApi"),
}
"""Types whose resources have an id that AWS makes, or a name within another resource."""


NAMED_BY_SAM = {"AWS::Serverless::LayerVersion": "LayerName"}
"""Without it SAM takes the logical id, which two stacks share."""


SCHEDULES = {
    f"{name} {event}": properties["Properties"]
    for name, function in FUNCTIONS.items()
    for event, properties in function.get("Events", {}).items()
    if properties["Type"] in {"Schedule", "ScheduleV2"}
}


@pytest.mark.parametrize("name", [n for n, one in RESOURCES.items() if one["Type"] in NAMED_BY])
def test_a_name_holds_the_stacks_name_so_that_two_stacks_fit_into_one_account(name: str) -> None:
    given = RESOURCES[name].get("Properties", {}).get(NAMED_BY[RESOURCES[name]["Type"]])
    assert given is None or "${AWS::StackName}" in given["Sub"]


@pytest.mark.parametrize("name", [n for n, one in RESOURCES.items() if one["Type"] in NAMED_BY_SAM])
def test_what_sam_would_name_by_its_logical_id_has_the_stacks_name(name: str) -> None:
    given = RESOURCES[name]["Properties"][NAMED_BY_SAM[RESOURCES[name]["Type"]]]
    assert given["Sub"].startswith("${AWS::StackName}-")


def test_every_type_of_the_template_is_known_to_have_a_name_or_none() -> None:
    # A new type is looked up first: CloudFormation's reference says what its physical id is.
    types = {one["Type"] for one in RESOURCES.values()}
    assert types - NAMED_BY.keys() - NAMED_BY_SAM.keys() <= NAMELESS


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_has_the_stacks_name_group_and_role(name: str) -> None:
    # Without a name SAM takes the logical id, in the default group that all stacks share.
    schedule = SCHEDULES[name]
    assert schedule["Name"]["Sub"].startswith("${AWS::StackName}-")
    assert schedule["GroupName"] == {"Ref": "Schedules"}
    assert schedule["RoleArn"] == {"GetAtt": "SchedulesRole.Arn"}
