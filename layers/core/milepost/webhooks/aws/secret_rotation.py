"""Rotates signing secrets of connections in the shared secret that receive_webhook reads."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.shared_secret import Entries, ManyWriters, SharedSecret
from milepost.connections.aws.declarations import BeingChanged, ChangedSinceRead, DeclarationsTable
from milepost.webhooks.secret_rotation import (
    ChangedMeanwhile,
    RotatedSecret,
    SecretState,
    finished,
    rotated,
    state_of,
)

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_TRY_AGAIN: Final = "Somebody else is changing the connections of this stack: try again in a minute"


class SigningSecretsKeeper:
    """Implements ``secret_rotation.SigningSecretRotation``.

    A rotation holds the lease on what is declared, as ``milepost connections apply`` does, so that
    no file is applied over it that was compared before.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        *,
        secret_id: str,
        declarations: DeclarationsTable,
    ) -> None:
        self._secret = SharedSecret(client, secret_id=secret_id)
        self._declarations = declarations

    def entry(self, connection_id: str) -> object:
        """The stored signing secrets of the connection; None if none are stored."""
        return self._secret.read().get(connection_id)

    def state(self, connection_id: str) -> SecretState:
        return state_of(self.entry(connection_id))

    def rotate(self, connection_id: str, *, now: datetime, request: str) -> RotatedSecret:
        def turn(entry: object) -> dict[str, Any]:
            return rotated(entry, connection_id=connection_id, request=request)

        entry = self._change(connection_id, turn, now=now)
        secret, *previous = entry["secrets"]
        return RotatedSecret(secret=secret, previous_is_valid=bool(previous))

    def finish(self, connection_id: str, *, now: datetime) -> None:
        def turn(entry: object) -> dict[str, Any]:
            return finished(entry, connection_id=connection_id)

        self._change(connection_id, turn, now=now)

    def _change(
        self, connection_id: str, turn: Callable[[object], dict[str, Any]], *, now: datetime
    ) -> dict[str, Any]:
        def change(entries: Entries) -> None:
            entries[connection_id] = turn(entries.get(connection_id))

        try:
            lease = self._declarations.take(read=self._declarations.version(), now=now)
        except (BeingChanged, ChangedSinceRead):
            raise ChangedMeanwhile(_TRY_AGAIN) from None
        try:
            entry: dict[str, Any] = self._secret.change(change)[connection_id]
        except ManyWriters:
            raise ChangedMeanwhile(_TRY_AGAIN) from None
        finally:
            self._declarations.give_back(lease, now=now)
        return entry
