"""Reads a stack's connections: settings, schedules, secrets, subscriptions and templates."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from cli.connections.custom_templates import Texts
from cli.connections.schedules import PollSchedules
from cli.errors import CannotDo
from cli.providers.stored_versions import learn
from cli.stack import Stack
from milepost.aws import shared_secret
from milepost.aws.shared_secret import Entries, ManyWriters, NotOneObject
from milepost.connections.aws.declarations import DeclarationsTable
from milepost.connections.aws.settings import credentials_of, read_each
from milepost.connections.aws.stored_providers import read_parameters
from milepost.connections.connection import (
    CommissionTerms,
    Connection,
    FollowUp,
    SenderIdentity,
    TrackingPage,
    UnusableConnection,
)
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.subscription import Subscription
from milepost.providers.registry import REGISTRY
from milepost.webhooks.receiver import Signing

_ALWAYS: Final = frozenset({"id", "provider", "base_url"})


class SharedSecret(shared_secret.SharedSecret):
    """One secret with an entry for each connection, as JSON."""

    def change(self, change: Callable[[Entries], None]) -> Entries:
        """Replace the entries with the result of ``change``.

        :raises CannotDo: when others write it all the time
        """
        try:
            return super().change(change)
        except ManyWriters as error:
            raise CannotDo(str(error)) from None

    def read(self) -> Entries:
        """Every entry.

        :raises CannotDo: when somebody has put something else there
        """
        try:
            return super().read()
        except NotOneObject as error:
            raise CannotDo(str(error)) from None


class StoredSettings:
    """Settings in Parameter Store, with one parameter for each connection."""

    def __init__(self, client: Any, *, path: str) -> None:
        self._client = client
        self._path = path

    def read_each(self) -> tuple[dict[str, Connection], dict[str, str]]:
        """Every applied connection, by id, and why the settings of others can't be used."""
        found, declared = read_parameters(self._client, path=self._path)
        learn(declared)
        known, unusable = read_each(found, providers=REGISTRY, declared=declared.versions)
        return known, {name: one.why for name, one in unusable.items()}

    def all(self) -> dict[str, Connection]:
        """Every connection with valid settings, by id."""
        return self.read_each()[0]

    def ids(self) -> list[str]:
        """Every applied connection."""
        known, unusable = self.read_each()
        return sorted({*known, *unusable})

    def put(self, connection: Connection) -> None:
        self._client.put_parameter(
            Name=f"{self._path}/{connection.id}",
            Value=to_json(connection),
            Type="String",
            # Standard, and free, until many options make it longer than 4 KB.
            Tier="Intelligent-Tiering",
            Overwrite=True,
        )

    def delete(self, connection_id: str) -> None:
        """Delete the settings; it is no error if they don't exist."""
        self._client.delete_parameters(Names=[f"{self._path}/{connection_id}"])


def to_json(connection: Connection) -> str:
    """The inverse of ``read_settings``: all values that differ from a connection's defaults."""
    bare = Connection(id=connection.id, provider=connection.provider, base_url=connection.base_url)
    # What isn't compared is no setting.
    values = {one.name: getattr(connection, one.name) for one in fields(Connection) if one.compare}
    said = {
        name: _plain(value)
        for name, value in values.items()
        if name in _ALWAYS or value != getattr(bare, name)
    }
    return json.dumps(said, sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, CommissionTerms | FollowUp | SenderIdentity | TrackingPage):
        return asdict(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return sorted(value) if isinstance(value, frozenset) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All places that ``milepost connections`` reads and writes."""

    settings: StoredSettings
    signing: SharedSecret
    credentials: SharedSecret
    schedules: PollSchedules
    subscriptions: SubscriptionsTable
    endpoint_secrets: SharedSecret
    texts: OverridesTable
    declarations: DeclarationsTable


def open_stores(stack: Stack) -> Stores:
    """The stores of a stack.

    :raises CannotDo: when the stack lacks one
    """
    secrets, dynamodb = stack.client("secretsmanager"), stack.client("dynamodb")
    table_name = stack.output("NoticesTable")
    return Stores(
        settings=open_settings(stack),
        signing=SharedSecret(secrets, secret_id=stack.output("SigningSecretsArn")),
        credentials=SharedSecret(secrets, secret_id=stack.output("ApiCredentialsArn")),
        schedules=PollSchedules(stack),
        subscriptions=SubscriptionsTable(dynamodb, table_name=table_name),
        endpoint_secrets=SharedSecret(secrets, secret_id=stack.output("EndpointSecretsArn")),
        texts=OverridesTable(dynamodb, table_name=table_name, clock=time.monotonic),
        declarations=DeclarationsTable(dynamodb, table_name=table_name),
    )


def open_settings(stack: Stack) -> StoredSettings:
    """Only the settings.

    :raises CannotDo: when the stack has none
    """
    return StoredSettings(stack.client("ssm"), path=stack.output("ConnectionsPath"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The contents of the stores when they were read."""

    settings: Mapping[str, Connection]
    schedules: Mapping[str, Mapping[str, Any]]
    signing: Mapping[str, Any]
    credentials: Mapping[str, Any]
    subscriptions: Mapping[str, Subscription]
    endpoint_secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)
    texts: Mapping[str, Texts] = field(default_factory=dict)
    unusable: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By connection, what of it is stored and can't be used, a sentence each."""
    unreadable_subscriptions: Sequence[str] = ()
    version: str | None = None
    """Of all that is declared, as it was before any of this was read."""

    @property
    def ids(self) -> set[str]:
        """Every connection with any stored data, even after an interrupted apply."""
        return {
            *self.settings,
            *self.schedules,
            *self.signing,
            *self.credentials,
            *self.unusable,
        }

    def signing_secrets(self, connection_id: str) -> list[str]:
        return list(self.signing.get(connection_id, {}).get("secrets", ()))


def read_stored(stores: Stores) -> Stored:
    """Read everything, each connection independently of the others."""
    version = stores.declarations.version()
    settings, why = stores.settings.read_each()
    unusable = {name: [one] for name, one in why.items()}
    credentials = _usable_credentials(stores.credentials.read(), unusable)
    signing = _usable_signing(stores.signing.read(), unusable)
    subscriptions, unreadable = stores.subscriptions.read_each(consistent=True)
    endpoint_secrets = stores.endpoint_secrets.read()
    return Stored(
        version=version,
        settings=settings,
        schedules=stores.schedules.all(),
        signing=signing,
        credentials=credentials,
        unusable=unusable,
        subscriptions={one.id: one for one in subscriptions},
        unreadable_subscriptions=unreadable,
        endpoint_secrets=endpoint_secrets,
        # There are none without settings: apply writes those first, and removes them last.
        texts={name: stores.texts.of_connection(name) for name in settings},
    )


def _usable_credentials(entries: Entries, unusable: dict[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in entries:
        try:
            found[name] = credentials_of(name, entries)
        except UnusableConnection as bad:
            unusable.setdefault(name, []).append(str(bad))
    return found


def _usable_signing(entries: Entries, unusable: dict[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, entry in entries.items():
        signing = Signing.read(entry)
        if signing.scheme and all(isinstance(one, str) for one in signing.secrets):
            found[name] = entry
        else:
            unusable.setdefault(name, []).append(
                f"the signing secrets of {name} can't be used: they have to be "
                "a scheme and a list of texts"
            )
    return found
