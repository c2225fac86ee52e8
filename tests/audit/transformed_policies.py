"""Prints the policies of all roles after SAM's transform, and the deployer's, as JSON by name.

What CloudFormation would put in stands there as an example: parliament reads no functions.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from cfnlint.decode import decode
from cfnlint.template.transforms._sam import Transform

from local.deployer_policy import PATH
from local.emulator_corrections.cloudformation import arn_of
from tests.template import chosen

ROOT: Final = Path(__file__).parents[2]
PLACE: Final = {"region": "eu-central-1", "account": "123456789012"}
KNOWN: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": PLACE["region"],
    "AWS::AccountId": PLACE["account"],
    "AWS::StackName": "milepost-prod",
    "AWS::URLSuffix": "amazonaws.com",
    "SenderAddress": "milepost@example.org",
}


class Examples:
    """Replaces each intrinsic function of CloudFormation with an example."""

    def __init__(self, resources: dict[str, Any]) -> None:
        self._resources = resources

    def fill(self, value: Any) -> Any:  # noqa: PLR0911 - a return for each function
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": name}:
                return self._name(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                is_group = self._resources[name]["Type"] == "AWS::Logs::LogGroup"
                # A log group's ARN names all its streams.
                return self._arn(name) + (":*" if is_group else "")
            case {"Fn::GetAtt": [name, "StreamArn"]}:
                return f"{self._arn(name)}/stream/2026-11-27"
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:]+)(\.Arn)?\}", self._substituted, text)
            case {"Fn::If": [_, yes, _]}:
                return self.fill(yes)
        return {name: self.fill(one) for name, one in value.items()}

    def _substituted(self, found: re.Match[str]) -> str:
        return self._arn(found[1]) if found[2] else self._name(found[1])

    def _name(self, name: str) -> str:
        if name in KNOWN or name not in self._resources:
            return KNOWN.get(name, name)
        kind = self._resources[name]["Type"]
        is_arn = kind in ("AWS::SecretsManager::Secret", "AWS::SNS::Topic")
        return self._arn(name) if is_arn else f"{KNOWN['AWS::StackName']}-{name}-1A2B"

    def _arn(self, name: str) -> str:
        one = self._resources[name]
        names = ("Name", "GroupName", "TopicName", "QueueName", "FunctionName", "LogGroupName")
        declared = one.get("Properties", {})
        properties = {each: self.fill(declared[each]) for each in names if each in declared}
        stack = KNOWN["AWS::StackName"]
        return arn_of(one["Type"], logical_id=name, properties=properties, stack=stack, place=PLACE)


def main() -> None:
    path = ROOT / "template.yaml"
    template, faults = decode(str(path))
    assert not faults, faults
    transform = Transform(str(path), template, PLACE["region"])
    assert not (faults := transform.transform_template()), faults
    resources = json.loads(json.dumps(transform.template()))["Resources"]
    examples = Examples(resources)
    policies = {
        f"{name}/{policy['PolicyName']}": examples.fill(policy["PolicyDocument"])
        for name, one in resources.items()
        if one["Type"] == "AWS::IAM::Role"
        for policy in map(chosen, one["Properties"].get("Policies", []))
    }
    print(json.dumps({**policies, "deployer": json.loads(PATH.read_text())}))


if __name__ == "__main__":
    main()
