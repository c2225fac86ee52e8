"""Derives the IAM policy for deploying the stack from the template: docs/deployer-policy.json.

CloudFormation acts with the rights of whoever deploys. What it calls for each type of resource is
in the type's schema (``handlers``), which cfn-lint has with it.
"""

import json
from collections.abc import Iterator, Mapping, Set
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from samcli.yamlhelper import yaml_parse

from local.files import ROOT

PATH: Final = ROOT / "docs" / "deployer-policy.json"
LONGEST: Final = 10_240
"""Characters of all inline policies of a role, without white space. Source: IAM, "Quotas"."""
_REGION: Final = "eu-central-1"

BECOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::Serverless::Function": (
        "AWS::Lambda::Function",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::Scheduler::Schedule",
    ),
    "AWS::Serverless::HttpApi": ("AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"),
    "AWS::Serverless::LayerVersion": ("AWS::Lambda::LayerVersion",),
}
"""What SAM makes of its own types."""
BESIDE: Final[Mapping[str, tuple[str, ...]]] = {
    # API Gateway developer guide, "Configure logging for HTTP APIs in API Gateway".
    "AWS::ApiGatewayV2::Stage": (
        *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups"),
        *("logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries"),
        *("logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
    ),
    # Its handlers name only what Lambda asks of others.
    "AWS::Lambda::Function": ("lambda:ListTags",),
    "AWS::IAM::Role": ("iam:PassRole",),
}
"""What a service asks beside its handlers."""
UNUSED: Final = frozenset(
    {
        # AWS's own keys (aws/lambda, aws/secretsmanager) are open to the whole account.
        "kms",
        *("cloudfront", "ec2", "elasticfilesystem", "firehose", "kinesis", "s3files", "s3tables"),
        *("dynamodb:AssociateTableReplica", "dynamodb:BatchWriteItem", "dynamodb:ImportTable"),
        *("dynamodb:CreateTableReplica", "dynamodb:DeleteItem", "dynamodb:DeleteResourcePolicy"),
        *("dynamodb:DescribeImport", "dynamodb:DisableKinesisStreamingDestination"),
        *("dynamodb:EnableKinesisStreamingDestination", "dynamodb:GetItem", "dynamodb:PutItem"),
        *("dynamodb:PutResourcePolicy", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"),
        *("dynamodb:UpdateContributorInsights", "dynamodb:UpdateKinesisStreamingDestination"),
        *("events:PutPermission", "events:RemovePermission"),
        *("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
        *("iam:ListRoles", "lambda:PassCapacityProvider", "lambda:PutFunctionCodeSigningConfig"),
        *("lambda:DeleteFunctionCodeSigningConfig", "lambda:PutFunctionScalingConfig"),
        "lambda:GetCodeSigningConfig",
        *("logs:AssociateKmsKey", "logs:CreateLogStream", "logs:DeleteDataProtectionPolicy"),
        *("logs:DeleteIndexPolicy", "logs:DisassociateKmsKey", "logs:PutBearerTokenAuthentication"),
        *("logs:PutDataProtectionPolicy", "logs:PutIndexPolicy", "logs:PutLogEvents"),
        *("logs:PutLogGroupDeletionProtection", "logs:DescribeLogStreams"),
        # S3 authorises them as s3:PutEncryptionConfiguration and s3:PutLifecycleConfiguration.
        *("s3:DeleteBucketEncryption", "s3:DeleteBucketLifecycle"),
        *("s3:CreateBucketMetadataTableConfiguration", "s3:DeleteBucketMetadataTableConfiguration"),
        *("s3:DeleteBucketReplication", "s3:DeleteBucketWebsite", "s3:DeleteBucketCors"),
        *("s3:DeleteBucketAnalyticsConfiguration", "s3:DeleteBucketMetricsConfiguration"),
        *("s3:DeleteObject", "s3:GetObjectMetadata", "s3:GetObjectVersion", "s3:ListAllMyBuckets"),
        *("s3:PutAccelerateConfiguration", "s3:PutAnalyticsConfiguration", "s3:PutBucketAbac"),
        *("s3:PutBucketAcl", "s3:PutBucketCORS", "s3:PutBucketLogging", "s3:PutBucketWebsite"),
        *("s3:PutBucketObjectLockConfiguration", "s3:PutBucketReplication", "s3:PutObjectAcl"),
        *("s3:PutIntelligentTieringConfiguration", "s3:PutInventoryConfiguration"),
        *("s3:PutMetricsConfiguration", "s3:PutObjectLockConfiguration"),
        *("s3:PutReplicationConfiguration", "s3:REST.PUT.OBJECT"),
        *("s3:UpdateBucketMetadataAnnotationTableConfiguration",),
        *("s3:UpdateBucketMetadataInventoryTableConfiguration",),
        *("s3:UpdateBucketMetadataJournalTableConfiguration",),
        *("secretsmanager:RemoveRegionsFromReplication", "secretsmanager:ReplicateSecretToRegions"),
        *("sns:PutDataProtectionPolicy", "ses:PutConfigurationSetArchivingOptions"),
        *("ses:PutConfigurationSetTrackingOptions", "ses:PutConfigurationSetVdmOptions"),
    }
)
"""Services and actions of properties that the template doesn't set, or of reading stored data."""
_ON_EVERYTHING: Final = ("List", "Describe", "GetRandomPassword", "LogDelivery", "ResourcePolicy")
"""Parts of the names of actions on everything: they read, or are of log delivery."""
_WITHOUT_ARN: Final = frozenset(
    {
        *("ses:CreateConfigurationSet", "sns:GetSubscriptionAttributes"),
        *("sns:SetSubscriptionAttributes", "sns:Unsubscribe"),
    }
)
"""For these IAM knows no resource. Source: AWS's Service Authorization Reference."""
_CLOUDFORMATION: Final = (
    *("ContinueUpdateRollback", "CreateChangeSet", "DeleteStack", "DescribeChangeSet"),
    *("DescribeStackEvents", "DescribeStacks", "ExecuteChangeSet", "GetTemplateSummary"),
)
"""What `make deploy`, a rollback that failed and the guide's removal call."""
ALIKE: Final = ("s3:GetBucket*", "s3:Get*Configuration")
SAM_BUCKET: Final = "arn:aws:s3:::aws-sam-cli-managed-default-*"


def resources_of(service: str, secrets: tuple[str, ...]) -> list[str]:
    """The resources for an action of a service: names that begin with ``milepost-``, like the
    stack's names. CloudFormation names secrets by their logical ids."""
    named = {
        "apigateway": ["arn:aws:apigateway:*::/*"],
        "cloudwatch": [
            "arn:aws:cloudwatch:*:*:alarm:milepost-*",
            "arn:aws:cloudwatch::*:dashboard/milepost-*",
        ],
        "cognito-idp": ["arn:aws:cognito-idp:*:*:userpool/*"],
        "dynamodb": ["arn:aws:dynamodb:*:*:table/milepost-*"],
        "events": [
            "arn:aws:events:*:*:rule/milepost-*",
            "arn:aws:events:*:*:event-bus/milepost-*",
        ],
        "iam": ["arn:aws:iam::*:role/milepost-*"],
        "lambda": [
            "arn:aws:lambda:*:*:function:milepost-*",
            "arn:aws:lambda:*:*:layer:milepost-*",
            "arn:aws:lambda:*:*:event-source-mapping:*",
        ],
        "logs": [
            "arn:aws:logs:*:*:log-group:/aws/lambda/milepost-*",
            "arn:aws:logs:*:*:log-group:/aws/vendedlogs/milepost-*",
        ],
        "s3": ["arn:aws:s3:::milepost-*", SAM_BUCKET],
        "scheduler": [
            "arn:aws:scheduler:*:*:schedule-group/milepost-*",
            "arn:aws:scheduler:*:*:schedule/milepost-*",
        ],
        "secretsmanager": [f"arn:aws:secretsmanager:*:*:secret:{name}-*" for name in secrets],
        "ssm": ["arn:aws:ssm:*:*:parameter/milepost-*"],
        "ses": ["arn:aws:ses:*:*:configuration-set/*"],
        "sns": ["arn:aws:sns:*:*:milepost-*"],
        "sqs": ["arn:aws:sqs:*:*:milepost-*"],
    }
    return named.get(service, ["*"])


def handlers_of(resource_type: str) -> frozenset[str]:
    """The actions that a deployment calls for a resource type, from the type's schema; empty if it
    has none.

    What its handler ``list`` calls is for importing resources into a stack.
    """
    handlers = _handlers(resource_type).items()
    return frozenset(action for name, one in handlers if name != "list" for action in one)


def permissions_of(resource_type: str, handler: str) -> frozenset[str]:
    """The actions for the handlers ``create``, ``read``, ``update``, ``delete`` or ``list``."""
    return _handlers(resource_type).get(handler, frozenset())


@cache
def _handlers(resource_type: str) -> Mapping[str, frozenset[str]]:
    schemas = files("cfnlint") / "data" / "schemas"
    names = json.loads((schemas / "providers" / f"{_REGION}.json").read_text())
    if resource_type not in names:
        return {}
    schema = json.loads((schemas / "resources" / f"{names[resource_type]}.json").read_text())
    return {
        name: frozenset(map(_spelled, one["permissions"]))
        for name, one in schema.get("handlers", {}).items()
    }


def _spelled(action: str) -> str:
    # Some schemas write `S3:...` or `s3:getObject`; IAM reads both alike.
    service, _, name = action.partition(":")
    return f"{service.lower()}:{name[:1].upper()}{name[1:]}"


def actions_for(template: Mapping[str, Any]) -> frozenset[str]:
    """Every action that is needed to deploy, update or remove this template."""
    declared = {one["Type"] for one in template["Resources"].values()}
    types = [kind for one in declared for kind in BECOMES.get(one, (one,))]
    called = {action for kind in types for action in (*handlers_of(kind), *BESIDE.get(kind, ()))}
    used = {one for one in called if one not in UNUSED and one.partition(":")[0] not in UNUSED}
    return frozenset(map(_shortened, used))


def _shortened(action: str) -> str:
    """The action; for an action that reads or writes buckets' settings, a pattern: the policy has
    no room for all of these actions.
    """
    return next((one for one in ALIKE if fnmatchcase(action, one)), action)


def make_policy(template: Mapping[str, Any]) -> dict[str, Any]:
    """The policy in IAM's format."""
    resources = template["Resources"].items()
    secrets = sorted(n for n, one in resources if one["Type"] == "AWS::SecretsManager::Secret")
    return {
        "Version": "2012-10-17",
        "Statement": list(_statements(actions_for(template), tuple(secrets))),
    }


_ALLOW: Final = {"Effect": "Allow"}


def _statements(actions: frozenset[str], secrets: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    yield from _of_deployments()
    rest = set(actions) - {"s3:GetObject"}
    for statement in _of_roles(rest, secrets):
        rest.remove(statement["Action"])
        yield statement
    anywhere = {one for one in rest if any(part in one for part in _ON_EVERYTHING)}
    anywhere |= rest & _WITHOUT_ARN
    yield {"Sid": "Anywhere", **_ALLOW, "Action": sorted(anywhere), "Resource": "*"}
    rest -= anywhere
    if new := {"cognito-idp:CreateUserPool"} & rest:
        yield {"Sid": "WhatHasNoNameYet", **_ALLOW, "Action": sorted(new), "Resource": "*"}
        rest -= new
    for service in sorted({one.partition(":")[0] for one in rest}):
        yield {
            "Sid": "".join(word.capitalize() for word in service.split("-")),
            **_ALLOW,
            "Action": sorted(one for one in rest if one.startswith(f"{service}:")),
            "Resource": resources_of(service, secrets),
        }


def _of_deployments() -> Iterator[dict[str, Any]]:
    """Statements for the stacks themselves, and for the uploaded packages."""
    stacks = ["stack/milepost-*", "stack/aws-sam-cli-managed-default/*"]
    yield {
        "Sid": "Stacks",
        **_ALLOW,
        "Action": [f"cloudformation:{name}" for name in _CLOUDFORMATION],
        "Resource": [
            *(f"arn:aws:cloudformation:*:*:{name}" for name in stacks),
            "arn:aws:cloudformation:*:aws:transform/Serverless-2016-10-31",
        ],
    }
    yield {
        "Sid": "Packages",
        **_ALLOW,
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": [f"{SAM_BUCKET}/*"],
    }


def _of_roles(actions: Set[str], secrets: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Statements that allow passing a role only to certain services, for the actions that do so."""
    for sid, action, key, services, resource in (
        ("Roles", "iam:PassRole", "iam:PassedToService", ("lambda", "scheduler"),
         resources_of("iam", secrets)),
        ("LinkedRoles", "iam:CreateServiceLinkedRole", "iam:AWSServiceName", ("ops.apigateway",),
         ["arn:aws:iam::*:role/aws-service-role/*"]),
    ):  # fmt: skip
        if action in actions:
            names = [f"{name}.amazonaws.com" for name in services]
            yield {
                "Sid": sid,
                **_ALLOW,
                "Action": action,
                "Resource": resource,
                "Condition": {"StringEquals": {key: names}},
            }


def read_template() -> Mapping[str, Any]:
    """template.yaml in the checkout."""
    template: Mapping[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def as_text(policy: Mapping[str, Any]) -> str:
    """The policy in the format of docs/deployer-policy.json."""
    return json.dumps(policy, indent=2) + "\n"


def write(path: Path = PATH) -> Path:
    """Write the policy for the template in the checkout."""
    path.write_text(as_text(make_policy(read_template())))
    return path
