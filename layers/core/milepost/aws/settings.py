"""Settings of connections in Parameter Store, and their credentials in Secrets Manager."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from milepost.connection import Connection, UnknownConnection

KEEP_SECONDS: Final = 300
REFRESH_SECONDS: Final = 1
"""A connection that is not known is asked for again: only authentic messages name one."""


class ConnectionSettings:
    """Implements ``connection.Connections``: every parameter below one path, read together."""

    def __init__(self, client: Any, *, path: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._path = path
        self._clock = clock
        self._known: dict[str, Connection] = {}
        self._read_at = float("-inf")

    def get(self, connection_id: str) -> Connection:
        age = self._clock() - self._read_at
        # One that is not known may have been applied a moment ago.
        if age > KEEP_SECONDS or (connection_id not in self._known and age > REFRESH_SECONDS):
            self._read()
        try:
            return self._known[connection_id]
        except KeyError:
            raise UnknownConnection(f"no connection {connection_id!r} is applied") from None

    def all(self) -> Mapping[str, Connection]:
        """Every connection, by id."""
        if self._clock() - self._read_at > KEEP_SECONDS:
            self._read()
        return self._known

    def _read(self) -> None:
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=self._path)
        found = [one["Value"] for page in pages for one in page["Parameters"]]
        connections = [Connection.from_json(text) for text in found]
        self._known = {one.id: one for one in connections}
        self._read_at = self._clock()


class ApiCredentials:
    """What connections show their provider: one secret, ``{"<connection>": {...}}``."""

    def __init__(self, client: Any, *, secret_id: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._known: dict[str, dict[str, str]] = {}
        self._read_at = float("-inf")

    def get(self, connection_id: str) -> Mapping[str, str]:
        """The connection's credentials; none at all when it has none."""
        if self._clock() - self._read_at > KEEP_SECONDS:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
            self._known = json.loads(answer["SecretString"])
            self._read_at = self._clock()
        return self._known.get(connection_id, {})

    def forget(self) -> None:
        """Read again at the next use, because these were refused."""
        self._read_at = float("-inf")
