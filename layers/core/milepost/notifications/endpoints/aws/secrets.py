"""Signing secrets of endpoints, made and rotated in the shared secret."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from milepost.aws.shared_secret import Entries, SharedSecret
from milepost.notifications.endpoints.secret_rotation import (
    current_secret,
    live_secrets,
    previous_until,
    rotate,
)
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from milepost.webhooks.signatures import make_signing_secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class EndpointSecretsKeeper:
    """Implements ``services.EndpointSecrets`` in the secret that call_endpoint reads."""

    def __init__(self, client: "SecretsManagerClient", *, secret_id: str) -> None:
        self._secret = SharedSecret(client, secret_id=secret_id)

    def make(self, subscription_id: str) -> str:
        made = make_signing_secret(STANDARD_WEBHOOKS)
        entries = self._secret.change(lambda entries: _add(entries, subscription_id, made))
        return current_secret(entries[subscription_id]) or made

    def keep(self, subscription_id: str, address: str) -> None:
        """Store the address of a chat's webhook in the entry that has an endpoint's secret
        otherwise.
        """
        self._secret.change(lambda entries: _add(entries, subscription_id, address))

    def rotate(
        self, subscription_id: str, *, now: datetime, keep_for: timedelta, request: str
    ) -> tuple[str, datetime | None] | None:
        made = make_signing_secret(STANDARD_WEBHOOKS)

        def turn(entries: Entries) -> None:
            entry = entries.get(subscription_id)
            if current_secret(entry) is not None:
                entries[subscription_id] = rotate(
                    entry, new=made, now=now, keep_for=keep_for, request=request
                )

        entry = self._secret.change(turn).get(subscription_id)
        secret = current_secret(entry)
        return None if secret is None else (secret, previous_until(entry, now=now))

    def active(self, subscription_id: str, *, now: datetime) -> Sequence[str]:
        """The current secrets to sign with; none if the endpoint has none."""
        return live_secrets(self._secret.read().get(subscription_id), now=now)

    def drop(self, subscription_id: str) -> None:
        self._secret.change(lambda entries: _drop(entries, subscription_id))


def _add(entries: Entries, name: str, value: str) -> None:
    entries.setdefault(name, value)


def _drop(entries: Entries, name: str) -> None:
    entries.pop(name, None)
