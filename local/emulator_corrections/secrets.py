"""`!Ref` of a secret, where the emulator differs from AWS.

ministack 1.5.33 returns the secret's name. On AWS it is the ARN (CloudFormation reference,
AWS::SecretsManager::Secret, "Return values"), which policies and functions rely on.
"""

import importlib
from typing import Any, Final

_SECRET: Final = "AWS::SecretsManager::Secret"


def correct_ministack() -> None:
    """Return the ARN of each secret that a template creates, and find it by that ARN again.

    Without the latter an update would create the secret again, empty, and a removal would leave it.
    """
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS[_SECRET]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def create_secret(*arguments: Any, **named: Any) -> tuple[str, dict[str, Any]]:
        _, attributes = create(*arguments, **named)
        return attributes["Arn"], attributes

    def update_secret(arn: str, *arguments: Any, **named: Any) -> tuple[str, dict[str, Any]]:
        _, attributes = update(_name_of(arn), *arguments, **named)
        return attributes["Arn"], attributes

    def delete_secret(arn: str, *arguments: Any, **named: Any) -> None:
        delete(_name_of(arn), *arguments, **named)

    handlers |= {"create": create_secret, "update": update_secret, "delete": delete_secret}


def _name_of(arn: str) -> str:
    """The name of a secret in ministack."""
    # After it come a hyphen and six characters.
    return arn.rpartition(":")[2][:-7]
