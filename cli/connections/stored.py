"""What the stack holds of its connections: settings, schedules, secrets, subscriptions, texts."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from cli.connections.schedules import PollSchedules
from cli.connections.texts import Texts
from cli.faults import CannotDo
from cli.stack import Stack
from milepost.aws import shared_secret
from milepost.aws.overrides import OverridesTable
from milepost.aws.shared_secret import Entries, NotOneObject
from milepost.aws.subscriptions_table import SubscriptionsTable
from milepost.connection import CommissionTerms, Connection, SenderIdentity
from milepost.subscriptions import Subscription

_ALWAYS: Final = frozenset({"id", "provider", "base_url"})


class SharedSecret(shared_secret.SharedSecret):
    """One secret that holds an entry a connection, as JSON."""

    def read(self) -> Entries:
        """Every entry.

        :raises CannotDo: when somebody has put something else there
        """
        try:
            return super().read()
        except NotOneObject as error:
            raise CannotDo(str(error)) from None


class StoredSettings:
    """Settings in Parameter Store, a parameter a connection."""

    def __init__(self, client: Any, *, path: str) -> None:
        self._client = client
        self._path = path

    def all(self) -> dict[str, Connection]:
        """Every connection that is applied, by id."""
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=self._path)
        found = [one["Value"] for page in pages for one in page["Parameters"]]
        return {one.id: one for one in map(Connection.from_json, found)}

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
        """Forget it; one that is gone already is no error."""
        self._client.delete_parameters(Names=[f"{self._path}/{connection_id}"])


def to_json(connection: Connection) -> str:
    """What ``Connection.from_json`` reads: all that differs from a connection's defaults."""
    bare = Connection(id=connection.id, provider=connection.provider, base_url=connection.base_url)
    values = {one.name: getattr(connection, one.name) for one in fields(Connection)}
    said = {
        name: _plain(value)
        for name, value in values.items()
        if name in _ALWAYS or value != getattr(bare, name)
    }
    return json.dumps(said, sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, CommissionTerms | SenderIdentity):
        return asdict(value)
    return sorted(value) if isinstance(value, frozenset) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Every place where ``milepost connections`` reads and writes."""

    settings: StoredSettings
    signing: SharedSecret
    credentials: SharedSecret
    schedules: PollSchedules
    subscriptions: SubscriptionsTable
    endpoint_secrets: SharedSecret
    texts: OverridesTable


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
    )


def open_settings(stack: Stack) -> StoredSettings:
    """The settings alone.

    :raises CannotDo: when the stack has none
    """
    return StoredSettings(stack.client("ssm"), path=stack.output("ConnectionsPath"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the stores held when they were read."""

    settings: Mapping[str, Connection]
    schedules: Mapping[str, Mapping[str, Any]]
    signing: Mapping[str, Any]
    credentials: Mapping[str, Any]
    subscriptions: Mapping[str, Subscription]
    endpoint_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    texts: Mapping[str, Texts] = field(default_factory=dict)

    @property
    def ids(self) -> set[str]:
        """Every connection of which anything is stored, also after half an apply."""
        return {*self.settings, *self.schedules, *self.signing, *self.credentials}

    def signing_secrets(self, connection_id: str) -> list[str]:
        return list(self.signing.get(connection_id, {}).get("secrets", ()))


def read_stored(stores: Stores) -> Stored:
    """Read all of it."""
    settings = stores.settings.all()
    return Stored(
        settings=settings,
        schedules=stores.schedules.all(),
        signing=stores.signing.read(),
        credentials=stores.credentials.read(),
        subscriptions={one.id: one for one in stores.subscriptions.all()},
        endpoint_secrets=stores.endpoint_secrets.read(),
        # There are none without settings: apply writes those first, and removes them last.
        texts={name: stores.texts.of_connection(name) for name in settings},
    )
