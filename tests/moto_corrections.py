"""Where moto differs from AWS, so that what is tested on it is what AWS does.

moto 5.2.5 moves the label AWSCURRENT and goes on reading the version that had it before. AWS reads
the current version (API reference, GetSecretValue: "If you don't specify either a VersionStage or
VersionId, Secrets Manager returns the AWSCURRENT version").
"""

from functools import wraps
from typing import Any

from moto.secretsmanager.models import SecretsManagerBackend

_move = SecretsManagerBackend.update_secret_version_stage


@wraps(_move)
def _move_and_read_it(
    self: Any,
    secret_id: str,
    version_stage: str,
    remove_from_version_id: str,
    move_to_version_id: str,
) -> tuple[str, str]:
    moved = _move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        self.secrets[secret_id].set_default_version_id(move_to_version_id)
    return moved


def correct_moto() -> None:
    """Put it right, once for the process."""
    SecretsManagerBackend.update_secret_version_stage = _move_and_read_it
