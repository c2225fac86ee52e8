"""Writes declared providers into Parameter Store; functions only read them."""

from collections.abc import Iterable
from typing import Any, Final

from milepost.connections.aws.stored_providers import (
    BELOW,
    CURRENT,
    DeclaredProviders,
    read_parameters,
)
from milepost.connections.declared_provider import StoredProvider, pack

_MOST_AT_ONCE: Final = 10


class StoredProviders:
    """Writes declared providers."""

    def __init__(self, client: Any, *, path: str) -> None:
        self._client = client
        self._path = path

    def read(self) -> DeclaredProviders:
        return read_parameters(self._client, path=self._path)[1]

    def add(self, provider: StoredProvider) -> None:
        """Store a version; one that exists is not changed.

        :raises TooLarge: when it can't be stored
        """
        self._client.put_parameter(
            Name=self._name(provider.name, str(provider.version)),
            Value=pack(provider.text),
            Type="String",
            Tier="Intelligent-Tiering",
            Overwrite=False,
        )

    def make_current(self, name: str, version: int) -> None:
        self._client.put_parameter(
            Name=self._name(name, CURRENT), Value=str(version), Type="String", Overwrite=True
        )

    def delete(self, name: str, versions: Iterable[int], *, with_current: bool = False) -> None:
        """Delete versions; missing ones are not an error."""
        names = [self._name(name, str(one)) for one in versions]
        names += [self._name(name, CURRENT)] if with_current else []
        for start in range(0, len(names), _MOST_AT_ONCE):
            self._client.delete_parameters(Names=names[start : start + _MOST_AT_ONCE])

    def _name(self, name: str, what: str) -> str:
        return f"{self._path}/{BELOW}/{name}/{what}"
