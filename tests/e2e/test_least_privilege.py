"""With IAM enforced: each statement of a policy opens something, and nothing else is open.

That the functions really ask for all of it is in tests/integration/test_policies_match_calls.py.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config

from local.stack import Stack
from tests.e2e.conftest import HOME, Client, status_changed, wait_for
from tests.e2e.probes import Asked, actions_on, can_be_asked, is_refused
from tests.stack import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

Statement = Mapping[str, Any]
FUNCTIONS: Final = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
NOT_TRIED: Final = frozenset(
    {"FindTheStream", "LetSchedulesStartActions", "LetSchedulesStartIt", "ReadTheStream"}
    | {"WriteItsLogs"}
)
"""What the emulator decides otherwise: it reads streams and writes logs in nobody's name, and lets
anyone hand a role to a schedule. See decision 7 in docs/decisions."""
KINDS: Final = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{id}",
    "AWS::S3::Bucket": "arn:aws:s3:::{id}",
    "AWS::SNS::Topic": "{id}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{last}",
    "AWS::Scheduler::ScheduleGroup": "arn:aws:scheduler:{region}:{account}:schedule/{id}/one",
    "AWS::SecretsManager::Secret": "{id}",
}
SERVICES: Final = frozenset(
    {"dynamodb", "lambda", "s3", "scheduler", "secretsmanager", "sns", "sqs"}
)
FOLDERS: Final = ("quarantine", "aws/lambda", "digests", "exports", "index", "another")
"""Under which a bucket's objects are tried."""


@dataclass
class Caller:
    """A role with a function's policy and no other, whose statements can be taken away.

    Not the function's own role: its function goes on working for the other tests.
    """

    stack: Stack
    function: str

    def __post_init__(self) -> None:
        self.iam = self.stack.client("iam")
        name = f"{self.stack.stack_name}-{self.function.replace('_', '-')}"
        settings = self.stack.client("lambda").get_function_configuration(FunctionName=name)
        self.statements = statements_of(self.iam, settings["Role"].rpartition("/")[2])
        self.role = f"{name}-tried"
        self.clients = cache(self._client)

    def __enter__(self) -> "Caller":
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": self._root}}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        role = self.iam.create_role(
            RoleName=self.role, AssumeRolePolicyDocument=json.dumps(document)
        )["Role"]
        self.allow(self.statements)
        assumed = self.stack.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="tried")
        self.credentials = assumed["Credentials"]
        return self

    def __exit__(self, *_: object) -> None:
        self.iam.delete_role_policy(RoleName=self.role, PolicyName="all")
        self.iam.delete_role(RoleName=self.role)

    @property
    def _root(self) -> str:
        account = self.stack.client("sts").get_caller_identity()["Account"]
        return f"arn:aws:iam::{account}:root"

    def allow(self, statements: Sequence[Statement]) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.iam.put_role_policy(
            RoleName=self.role, PolicyName="all", PolicyDocument=json.dumps(document)
        )

    def may(self, asked: Asked) -> bool:
        return not is_refused(self.clients, asked)

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.stack.aws_endpoint_url,
            region_name=self.stack.region,
            aws_access_key_id=self.credentials["AccessKeyId"],
            aws_secret_access_key=self.credentials["SecretAccessKey"],
            aws_session_token=self.credentials["SessionToken"],
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )


def statements_of(iam: Any, role: str) -> list[Statement]:
    """All that the deployed role's policies state."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names
    ]
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    return [one for document in documents for one in document["Statement"]]


def uses(statement: Statement) -> Iterator[Asked]:
    """Every action on every resource that a statement names, as far as it can be tried."""
    sender = statement.get("Condition", {}).get("StringEquals", {}).get("ses:FromAddress")
    for action in as_list(statement["Action"]):
        for resource in as_list(statement["Resource"]):
            # Any identity, for in its sandbox SES checks the recipient's; but one sender alone.
            named = resource.removesuffix("*") + sender if sender else resource
            asked = Asked(action, named if resource.endswith("identity/*") else resource)
            if can_be_asked(asked):
                yield asked


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def is_stated(statements: Sequence[Statement], asked: Asked) -> bool:
    return any(
        asked.action in as_list(one["Action"])
        and any(fnmatchcase(asked.arn, pattern) for pattern in as_list(one["Resource"]))
        for one in statements
    )


@pytest.fixture
def caller(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Caller]:
    with Caller(stack, request.param) as made:
        yield made


@pytest.fixture(scope="session")
def everything(stack: Stack) -> list[str]:
    """The ARN of each resource of the stack that a function could want."""
    cloudformation = stack.client("cloudformation")
    described = cloudformation.describe_stack_resources(StackName=stack.stack_name)
    account = stack.client("sts").get_caller_identity()["Account"]
    found = []
    for one in described["StackResources"]:
        id, pattern = one["PhysicalResourceId"], KINDS.get(one["ResourceType"])
        if pattern is None:
            continue
        last = id.rpartition("/")[2]
        arn = pattern.format(region=stack.region, account=account, id=id, last=last)
        found += [arn, *parts_of(arn)]
    return found


def parts_of(arn: str) -> list[str]:
    """What of a resource is allowed apart from it: objects of a bucket, the indexes of tables."""
    if arn.startswith("arn:aws:s3:::"):
        return [f"{arn}/{folder}/*" for folder in FOLDERS]
    indexes = {"OrdersTable": "by_status", "NoticesTable": "by_state"}
    return [f"{arn}/index/{index}" for table, index in indexes.items() if table in arn]


each_function = pytest.mark.parametrize("caller", FUNCTIONS, indirect=True)


@each_function
def test_without_a_statement_what_it_allowed_is_refused(caller: Caller) -> None:
    for statement in caller.statements:
        if statement["Sid"] in NOT_TRIED:
            continue
        others = [one for one in caller.statements if one is not statement]
        own = [one for one in uses(statement) if not is_stated(others, one)]
        assert own, f"{statement['Sid']} allows nothing that another statement doesn't"
        caller.allow(others)
        assert [one for one in own if caller.may(one)] == [], statement["Sid"]
        caller.allow(caller.statements)
        assert [one for one in own if not caller.may(one)] == [], statement["Sid"]


@each_function
def test_a_function_sends_mails_from_no_other_address(caller: Caller) -> None:
    account = caller.stack.client("sts").get_caller_identity()["Account"]
    identity = f"arn:aws:ses:{caller.stack.region}:{account}:identity/somebody@example.org"
    assert not caller.may(Asked("ses:SendEmail", identity))


@each_function
def test_a_function_is_refused_what_is_not_its_own(caller: Caller, everything: list[str]) -> None:
    tried = [Asked(action, arn) for arn in everything for action in actions_on(arn)]
    allowed = {one for one in tried if caller.may(one)}
    assert allowed == {one for one in tried if is_stated(caller.statements, one)}
    assert {arn.split(":")[2] for arn in everything} == SERVICES


def test_a_worker_that_may_not_write_records_nothing_until_it_may_again(client: Client) -> None:
    iam, name = client.stack.client("iam"), f"{client.stack.stack_name}-record-report"
    settings = client.stack.client("lambda").get_function_configuration(FunctionName=name)
    role = settings["Role"].rpartition("/")[2]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    all_of_it = statements_of(iam, role)

    def put(statements: Sequence[Statement]) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))

    order, since = client.new_id(), time.time()
    put([one for one in all_of_it if one["Sid"] != "ReadAndWriteOrders"])
    try:
        client.send(HOME, status_changed(order, "accepted"))
        wait_for(lambda: was_refused(client, name, since=since), what="record_report to be refused")
        assert client.order(HOME, order, "item-1") is None
    finally:
        put(all_of_it)
    client.wait_for_status(HOME, order, "item-1", "accepted")


def was_refused(client: Client, function: str, *, since: float) -> bool:
    """Whether the function's log says that it may not."""
    pages = (
        client.stack.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{function}", startTime=int(since * 1000))
    )
    return any("AccessDenied" in one["message"] for page in pages for one in page["events"])
