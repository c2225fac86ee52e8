"""Settings of connections in Parameter Store, and their credentials in Secrets Manager.

Each connection's entry is read separately: one that can't be used closes only that connection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.cached_reader import KEEP_SECONDS, CachedReader
from milepost.aws.shared_secret import NotOneObject, SharedSecret
from milepost.common.http_headers import is_header_value
from milepost.connections.aws.stored_providers import DeclaredProviders, read_parameters
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.connections.declared_provider import ByVersion, Providers, StoredProvider
from milepost.connections.settings import NONE_DECLARED, provider_named_in, read_settings

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

REFRESH_SECONDS: Final = 1
"""How soon settings are read again for an unknown connection: only authentic messages name one."""
REFRESH_UNUSABLE_SECONDS: Final = 30
"""How soon settings are read again for a connection that could not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A connection with invalid settings; ``provider`` is None if that isn't known."""

    why: str
    provider: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    known: Mapping[str, Connection]
    unusable: Mapping[str, Unusable]
    declared: DeclaredProviders


class ConnectionSettings:
    """Implements ``connection.Connections``: all parameters below one path are read together."""

    def __init__(
        self,
        client: "SSMClient",
        *,
        path: str,
        clock: Callable[[], float],
        providers: Providers,
    ) -> None:
        self._client = client
        self._path = path
        self._providers = providers
        self._settings = CachedReader(self._read, clock=clock)

    def get(self, connection_id: str) -> Connection:
        settings = self._settings.get()
        if connection_id in settings.unusable:
            settings = self._settings.get(keep_seconds=REFRESH_UNUSABLE_SECONDS)
        elif connection_id not in settings.known:
            # An unknown connection may have been applied a moment ago.
            settings = self._settings.get(keep_seconds=REFRESH_SECONDS)
        if bad := settings.unusable.get(connection_id):
            raise UnusableConnection(bad.why)
        try:
            return settings.known[connection_id]
        except KeyError:
            raise UnknownConnection(f"no connection {connection_id!r} is applied") from None

    def all(self) -> Mapping[str, Connection]:
        """Every connection whose settings can be used, by id."""
        return self._current().known

    def unusable(self) -> Mapping[str, Unusable]:
        """Every connection with invalid settings, by id."""
        return self._current().unusable

    def declared(self, provider: str) -> StoredProvider | None:
        """A declared provider in its current version; None if there is none."""
        return self._current().declared.current_of(provider)

    def _current(self) -> _Settings:
        settings = self._settings.get()
        keep = REFRESH_UNUSABLE_SECONDS if settings.unusable else KEEP_SECONDS
        return self._settings.get(keep_seconds=keep)

    def _read(self) -> _Settings:
        found, declared = read_parameters(self._client, path=self._path)
        known, unusable = read_each(found, providers=self._providers, declared=declared.versions)
        return _Settings(known=known, unusable=unusable, declared=declared)


def read_each(
    found: Mapping[str, str], *, providers: Providers, declared: ByVersion = NONE_DECLARED
) -> tuple[dict[str, Connection], dict[str, Unusable]]:
    """Read the settings of each connection: the valid ones, and the others.

    :param providers: the adapters that there are
    :param declared: the providers that files declare
    """
    known: dict[str, Connection] = {}
    unusable: dict[str, Unusable] = {}
    for name, text in found.items():
        try:
            known[name] = read_settings(
                text, connection_id=name, providers=providers, declared=declared
            )
        except UnusableConnection as bad:
            provider = provider_named_in(text, providers=providers, declared=declared)
            unusable[name] = Unusable(why=str(bad), provider=provider)
    return known, unusable


class ApiCredentials:
    """Credentials of connections at their providers: one secret, ``{"<connection>": {...}}``."""

    def __init__(
        self, client: "SecretsManagerClient", *, secret_id: str, clock: Callable[[], float]
    ) -> None:
        self._entries = CachedReader(SharedSecret(client, secret_id=secret_id).read, clock=clock)

    def get(self, connection_id: str) -> Mapping[str, str]:
        """The connection's credentials; empty if it has none.

        :raises UnusableConnection: when they can't be sent to a provider as they are stored
        """
        try:
            entries = self._entries.get()
        except NotOneObject:
            raise UnusableConnection(
                f"the credentials of {connection_id} can't be used: their secret does not hold "
                "one JSON object"
            ) from None
        return credentials_of(connection_id, entries)

    def forget(self) -> None:
        """Read the credentials again at the next use, because the provider refused them."""
        self._entries.forget()


def credentials_of(connection_id: str, entries: Mapping[str, Any]) -> Mapping[str, str]:
    """The credentials of one connection.

    :raises UnusableConnection: when its entry is invalid, or has a value that is not valid in an
    HTTP header
    """
    entry = entries.get(connection_id, {})
    if not isinstance(entry, dict):
        raise UnusableConnection(
            f"the credentials of {connection_id} can't be used: they are not one JSON object"
        )
    for name, value in entry.items():
        if not isinstance(value, str) or not is_header_value(value):
            shown = name if name.isidentifier() and len(name) <= 40 else "one of them"
            raise UnusableConnection(
                f"the credentials of {connection_id} can't be used: {shown} is "
                "not a text that an HTTP header can contain"
            )
    return entry
