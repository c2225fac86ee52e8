"""The style of the sign-in pages can be created, as on AWS.

ministack 1.5.33 refuses a template that has ``AWS::Cognito::ManagedLoginBranding``. Its own login
page has one look, so there is nothing to keep but the resource. Source: AWS CloudFormation template
reference, "AWS::Cognito::ManagedLoginBranding", return values.
"""

import importlib
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

_TYPE: Final = "AWS::Cognito::ManagedLoginBranding"


def correct_ministack() -> None:
    """Let CloudFormation create, update and delete a style."""
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    provisioners._RESOURCE_HANDLERS[_TYPE] = {
        "create": _create,
        "update": _update,
        "delete": lambda _physical_id, _properties: None,
    }


def _create(
    _logical_id: str, properties: Mapping[str, Any], _stack: str
) -> tuple[str, dict[str, str]]:
    style = str(uuid4())
    return f"{properties['UserPoolId']}|{style}", {"ManagedLoginBrandingId": style}


def _update(
    physical_id: str, _old: Mapping[str, Any], _new: Mapping[str, Any], _stack: str
) -> tuple[str, dict[str, str]]:
    return physical_id, {"ManagedLoginBrandingId": physical_id.rpartition("|")[2]}
