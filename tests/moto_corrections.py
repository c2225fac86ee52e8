"""Corrects moto where it differs from AWS, so that tests on it show AWS's behavior.

moto 5.2.5 moves the label AWSCURRENT and goes on reading the version that had it before. AWS reads
the current version (API reference, GetSecretValue: "If you don't specify either a VersionStage or
VersionId, Secrets Manager returns the AWSCURRENT version").

moto's long poll waits its time although nobody can put a message into the queue meanwhile: a queue
in memory shows all that it has at once.

moto answers several threads at once, though none of its stores may be changed while another thread
reads it. AWS's services do that by themselves; here one request is answered after the other.
"""

from functools import wraps
from threading import RLock
from typing import Any, Final

import pytest
from moto.core.botocore_stubber import BotocoreStubber
from moto.secretsmanager.models import SecretsManagerBackend
from moto.sqs.models import Message, SQSBackend

_move = SecretsManagerBackend.update_secret_version_stage
_receive = SQSBackend.receive_message
_answer = BotocoreStubber.process_request
_ONE_AT_A_TIME: Final = RLock()


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


@wraps(_receive)
def _receive_at_once(
    self: Any,
    queue_name: str,
    count: int,
    _wait_seconds: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    return _receive(self, queue_name, count, 0, visibility_timeout, message_attribute_names)


@wraps(_answer)
def _answer_in_turn(self: BotocoreStubber, request: Any) -> Any:
    with _ONE_AT_A_TIME:
        return _answer(self, request)


def correct_moto() -> None:
    """Apply the corrections, once for the process."""
    SQSBackend.receive_message = _receive_at_once
    SecretsManagerBackend.update_secret_version_stage = _move_and_read_it
    pytest.MonkeyPatch().setattr(BotocoreStubber, "process_request", _answer_in_turn)
