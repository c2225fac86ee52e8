"""The transformed template's values in the form of a deployed stack, with AWS-like names.

Source of the forms of names: AWS CloudFormation user guide, "Name type"; AWS General Reference,
"Amazon Resource Names".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ACCOUNT: Final = "123456789012"
_RANDOM: Final = "1A2B3C4D5E6F"
_NAMES: Final = {
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Scheduler::ScheduleGroup": "Name",
    "AWS::SSM::Parameter": "Name",
    "AWS::Cognito::UserPoolDomain": "Domain",
    "AWS::Events::EventBus": "Name",
}
"""By type: the property that the template sets, where CloudFormation makes no name."""
_ARNS: Final = {
    "AWS::SQS::Queue": "sqs:{place}:{id}",
    "AWS::Lambda::Function": "lambda:{place}:function:{id}",
    "AWS::DynamoDB::Table": "dynamodb:{place}:table/{id}",
    "AWS::S3::Bucket": "s3:::{id}",
    "AWS::IAM::Role": f"iam::{ACCOUNT}:role/{{id}}",
    "AWS::Logs::LogGroup": "logs:{place}:log-group:{id}:*",
    "AWS::Cognito::UserPool": "cognito-idp:{place}:userpool/{id}",
    "AWS::Events::EventBus": "events:{place}:event-bus/{id}",
    "AWS::Events::Rule": "events:{place}:rule/{id}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedStack:
    """The results of intrinsic functions after a deployment.

    :ivar resources: of the template after SAM's transform
    :ivar parameters: values of parameters; a condition is taken as true
    """

    resources: Mapping[str, Any]
    stack: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def value(self, given: Any) -> Any:
        """A value of the template, resolved."""
        if isinstance(given, list):
            return [self.value(one) for one in given]
        if not isinstance(given, dict):
            return given
        intrinsic: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": lambda parts: self._attribute(parts[0], ".".join(parts[1:])),
            "Fn::Sub": self._sub,
            "Fn::If": lambda parts: self.value(parts[1]),
        }
        for name, resolve in intrinsic.items():
            if name in given:
                return resolve(given[name])
        return {name: self.value(one) for name, one in given.items()}

    def _sub(self, given: Any) -> str:
        text, variables = (given, {}) if isinstance(given, str) else given
        own = {name: self.value(one) for name, one in variables.items()}

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            if name in own:
                return str(own[name])
            resource, dot, attribute = name.partition(".")
            return self._attribute(resource, attribute) if dot else self._ref(name)

        return re.sub(r"\$\{([^}]+)\}", replaced, text)

    def _ref(self, name: str) -> str:
        pseudo = {
            "AWS::StackName": self.stack,
            "AWS::Region": self.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        known = {**pseudo, **self.parameters}
        if name in known:
            return known[name]
        kind = self.resources[name]["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{ACCOUNT}/{self._id(name)}"
        if kind == "AWS::SNS::Topic":
            return f"arn:aws:sns:{self._place}:{self._id(name)}"
        if kind == "AWS::SecretsManager::Secret":
            return f"arn:aws:secretsmanager:{self._place}:secret:{name}-{_RANDOM}-AbCdEf"
        return self._id(name)

    @property
    def _place(self) -> str:
        return f"{self.region}:{ACCOUNT}"

    def _id(self, name: str) -> str:
        resource = self.resources[name]
        kind = resource["Type"]
        if kind in _NAMES:
            named: str = self.value(resource["Properties"][_NAMES[kind]])
            return named
        made = f"{self.stack}-{name}"
        special = {
            # 64 and 63 characters at most.
            "AWS::IAM::Role": f"{made[:51]}-{_RANDOM}",
            "AWS::S3::Bucket": f"{made[:50]}-{_RANDOM}".lower(),
            "AWS::Cognito::UserPool": f"{self.region}_aB1cD2eF3",
            "AWS::Cognito::UserPoolClient": "1a2b3c4d5e6f7g8h9i0j1k2l3m",
            "AWS::ApiGatewayV2::Api": "a1b2c3d4e5",
        }
        return special.get(kind, f"{made}-{_RANDOM}")

    def _attribute(self, name: str, attribute: str) -> str:
        arn = _ARNS.get(self.resources[name]["Type"])
        whole = f"arn:aws:{arn.format(place=self._place, id=self._id(name))}" if arn else ""
        if attribute == "StreamArn":
            return f"{whole}/stream/2026-01-01T00:00:00.000"
        return whole if attribute == "Arn" and whole else self._id(name)
