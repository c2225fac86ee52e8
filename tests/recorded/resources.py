"""The parts of a template that determine whether CloudFormation can update an earlier version."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from cfnlint.decode import decode
from cfnlint.template.transforms._sam import Transform

_REGION = "eu-central-1"


def transformed(path: Path) -> Mapping[str, Any]:
    """The resources of a template after SAM's transform."""
    template, faults = decode(str(path))
    assert not faults
    transform = Transform(str(path), template, _REGION)
    assert not transform.transform_template()
    found: Mapping[str, Any] = json.loads(json.dumps(transform.template()))["Resources"]
    return found


def summary(resources: Mapping[str, Any]) -> dict[str, Any]:
    """By logical id: the type, properties that can't be changed in place, a table's indexes, and
    routes.
    """
    return {name: _summary(one) for name, one in resources.items()}


def _summary(resource: Mapping[str, Any]) -> dict[str, Any]:
    properties = resource.get("Properties", {})
    fixed = create_only(resource["Type"])
    found: dict[str, Any] = {
        "type": resource["Type"],
        "fixed": {name: one for name, one in properties.items() if name in fixed},
    }
    match resource["Type"]:
        case "AWS::DynamoDB::Table":
            indexes = properties.get("GlobalSecondaryIndexes", [])
            found["indexes"] = {one["IndexName"]: one for one in indexes}
        case "AWS::ApiGatewayV2::Api":
            paths = properties["Body"]["paths"].items()
            found["routes"] = sorted(_route(verb, path) for path, of in paths for verb in of)
        case "AWS::ApiGatewayV2::Stage":
            found["throttled"] = sorted(properties.get("RouteSettings", {}))
    return found


def _route(verb: str, path: str) -> str:
    word = "ANY" if verb == "x-amazon-apigateway-any-method" else verb.upper()
    return f"{word} {path}"


@cache
def create_only(kind: str) -> frozenset[str]:
    """Properties of a type whose change replaces the resource, from the type's own schema."""
    schemas = files("cfnlint") / "data" / "schemas"
    names = json.loads((schemas / "providers" / f"{_REGION}.json").read_text())
    schema = json.loads((schemas / "resources" / f"{names[kind]}.json").read_text())
    said = [
        *schema.get("createOnlyProperties", []),
        *schema.get("conditionalCreateOnlyProperties", []),
    ]
    return frozenset(one.split("/")[2] for one in said)
