"""Two stacks in one account: nothing collides, and nothing of one is another's."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from local.deployment import Deployment
from local.emulator_access import Access
from local.emulator_corrections.cloudformation import DEPLOYER
from local.errors import CannotStart
from milepost.aws.dynamodb_items import from_item
from tests.e2e.account import Account, running_account, webhook
from tests.e2e.conftest import status_changed, wait_for
from tests.e2e.deployer import (
    NOT_SHOWN,
    POLICY,
    QUEUE_ALONE,
    unused_actions,
    unused_resources,
    unused_statements,
    without,
)

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

NAMES: Final = ("milepost-dev", "milepost-prod")
EVERYTHING: Final = {"WithDashboard": "true", "WithEventBus": "true"}
"""Parameters for every resource but those of a domain."""
OF_THE_ACCOUNT: Final = {("AWS/Lambda", "Throttles"), ("AWS/SES", "Reputation.BounceRate")} | {
    ("AWS/SES", "Reputation.ComplaintRate")
}
"""Metrics that AWS has once an account: docs/deploy.md, "Limits", says so."""
NOT_OF_THE_ACCOUNT: Final = frozenset(
    {
        "AWS::ApiGatewayV2::Stage",
        "AWS::Cognito::UserPoolGroup",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::Logs::MetricFilter",
        "AWS::SES::ConfigurationSetEventDestination",
    }
)
"""Types whose physical id is a name within another resource."""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("two-stacks")) as running:
        yield running


@pytest.fixture(scope="module")
def deployer(account: Account) -> Access:
    """Somebody with exactly the rights of docs/deployer-policy.json."""
    return account.assume(DEPLOYER, policy=POLICY)


@pytest.fixture(scope="module")
def stacks(account: Account, deployer: Access) -> Mapping[str, Deployment]:
    """The stacks of stages dev and prod, with the same connection in both."""
    deployed = {
        name: account.deploy(
            name,
            settings={"StageName": name.removeprefix("milepost-"), **EVERYTHING},
            deployer=deployer,
        )
        for name in NAMES
    }
    for name in NAMES:
        account.connect(name)
    return deployed


def test_a_deployment_fails_when_the_policy_lacks_a_statement(
    account: Account, tmp_path: Path
) -> None:
    """First in this module; it goes on with the whole policy."""
    (path := tmp_path / "template.json").write_text(json.dumps(QUEUE_ALONE))
    for sid, refused in (("Sqs", "sqs:CreateQueue"), ("Stacks", "cloudformation:")):
        lacking = account.assume(DEPLOYER, policy=without(sid))
        with pytest.raises(CannotStart):
            account.deploy("milepost-try", template=path, deployer=lacking)
        denied = {
            check["action"]
            for check in account.checked_for_deployer()
            if check["decision"] != "Allow"
        }
        assert any(one.startswith(refused) for one in denied), denied
    account.forget_refusals()


def functions_of(stack: Deployment) -> list[str]:
    return [stack.resources[n] for n, one in stack.types.items() if one == "AWS::Lambda::Function"]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def test_no_resource_of_one_is_another_ones(stacks: Mapping[str, Deployment]) -> None:
    dev, prod = (stacks[name] for name in NAMES)
    shared = {
        name
        for name, physical in dev.resources.items()
        if dev.types[name] not in NOT_OF_THE_ACCOUNT and physical in prod.resources.values()
    }
    assert shared == set()
    assert dev.resources.keys() - prod.resources.keys() == set()


def test_each_layer_has_the_stacks_name(stacks: Mapping[str, Deployment]) -> None:
    for name, stack in stacks.items():
        layers = [
            stack.resources[one]
            for one, kind in stack.types.items()
            if kind == "AWS::Lambda::LayerVersion"
        ]
        assert len(layers) == 2
        assert all(f":layer:{name}-" in layer for layer in layers)


def test_no_function_is_set_to_anything_of_the_other_stack(
    account: Account, stacks: Mapping[str, Deployment]
) -> None:
    functions = account.client("lambda")
    for name, other in (NAMES, NAMES[::-1]):
        for function in functions_of(stacks[name]):
            settings = functions.get_function_configuration(FunctionName=function)
            said = " ".join(texts(settings))
            assert name in said
            assert other not in said


def test_no_alarm_watches_what_belongs_to_both(
    account: Account, stacks: Mapping[str, Deployment]
) -> None:
    watched = {name: metrics_of(account, stack) for name, stack in stacks.items()}
    shared = watched[NAMES[0]] & watched[NAMES[1]]
    assert watched[NAMES[0]] - shared
    assert {(namespace, metric) for namespace, metric, _ in shared} <= OF_THE_ACCOUNT


def metrics_of(account: Account, stack: Deployment) -> set[tuple[str, str, str]]:
    """What the stack's own alarms watch."""
    alarms = account.client("cloudwatch").get_paginator("describe_alarms").paginate()
    own = set(stack.resources.values())
    return {
        (one["Namespace"], one["MetricName"], json.dumps(one["Dimensions"], sort_keys=True))
        for page in alarms
        for one in page["MetricAlarms"]
        if one["AlarmName"] in own
    }


def test_no_role_may_do_anything_to_the_other_stack(
    account: Account, stacks: Mapping[str, Deployment]
) -> None:
    for name, other in (NAMES, NAMES[::-1]):
        targets = arns_of(stacks[other])
        for role in roles_of(stacks[name]):
            for pattern in resources_allowed(account, role):
                reached = [one for one in targets if fnmatchcase(one, pattern)]
                assert not reached, (role, pattern)


def roles_of(stack: Deployment) -> list[str]:
    return [stack.resources[n] for n, one in stack.types.items() if one == "AWS::IAM::Role"]


def resources_allowed(account: Account, role: str) -> Iterator[str]:
    """Every resource that the role's statements name; `*` where AWS knows nothing narrower."""
    iam = account.client("iam")
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            named = statement["Resource"]
            for one in [named] if isinstance(named, str) else named:
                if one != "*":
                    yield one


def arns_of(stack: Deployment) -> list[str]:
    """What policies may name of a stack: its ARNs, and those that are made of its names."""
    made = "arn:aws:{service}:eu-central-1:000000000000:{kind}{id}"
    forms = {
        "AWS::DynamoDB::Table": ("dynamodb", "table/"),
        "AWS::Lambda::Function": ("lambda", "function:"),
        "AWS::Logs::LogGroup": ("logs", "log-group:"),
        "AWS::Scheduler::ScheduleGroup": ("scheduler", "schedule/"),
    }
    found = [f"arn:aws:ssm:eu-central-1:000000000000:parameter{stack.outputs['ConnectionsPath']}/x"]
    for name, physical in stack.resources.items():
        kind = stack.types[name]
        if kind in forms:
            service, prefix = forms[kind]
            arn = made.format(service=service, kind=prefix, id=physical)
            found += [arn, f"{arn}/x", f"{arn}:x"]
        elif kind == "AWS::SQS::Queue":
            queue = physical.rpartition("/")[2]
            found.append(made.format(service="sqs", kind="", id=queue))
        elif kind == "AWS::S3::Bucket":
            found += [f"arn:aws:s3:::{physical}", f"arn:aws:s3:::{physical}/quarantine/x"]
        elif physical.startswith("arn:"):
            found.append(physical)
    return found


def test_each_schedule_and_secret_is_of_one_stack(
    account: Account, stacks: Mapping[str, Deployment]
) -> None:
    schedules = account.client("scheduler").list_schedules()["Schedules"]
    groups = [one["GroupName"] for one in schedules]
    for name in NAMES:
        mine = [group for group in groups if group in stacks[name].resources.values()]
        assert len(mine) >= 3
    assert set(groups) <= {id for stack in stacks.values() for id in stack.resources.values()}
    secrets = account.client("secretsmanager").list_secrets()["SecretList"]
    assert all(sum(one["Name"].startswith(f"{n}-") for n in NAMES) == 1 for one in secrets)


def test_an_order_is_recorded_and_announced_in_its_own_stack_alone(
    account: Account, stacks: Mapping[str, Deployment]
) -> None:
    order_ids = {name: f"ord-{uuid4().hex[:10]}" for name in NAMES}
    for name, order_id in order_ids.items():
        event = json.dumps(status_changed(order_id, "accepted")).encode()
        answer = account.client("lambda").invoke(
            FunctionName=stacks[name].find_id("ReceiveWebhookFunction"),
            Payload=json.dumps(webhook(event, delivery_id=f"msg_{order_id}")),
        )
        assert json.loads(answer["Payload"].read())["statusCode"] == 202
    for name, order_id in order_ids.items():
        wait_for(
            lambda name=name, order_id=order_id: order_id in notices_of(account, stacks[name]),  # type: ignore[misc]
            what=f"the notice of {name}",
            seconds=120,
        )
    for name, order_id in order_ids.items():
        orders = items(account, stacks[name], "OrdersTable")
        assert {one["order_id"] for one in orders if "order_id" in one} == {order_id}
        said = notices_of(account, stacks[name])
        assert not any(other in said for other in order_ids.values() if other != order_id)


def notices_of(account: Account, stack: Deployment) -> str:
    return json.dumps(items(account, stack, "NoticesTable"), default=str)


def items(account: Account, stack: Deployment, table: str) -> list[dict[str, Any]]:
    answer = account.client("dynamodb").scan(TableName=stack.find_id(table))
    return [from_item(item) for item in answer["Items"]]


def test_each_metric_is_in_the_namespace_of_its_stack(
    account: Account, stacks: Mapping[str, Deployment]
) -> None:
    for name in NAMES:
        refused = webhook(b"{}", delivery_id=f"msg_{uuid4().hex}")
        refused["headers"]["webhook-signature"] = "v1,bm90IG91cnM="  # A refusal is counted.
        answer = account.client("lambda").invoke(
            FunctionName=stacks[name].find_id("ReceiveWebhookFunction"),
            Payload=json.dumps(refused),
        )
        assert json.loads(answer["Payload"].read())["statusCode"] == 401
    for name in NAMES:
        wait_for(
            lambda name=name: namespaces_of(account, stacks[name]),  # type: ignore[misc]
            what=f"a metric of {name}",
            seconds=30,
        )
        assert namespaces_of(account, stacks[name]) == {f"Milepost/{name}"}


def namespaces_of(account: Account, stack: Deployment) -> set[str]:
    """Those of all metrics that receive_webhook has written."""
    group = f"/aws/lambda/{stack.find_id('ReceiveWebhookFunction')}"
    lines = account.client("logs").filter_log_events(logGroupName=group)["events"]
    return {m for one in lines for m in re.findall(r'"Namespace": ?"([^"]+)"', one["message"])}


def test_a_second_deployment_protects_the_tables(
    account: Account, stacks: Mapping[str, Deployment], deployer: Access
) -> None:
    settings = {"StageName": "prod", **EVERYTHING, "DeletionProtection": "true"}
    prod = account.deploy("milepost-prod", settings=settings, deployer=deployer)
    assert prod.resources == stacks["milepost-prod"].resources
    table = account.client("dynamodb").describe_table(TableName=prod.find_id("OrdersTable"))
    assert table["Table"]["DeletionProtectionEnabled"] is True


def test_a_stack_that_is_deleted_takes_nothing_of_the_other_with_it(
    account: Account, stacks: Mapping[str, Deployment], deployer: Access
) -> None:
    """The last but one in this module."""
    cloudformation = account.client("cloudformation")
    deployer.client("cloudformation").delete_stack(StackName="milepost-dev")
    wait_for(
        lambda: "milepost-dev" not in standing(cloudformation), what="the deletion", seconds=120
    )
    prod = stacks["milepost-prod"]
    for function in functions_of(prod):
        account.client("lambda").get_function_configuration(FunctionName=function)
    assert items(account, prod, "OrdersTable")
    assert account.client("sqs").get_queue_attributes(QueueUrl=prod.find_id("InboxQueue"))
    assert metrics_of(account, prod)


def test_the_deployers_policy_has_all_that_was_needed_and_nothing_else(
    account: Account, stacks: Mapping[str, Deployment]
) -> None:
    """Last in this module: after deployments, an update and a removal."""
    checks = account.checked_for_deployer()
    assert [one for one in checks if one["decision"] != "Allow"] == []
    unused = unused_statements(checks) | unused_actions(checks) | unused_resources(checks)
    assert unused == NOT_SHOWN.keys()


def standing(cloudformation: Any) -> set[str]:
    found = cloudformation.describe_stacks()["Stacks"]
    return {one["StackName"] for one in found if one["StackStatus"] != "DELETE_COMPLETE"}
