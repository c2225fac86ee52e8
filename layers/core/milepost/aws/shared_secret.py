"""One secret of Secrets Manager that holds an entry for each of many, as a JSON object."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from milepost.endpoint_secrets import current_secret, previous_until, rotate
from milepost.signatures import STANDARD_WEBHOOKS, make_signing_secret

Entries: TypeAlias = dict[str, Any]


class NotOneObject(ValueError):
    """Somebody has put something else than one JSON object there."""


class SharedSecret:
    """Its entries; others may write to it as well."""

    def __init__(self, client: Any, *, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id

    def read(self) -> Entries:
        """Every entry.

        :raises NotOneObject: when something else is there
        """
        text = self._client.get_secret_value(SecretId=self._secret_id)["SecretString"]
        try:
            entries = json.loads(text)
        except ValueError:
            entries = None
        if not isinstance(entries, dict):
            raise NotOneObject(
                f"The secret {self._secret_id} does not hold one JSON object. Put an earlier "
                "version of it back in Secrets Manager, then repeat this."
            )
        return entries

    def change(self, change: Callable[[Entries], None]) -> Entries:
        """Read, let ``change`` work on the entries, and write them if that made a difference.

        Secrets Manager knows no condition on a write: reading at the last moment keeps the time
        short in which another's write could be lost.
        """
        entries = self.read()
        before = json.dumps(entries, sort_keys=True)
        change(entries)
        after = json.dumps(entries, sort_keys=True)
        if after != before:
            self._client.put_secret_value(SecretId=self._secret_id, SecretString=after)
        return entries


class EndpointSecretsKeeper:
    """Implements ``operating.EndpointSecrets`` in the secret that call_endpoint reads."""

    def __init__(self, client: Any, *, secret_id: str) -> None:
        self._secret = SharedSecret(client, secret_id=secret_id)

    def make(self, subscription_id: str) -> str:
        made = make_signing_secret(STANDARD_WEBHOOKS)
        entries = self._secret.change(lambda entries: _add(entries, subscription_id, made))
        return current_secret(entries[subscription_id]) or made

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

    def drop(self, subscription_id: str) -> None:
        self._secret.change(lambda entries: _drop(entries, subscription_id))


def _add(entries: Entries, name: str, value: str) -> None:
    entries.setdefault(name, value)


def _drop(entries: Entries, name: str) -> None:
    entries.pop(name, None)
