"""The parts of the deployer's policy that a deployment, an update and a removal have used."""

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from local.deployer_policy import BECOMES, PATH, permissions_of
from tests.stack import template

POLICY: Final[Mapping[str, Any]] = json.loads(PATH.read_text())
QUEUE_ALONE: Final = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"StageName": {"Type": "String"}},
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
}
NOT_SHOWN: Final = {
    "LinkedRoles": "API Gateway makes it with the first domain, and no stack here has a domain",
    "arn:aws:iam::*:role/aws-service-role/*": "likewise",
    "arn:aws:cloudformation:*:aws:transform/Serverless-2016-10-31": (
        "AWS checks the change set of a SAM template on the transform too; the emulator doesn't"
    ),
    "cloudformation:ContinueUpdateRollback": "no rollback fails here",
    "cognito-idp:DeleteUserPool": "the pool goes only when a first deployment fails",
}
"""Statements, actions and resources that no stack here can use, each with the reason."""


def without(sid: str) -> dict[str, Any]:
    """The policy without one of its statements."""
    return {**POLICY, "Statement": [one for one in POLICY["Statement"] if one["Sid"] != sid]}


def as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def allows(statement: Mapping[str, Any], check: Mapping[str, Any]) -> bool:
    """Whether a statement allows what was checked."""
    wanted = statement.get("Condition", {}).get("StringEquals", {})
    context = {name.lower(): value for name, value in check["context"].items()}
    return (
        any(fnmatchcase(check["action"], one) for one in as_list(statement["Action"]))
        and any(fnmatchcase(check["resource"], one) for one in as_list(statement["Resource"]))
        and all(context.get(key.lower()) in as_list(given) for key, given in wanted.items())
    )


def unused_statements(checks: Iterable[Mapping[str, Any]]) -> set[str]:
    """The statements without which everything would have been allowed as well."""
    checks = list(checks)
    statements = POLICY["Statement"]
    return {
        one["Sid"]
        for one in statements
        if not any(
            allows(one, check)
            and not any(allows(other, check) for other in statements if other is not one)
            for check in checks
        )
    }


def unused_actions(checks: Iterable[Mapping[str, Any]]) -> set[str]:
    """The actions that nothing used, and that CloudFormation doesn't need for an update either.

    An update calls them when it changes the property that they are for: no test changes all.
    """
    used = {check["action"] for check in checks} | set(_of_updates())
    return {
        action
        for statement in POLICY["Statement"]
        for action in as_list(statement["Action"])
        if not any(fnmatchcase(one, action) for one in used)
    }


def unused_resources(checks: Iterable[Mapping[str, Any]]) -> set[str]:
    """The resources that no action used."""
    checks = list(checks)
    return {
        resource
        for statement in POLICY["Statement"]
        for resource in as_list(statement["Resource"])
        if not any(allows({**statement, "Resource": resource}, check) for check in checks)
    }


def _of_updates() -> Iterator[str]:
    for declared in {one["Type"] for one in template().values()}:
        for kind in BECOMES.get(declared, (declared,)):
            yield from permissions_of(kind, "update")
