"""The commands of docs/deploy.md and of other documents, each run on the emulator, in their order.

From an empty account to one that has nothing left. The AWS CLI runs them in a shell; `make deploy`
is the deployment with the parameters of its own line.
"""

import json
import urllib.request
from collections.abc import Iterator
from typing import Final

import pytest

from local.errors import CannotStart
from local.sandboxes.server import Sandboxes
from tests.deploy_guide.aws_cli import PYTHON, shell_with_aws
from tests.deploy_guide.documents import GUIDE, LEFT_OUT, Step, begins, other_documents, steps_of
from tests.deploy_guide.reader import CONNECTION, OPERATOR, RULES, STACK, Reader
from tests.e2e.account import running_account
from tests.signing import SECRET

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.thorough,
    pytest.mark.skipif(
        not PYTHON.exists(),
        reason="the AWS CLI is not installed: make .local/tools/awscli/.installed",
    ),
]

REFUSED: Final = {
    "aws cloudformation continue-update-rollback": "cannot be called from current stack status",
}
"""Commands that AWS refuses as well while nothing is wrong, by how they begin: what it says."""
_DECLARED: Final = f"""
connections:
  - id: {CONNECTION}
    provider: offergrid
    base_url: "%s"
    time_zone: Europe/Berlin
    poll: 15 minutes
    credentials: {{api_key: "%s"}}
    signing: {{secrets: ["{SECRET}"]}}
"""
_OF_A_FAILURE: Final = ("describe-stack-events", "delete-stack", "stack-delete-complete")
_FAILS: Final = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"StageName": {"Type": "String"}},
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "other"}}},
}
"""A template that the deployer's policy refuses: it allows no queue of this name."""


def in_order() -> list[Step]:
    """The guide's steps; after a failed deployment comes one that doesn't fail.

    Commands of other documents come before the stack is removed.
    """
    guide = [step for step in steps_of(GUIDE) if not step.text.startswith("export ")]
    first = next(at for at, step in enumerate(guide) if step.text.startswith("make deploy "))
    last = f"aws cloudformation delete-stack --stack-name {RULES}"
    removal = next(at for at, step in enumerate(guide) if step.text == last)
    failed = [step for step in guide[:removal] if any(word in step.text for word in _OF_A_FAILURE)]
    others = [step for path in other_documents() for step in steps_of(path) if "aws " in step.text]
    rest = [step for step in guide[first:removal] if step not in failed]
    return [*guide[:first], *failed, *rest, *others, *guide[removal:]]


STEPS: Final = in_order()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("guide")
    with running_account(tmp_path_factory.mktemp("account")) as account:
        variables = {
            "AWS_ENDPOINT_URL": account.access.endpoint_url,
            "AWS_REGION": account.access.region,
            "AWS_DEFAULT_REGION": account.access.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with shell_with_aws(folder, variables) as shell, Sandboxes() as sandboxes:
            made = Reader(account=account, shell=shell)
            made.prepare()
            provider = "offergrid-home"
            key = sandboxes.accounts[provider].connection.credentials["api_key"]
            url = sandboxes.url(provider)
            (folder / "connections.yaml").write_text(_DECLARED % (url, key))
            headers = {"content-type": "application/json"}
            order = urllib.request.Request(f"{url}/_sandbox/orders", b"{}", headers)
            urllib.request.urlopen(order).close()
            yield made


@pytest.mark.parametrize("step", [one for one in STEPS if not begins(one, LEFT_OUT)], ids=str)
def test_a_command_of_the_guides_works(reader: Reader, step: Step) -> None:
    if "describe-stack-events" in step.text:
        fail_to_deploy(reader)
    if "start-replay" in step.text:
        reader.read_rules()
    done = reader.follow(step)
    if "milepost doctor" in step.text:
        assert_well(done.stdout)
        return
    refusal = begins(step, REFUSED)
    if refusal:
        assert done.returncode
        assert REFUSED[refusal] in done.stderr
        return
    assert done.returncode == 0, f"{reader.fill(step.text)}\n{done.stdout}\n{done.stderr}"


def assert_well(said: str) -> None:
    """What doctor says is wrong is so: an alarm was set off, and ministack makes no routes."""
    lines = [line.split() for line in said.splitlines()]
    assert {line[1] for line in lines if line[:1] == ["fail"]} <= {"routes", "alarms"}, said
    assert ["ok", "sender"] in [line[:2] for line in lines]


def fail_to_deploy(reader: Reader) -> None:
    """A first deployment that fails."""
    template = reader.shell.folder / "fails.json"
    template.write_text(json.dumps(_FAILS))
    with pytest.raises(CannotStart):
        reader.account.deploy(STACK, template=template, deployer=reader.deployer())
    reader.account.forget_refusals()


def test_the_role_that_the_guide_makes_was_refused_nothing(reader: Reader) -> None:
    checks = reader.account.checked_for_deployer()
    assert [one for one in checks if one["decision"] != "Allow"] == []
    # Of a domain, which no other test deploys.
    assert "iam:CreateServiceLinkedRole" in {one["action"] for one in checks}


def test_nothing_of_the_stack_is_left_in_the_account(reader: Reader) -> None:
    """Last in this module."""
    left = {kind: sorted(names) for kind, names in everything(reader) if names}
    assert left == {
        "stacks": ["aws-sam-cli-managed-default"],
        "buckets": left.get("buckets"),
        "users": ["ada", OPERATOR],
    }
    assert all(name.startswith("aws-sam-cli-managed-default") for name in left["buckets"])


def everything(reader: Reader) -> Iterator[tuple[str, list[str]]]:
    """The names of what the guides' commands and the stacks have made, by kind."""
    client = reader.account.client
    yield (
        "stacks",
        [
            one["StackName"]
            for one in client("cloudformation").list_stacks()["StackSummaries"]
            if one["StackStatus"] != "DELETE_COMPLETE"
        ],
    )
    for kind, service, operation, member, name in KINDS:
        found = getattr(client(service), operation)()[member]
        yield kind, [one[name] if name else one for one in found]
    pools = client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
    yield "user pools", [one["Name"] for one in pools]


KINDS: Final = (
    ("alarms", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("APIs", "apigatewayv2", "get_apis", "Items", "Name"),
    ("buckets", "s3", "list_buckets", "Buckets", "Name"),
    ("certificates", "acm", "list_certificates", "CertificateSummaryList", "DomainName"),
    ("dashboards", "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("domains", "apigatewayv2", "get_domain_names", "Items", "DomainName"),
    (
        "event source mappings",
        "lambda",
        "list_event_source_mappings",
        "EventSourceMappings",
        "UUID",
    ),
    ("functions", "lambda", "list_functions", "Functions", "FunctionName"),
    ("log groups", "logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("parameters", "ssm", "describe_parameters", "Parameters", "Name"),
    ("providers", "iam", "list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn"),
    ("queues", "sqs", "list_queues", "QueueUrls", ""),
    ("roles", "iam", "list_roles", "Roles", "RoleName"),
    ("schedules", "scheduler", "list_schedules", "Schedules", "Name"),
    ("secrets", "secretsmanager", "list_secrets", "SecretList", "Name"),
    ("subscriptions", "sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("tables", "dynamodb", "list_tables", "TableNames", ""),
    ("topics", "sns", "list_topics", "Topics", "TopicArn"),
    ("users", "iam", "list_users", "Users", "UserName"),
)
"""Each kind: service, operation, the list in its answer, and what names one of the list."""
