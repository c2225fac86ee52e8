"""Settings of connections in Parameter Store, and their credentials in Secrets Manager.

Each connection's entry is read by itself: one that can't be used closes that connection alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.shared_secret import NotOneObject, SharedSecret
from milepost.common.http_headers import is_header_value
from milepost.connections.aws.stored_providers import DeclaredProviders, read_parameters
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.connections.declared_provider import ByVersion, Providers, StoredProvider
from milepost.connections.settings import NONE_DECLARED, provider_named_in, read_settings

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

KEEP_SECONDS: Final = 300
REFRESH_SECONDS: Final = 1
"""A connection that is not known is asked for again: only authentic messages name one."""
REFRESH_UNUSABLE_SECONDS: Final = 30
"""How soon one that could not be used is read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A connection whose settings can't be used; ``provider`` is None where that isn't known."""

    why: str
    provider: str | None


class ConnectionSettings:
    """Implements ``connection.Connections``: every parameter below one path, read together."""

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
        self._clock = clock
        self._known: dict[str, Connection] = {}
        self._unusable: dict[str, Unusable] = {}
        self._declared = DeclaredProviders()
        self._read_at = float("-inf")

    def get(self, connection_id: str) -> Connection:
        age = self._clock() - self._read_at
        # One that is not known may have been applied a moment ago.
        keep = REFRESH_UNUSABLE_SECONDS if connection_id in self._unusable else REFRESH_SECONDS
        if age > KEEP_SECONDS or (connection_id not in self._known and age > keep):
            self._read()
        if bad := self._unusable.get(connection_id):
            raise UnusableConnection(bad.why)
        try:
            return self._known[connection_id]
        except KeyError:
            raise UnknownConnection(f"no connection {connection_id!r} is applied") from None

    def all(self) -> Mapping[str, Connection]:
        """Every connection whose settings can be used, by id."""
        self._refresh()
        return self._known

    def unusable(self) -> Mapping[str, Unusable]:
        """Every other one that is applied, by id."""
        self._refresh()
        return self._unusable

    def declared(self, provider: str) -> StoredProvider | None:
        """A declared provider in its current version; None where no file declares it."""
        self._refresh()
        return self._declared.current_of(provider)

    def _refresh(self) -> None:
        keep = REFRESH_UNUSABLE_SECONDS if self._unusable else KEEP_SECONDS
        if self._clock() - self._read_at > keep:
            self._read()

    def _read(self) -> None:
        found, self._declared = read_parameters(self._client, path=self._path)
        self._known, self._unusable = read_each(
            found, providers=self._providers, declared=self._declared.versions
        )
        self._read_at = self._clock()


def read_each(
    found: Mapping[str, str], *, providers: Providers, declared: ByVersion = NONE_DECLARED
) -> tuple[dict[str, Connection], dict[str, Unusable]]:
    """Read the settings of each connection: those that can be used, and the others.

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
    """What connections show their provider: one secret, ``{"<connection>": {...}}``."""

    def __init__(
        self, client: "SecretsManagerClient", *, secret_id: str, clock: Callable[[], float]
    ) -> None:
        self._secret = SharedSecret(client, secret_id=secret_id)
        self._clock = clock
        self._known: Mapping[str, Any] = {}
        self._read_at = float("-inf")

    def get(self, connection_id: str) -> Mapping[str, str]:
        """The connection's credentials; none at all when it has none.

        :raises UnusableConnection: when they can't be sent to a provider as they are stored
        """
        if self._clock() - self._read_at > KEEP_SECONDS:
            try:
                self._known = self._secret.read()
            except NotOneObject:
                raise UnusableConnection(
                    f"the credentials of {connection_id} can't be used: their secret does not hold "
                    "one JSON object"
                ) from None
            self._read_at = self._clock()
        return credentials_of(connection_id, self._known)

    def forget(self) -> None:
        """Read again at the next use, because these were refused."""
        self._read_at = float("-inf")


def credentials_of(connection_id: str, entries: Mapping[str, Any]) -> Mapping[str, str]:
    """The credentials of one connection.

    :raises UnusableConnection: when its entry is none, or has a value that no header can carry
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
                f"the credentials of {connection_id} can't be used: {shown} is no text that "
                "an HTTP header can carry"
            )
    return entry
