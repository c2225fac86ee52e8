"""Signing secrets of all connections: one cached secret in Secrets Manager."""

from typing import TYPE_CHECKING, Final

from milepost.aws.errors import AWS_FAILED
from milepost.aws.shared_secret import read_entries
from milepost.webhooks.receiver import SecretStoreDown, Signing, UnknownWebhook

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS: Final = 300
REFRESH_SECONDS: Final = 30


class SigningSecretsStore:
    """Implements ``receiver.SigningSecrets``.

    The secret's value is ``{"<connection>": {"scheme": ..., "secrets": ["<current>", ...]}}``. An
    invalid entry blocks only its own connection.
    """

    def __init__(self, client: "SecretsManagerClient", *, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._known: dict[str, Signing] | None = None
        self._read_at = float("-inf")
        self._tried_at = float("-inf")

    def get(self, connection_id: str, *, now: float) -> Signing:
        if self._known is None or now - self._read_at > KEEP_SECONDS:
            self._read(now)
        known = self._known or {}
        try:
            return known[connection_id]
        except KeyError:
            raise UnknownWebhook from None

    def refresh(self, *, now: float) -> bool:
        if now - self._tried_at < REFRESH_SECONDS:
            return False
        self._read(now)
        return True

    def _read(self, now: float) -> None:
        self._tried_at = now
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
            entries = read_entries(answer["SecretString"])
            self._known = {name: Signing.read(one) for name, one in entries.items()}
        except (*AWS_FAILED, ValueError, KeyError):
            if now - self._read_at > KEEP_SECONDS:
                # The cached secrets may have been revoked: fail closed.
                self._known = None
            raise SecretStoreDown from None
        self._read_at = now
