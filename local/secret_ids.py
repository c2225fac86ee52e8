"""What `!Ref` of a secret is, where the emulator differs from AWS.

ministack 1.5.33 returns the secret's name. On AWS it is the ARN (CloudFormation reference,
AWS::SecretsManager::Secret, "Return values"), which policies and functions rely on.
"""

import importlib
from typing import Any, Final

_SECRET: Final = "AWS::SecretsManager::Secret"


def correct_ministack() -> None:
    """Return the ARN of each secret that a template creates."""
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS[_SECRET]
    create = handlers["create"]

    def create_secret(*arguments: Any, **named: Any) -> tuple[str, dict[str, Any]]:
        _, attributes = create(*arguments, **named)
        return attributes["Arn"], attributes

    handlers["create"] = create_secret
