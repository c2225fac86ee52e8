"""Values of CloudFormation's functions, as far as an HTTP API's body uses them."""

from typing import Any

import pytest

from local.deployment import Deployment
from local.errors import CannotStart
from local.http_api import Resolver

RESOLVE = Resolver(
    Deployment(
        outputs={},
        resources={"HookFunction": "stack-hook", "Pool": "pool-1"},
        types={"HookFunction": "AWS::Lambda::Function", "Pool": "AWS::Cognito::UserPool"},
        parameters={"StageName": "local"},
        template={},
    ),
    region="eu-central-1",
)
ARN = "arn:aws:lambda:eu-central-1:000000000000:function:stack-hook"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("as it is", "as it is"),
        ({"Ref": "StageName"}, "local"),
        ({"Ref": "Pool"}, "pool-1"),
        ({"Fn::GetAtt": ["HookFunction", "Arn"]}, ARN),
        ({"Fn::Sub": "functions/${HookFunction.Arn}/invocations"}, f"functions/{ARN}/invocations"),
        ({"Fn::Sub": ["${Region}/${X}", {"X": {"Ref": "Pool"}, "Region": "r"}]}, "r/pool-1"),
        ({"Fn::Sub": "${!literal}"}, "${literal}"),
        ({"audience": [{"Ref": "Pool"}]}, {"audience": ["pool-1"]}),
    ],
)
def test_functions_are_replaced_by_values(value: Any, expected: Any) -> None:
    assert RESOLVE(value) == expected


def test_an_unknown_resource_is_named() -> None:
    with pytest.raises(CannotStart, match="Missing"):
        RESOLVE({"Ref": "Missing"})
