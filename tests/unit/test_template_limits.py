"""What AWS refuses of a deployed stack, or stops, that no emulator does."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import pytest

from tests.physical import DeployedStack
from tests.template import FUNCTIONS, QUEUES, ROLES, TEMPLATE, chosen
from tests.transformed_template import of_type, resources

LONGEST_STAGE: Final = "a" * 24
LONGEST_REGION: Final = "ap-southeast-1"
LONGEST_DOMAIN: Final = f"milepost.{'d' * 40}.example.com"


@cache
def deployed() -> DeployedStack:
    """The stack with the longest names that `make deploy` takes."""
    return DeployedStack(
        resources=resources(),
        stack=f"milepost-{LONGEST_STAGE}",
        region=LONGEST_REGION,
        parameters={
            "StageName": LONGEST_STAGE,
            "SenderAddress": f"notices@{LONGEST_DOMAIN}",
            "DomainName": LONGEST_DOMAIN,
            "PublicUrl": f"https://{LONGEST_DOMAIN}",
            "ActivityDays": "3660",
            "ListShards": "8",
            "AllowPrivateEndpoints": "false",
            "TopicEnvelope": "cloudevents",
        },
    )


def size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_variables_of_a_function_fit_into_what_lambda_takes(name: str) -> None:
    # Source: AWS Lambda developer guide, "Lambda quotas": 4 KB, names and values together.
    variables = resources()[name]["Properties"]["Environment"]["Variables"]
    assert size(deployed().value(variables)) <= 4096


@pytest.mark.parametrize("name", ROLES)
def test_the_policies_of_a_role_fit_into_what_iam_takes(name: str) -> None:
    # Source: IAM user guide, "IAM and AWS STS quotas": all inline policies, without white space.
    policies = map(chosen, resources()[name]["Properties"].get("Policies", []))
    assert sum(size(deployed().value(one["PolicyDocument"])) for one in policies) <= 10_240


def test_the_domain_of_the_sign_in_pages_is_one_that_cognito_takes() -> None:
    # Source: Amazon Cognito user pools API reference, CreateUserPoolDomain.
    [domain] = of_type("AWS::Cognito::UserPoolDomain").values()
    assert len(deployed().value(domain["Properties"]["Domain"])) <= 63


def starts(function: str) -> Iterator[str]:
    """The functions that a function may start, itself or by a queue."""
    role = resources()[f"{function.removesuffix('Function')}Role"]["Properties"]
    statements = [
        statement
        for policy in map(chosen, role["Policies"])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    for statement in statements:
        actions, targets = str(statement["Action"]), str(statement["Resource"])
        if "lambda:InvokeFunction" in actions:
            yield from (one for one in FUNCTIONS if f"'{one}'" in targets)
        if "sqs:SendMessage" in actions:
            yield from (reader for queue, reader in readers().items() if f"'{queue}'" in targets)


def readers() -> Mapping[str, str]:
    """The function that reads each queue."""
    return {
        event["Properties"]["Queue"]["GetAtt"].removesuffix(".Arn"): name
        for name, function in FUNCTIONS.items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    }


def test_a_message_that_is_put_back_is_not_stopped_as_a_loop() -> None:
    # Lambda stops a function that has been started 16 times by one chain of messages and calls.
    # A mail waits longer than that for SES, and a batch takes longer.
    # Source: AWS Lambda developer guide, "Use Lambda recursive loop detection".
    reached = {name: set(starts(name)) for name in FUNCTIONS}
    for _ in FUNCTIONS:
        for name, found in reached.items():
            reached[name] = found.union(*(reached[one] for one in found))
    in_a_loop = {name for name, found in reached.items() if name in found}
    allowed = {n for n, one in FUNCTIONS.items() if one.get("RecursiveLoop") == "Allow"}
    assert (
        allowed
        == in_a_loop
        == {"SendNoticeFunction", "CallEndpointFunction"} | {"RunBatchesFunction"}
    )


def test_lambda_takes_each_queue_for_the_function_that_reads_it() -> None:
    # It refuses a queue whose visibility timeout is shorter than the function's.
    # Source: AWS Lambda developer guide, "Creating and configuring an Amazon SQS event source
    # mapping".
    parameter = TEMPLATE["Parameters"]["RetrySeconds"]
    of_parameter = []
    for queue, reader in readers().items():
        timeout = resources()[reader]["Properties"]["Timeout"]
        match QUEUES[queue]["VisibilityTimeout"]:
            case {"Ref": "RetrySeconds"}:
                of_parameter.append(timeout)
            case {"If": ["IsLocal", _, deployed]}:
                assert timeout <= deployed, queue
    assert max(of_parameter) <= parameter["Default"]
    assert f"longest function timeout is {max(of_parameter)} seconds" in parameter["Description"]
