"""CloudFormation uses the permissions of its caller, as on AWS.

ministack 1.5.33 checks the calls of `sam deploy` alone, and makes every resource in nobody's name.
Here each resource is made, changed and removed only if the caller may do what CloudFormation does
for its type: the actions of the type's own schema, on the name that AWS would give. What the role
of the deployer was checked for is written to ``RECORD``. The account's root may do everything.
Source: AWS CloudFormation user guide, "Control CloudFormation access with IAM".
"""

import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from local.deployer_policy import BESIDE, UNUSED, handlers_of, permissions_of

DEPLOYER: Final = "milepost-deployer"
"""The role of docs/deploy.md."""
RECORD: Final = "rights.jsonl"
"""In the emulator's scratch folder: a line for each check of the deployer's role."""
_RANDOM: Final = "1A2B3C4D5E6F"
_is_of_resource: Final[ContextVar[bool]] = ContextVar("is_of_resource", default=False)

_ARNS: Final[Mapping[str, tuple[str, str]]] = {
    "AWS::ApiGatewayV2": ("arn:aws:apigateway:{region}::/apis/{name}", "Name"),
    "AWS::CloudWatch::Alarm": ("arn:aws:cloudwatch:{region}:{account}:alarm:{name}", "AlarmName"),
    "AWS::CloudWatch::Dashboard": (
        "arn:aws:cloudwatch::{account}:dashboard/{name}",
        "DashboardName",
    ),
    "AWS::Cognito": (
        "arn:aws:cognito-idp:{region}:{account}:userpool/{region}_{name}",
        "UserPoolId",
    ),
    "AWS::DynamoDB": ("arn:aws:dynamodb:{region}:{account}:table/{name}", "TableName"),
    "AWS::Events": ("arn:aws:events:{region}:{account}:rule/{name}", "Name"),
    "AWS::Events::EventBus": ("arn:aws:events:{region}:{account}:event-bus/{name}", "Name"),
    "AWS::IAM": ("arn:aws:iam::{account}:role/{name}", "RoleName"),
    "AWS::Lambda": ("arn:aws:lambda:{region}:{account}:function:{name}", "FunctionName"),
    "AWS::Lambda::LayerVersion": (
        "arn:aws:lambda:{region}:{account}:layer:{name}",
        "LayerName",
    ),
    "AWS::Lambda::EventSourceMapping": (
        "arn:aws:lambda:{region}:{account}:event-source-mapping:{name}",
        "",
    ),
    "AWS::Logs": ("arn:aws:logs:{region}:{account}:log-group:{name}", "LogGroupName"),
    "AWS::S3::Bucket": ("arn:aws:s3:::{name}", "BucketName"),
    "AWS::S3::BucketPolicy": ("arn:aws:s3:::{name}", "Bucket"),
    "AWS::Scheduler::ScheduleGroup": (
        "arn:aws:scheduler:{region}:{account}:schedule-group/{name}",
        "Name",
    ),
    "AWS::Scheduler::Schedule": (
        "arn:aws:scheduler:{region}:{account}:schedule/{group}/{name}",
        "Name",
    ),
    # CloudFormation leaves the stack out of a secret's name.
    "AWS::SecretsManager": (
        "arn:aws:secretsmanager:{region}:{account}:secret:{logical}-{name}",
        "",
    ),
    "AWS::SES": ("arn:aws:ses:{region}:{account}:configuration-set/{name}", "Name"),
    "AWS::SNS": ("arn:aws:sns:{region}:{account}:{name}", "TopicName"),
    "AWS::SQS": ("arn:aws:sqs:{region}:{account}:{name}", "QueueName"),
    "AWS::SSM": ("arn:aws:ssm:{region}:{account}:parameter{name}", "Name"),
    "AWS::StepFunctions": (
        "arn:aws:states:{region}:{account}:stateMachine:{name}",
        "StateMachineName",
    ),
}
"""By type, or by the first two parts of it: the ARN, and the property with the name."""
_SERVICES: Final = {
    "AWS::ApiGatewayV2": "apigateway",
    "AWS::Cognito": "cognito-idp",
    "AWS::StepFunctions": "states",
}
"""Prefixes of actions that are not the service's name in the type."""


class Check(NamedTuple):
    """One action of CloudFormation for a resource."""

    action: str
    resource: str
    context: Mapping[str, str]


def checks_of(
    kind: str,
    handler: str,
    *,
    logical_id: str,
    properties: Mapping[str, Any],
    stack: str,
    place: Mapping[str, str],
) -> Iterator[Check]:
    """The permissions that are needed to create, update or delete a resource.

    :param handler: ``create``, ``update`` or ``delete``; each is followed by a read
    :param place: ``region`` and ``account``
    """
    family = _family(kind)
    arn = arn_of(kind, logical_id=logical_id, properties=properties, stack=stack, place=place)
    service = _SERVICES.get(family, family.rpartition("::")[2].lower())
    wanted = permissions_of(kind, handler) | permissions_of(kind, "read")
    if kind == "AWS::ApiGatewayV2::Stage":
        wanted |= set(BESIDE[kind])
    for action in sorted(wanted):
        prefix = action.partition(":")[0]
        if action in UNUSED or prefix in UNUSED:
            continue
        if prefix == service:
            yield Check(action, arn, {})
        elif kind == "AWS::ApiGatewayV2::Stage" and prefix == "logs":
            yield Check(action, "*", {})
    if handler != "delete":
        yield from _beside(kind, properties, place)


def arn_of(
    kind: str,
    *,
    logical_id: str,
    properties: Mapping[str, Any],
    stack: str,
    place: Mapping[str, str],
) -> str:
    """The ARN of a resource, from its properties; names that AWS generates are generated in the
    same way.
    """
    pattern, naming = _ARNS.get(kind) or _ARNS[_family(kind)]
    group = properties.get("GroupName") or "default"
    name = properties.get(naming) or f"{stack}-{logical_id}-{_RANDOM}"
    if kind == "AWS::S3::Bucket":
        name = name.lower()
    return pattern.format(name=name, group=group, logical=logical_id, **place)


def _family(kind: str) -> str:
    return "::".join(kind.split("::")[:2])


def _beside(kind: str, properties: Mapping[str, Any], place: Mapping[str, str]) -> Iterator[Check]:
    """The requests to other services, depending on the properties."""
    role = properties.get("Role") or properties.get("Target", {}).get("RoleArn")
    if role:
        to = f"{kind.split('::')[1].lower()}.amazonaws.com"
        yield Check("iam:PassRole", str(role), {"iam:passedtoservice": to})
    code = properties.get("Code") or properties.get("Content") or {}
    if isinstance(code, Mapping) and code.get("S3Bucket"):
        yield Check("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}", {})
    if kind == "AWS::ApiGatewayV2::DomainName":
        service = "ops.apigateway.amazonaws.com"
        linked = f"role/aws-service-role/{service}/AWSServiceRoleForAPIGateway"
        arn = f"arn:aws:iam::{place['account']}:{linked}"
        yield Check("iam:CreateServiceLinkedRole", arn, {"iam:awsservicename": service})


def correct_ministack() -> None:
    """Check the caller's permissions for each resource, and record the checks of the deployer."""
    stacks: Any = importlib.import_module("ministack.services.cloudformation.stacks")
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    evaluator.evaluate = _recorded(evaluator.evaluate)
    evaluator.evaluate_resource_policy = _apart(evaluator.evaluate_resource_policy)
    require = partial(_require, evaluator)
    create, update, delete = (
        getattr(stacks, f"_{verb}_resource") for verb in ("provision", "update", "delete")
    )

    def provision_resource(kind: str, logical: str, properties: Any, stack: str) -> Any:
        require(kind, "create", logical_id=logical, properties=properties, stack=stack)
        return create(kind, logical, properties, stack)

    def update_resource(
        kind: str, physical: str, old: Any, new: Any, stack: str, *rest: Any, **named: Any
    ) -> Any:
        logical = str(rest[0] if rest else named.get("logical_id") or physical)
        if old != new:
            require(kind, "update", logical_id=logical, properties=new, stack=stack)
        return update(kind, physical, old, new, stack, *rest, **named)

    def delete_resource(
        kind: str, physical: str, properties: Any, stack: str = "", logical: str = ""
    ) -> Any:
        require(kind, "delete", logical_id=logical or physical, properties=properties, stack=stack)
        return delete(kind, physical, properties, stack, logical)

    stacks._provision_resource = provision_resource
    stacks._update_resource = update_resource
    stacks._delete_resource = delete_resource


def _require(
    evaluator: Any,
    kind: str,
    handler: str,
    *,
    logical_id: str,
    properties: Mapping[str, Any],
    stack: str,
) -> None:
    """:raises ValueError: if the caller lacks the permission, with CloudFormation's message"""
    caller = evaluator.caller_arn()
    kept, _, name = caller.rpartition(":")[2].partition("/")
    if kept == "root" or not handlers_of(kind):
        return
    responses: Any = importlib.import_module("ministack.core.responses")
    account, region = responses.get_account_id(), responses.get_region()
    policies = (
        evaluator._gather_user_policies(name, account)
        if kept == "user"
        else evaluator._gather_role_policies(name.partition("/")[0], account)
    )
    place = {"account": account, "region": region}
    for check in checks_of(
        kind, handler, logical_id=logical_id, properties=properties, stack=stack, place=place
    ):
        context = evaluator.EvalContext(
            principal_arn=caller,
            principal_type="AssumedRole",
            principal_account=account,
            action=check.action,
            resource_arn=check.resource,
            region=region,
            service_context=dict(check.context),
        )
        if evaluator.evaluate(context, policies).decision != "Allow":
            raise ValueError(
                f"User: {caller} is not authorized to perform: {check.action} "
                f"on resource: {check.resource}"
            )


def _apart(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """Mark evaluations of policies of buckets and queues, which use the same function but aren't
    the role's policies.
    """

    def evaluate_apart(*arguments: Any, **named: Any) -> Any:
        token = _is_of_resource.set(True)
        try:
            return evaluate(*arguments, **named)
        finally:
            _is_of_resource.reset(token)

    return evaluate_apart


def _recorded(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    path = Path(os.environ.get("TMPDIR", ".")) / RECORD

    def evaluate_and_record(context: Any, *policies: Any) -> Any:
        result = evaluate(context, *policies)
        is_deployer = f":assumed-role/{DEPLOYER}/" in context.principal_arn
        if is_deployer and not _is_of_resource.get():
            line = {
                "action": context.action,
                "resource": context.resource_arn,
                "context": context.service_context,
                "statement": result.matched_sid,
                "decision": result.decision,
            }
            with path.open("a") as record:
                record.write(json.dumps(line) + "\n")
        return result

    return evaluate_and_record
