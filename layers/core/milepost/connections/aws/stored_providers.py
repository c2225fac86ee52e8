"""Declared providers in Parameter Store, next to the settings of the connections that use them.

Below the connections' path: ``providers/<name>/<version>`` holds one version and never changes,
``providers/<name>/current`` says which of them connections get. Functions read both together with
the settings, by the same call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from milepost.connections.declared_provider import (
    StoredProvider,
    UnusableProvider,
    unpack,
)

BELOW: Final = "providers"
CURRENT: Final = "current"
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class DeclaredProviders:
    """Every version of every declared provider, and the current version of each."""

    versions: Mapping[tuple[str, int], StoredProvider] = field(default_factory=dict)
    current: Mapping[str, int] = field(default_factory=dict)

    def versions_of(self, name: str) -> list[int]:
        return sorted(version for one, version in self.versions if one == name)

    def current_of(self, name: str) -> StoredProvider | None:
        """The current version; None if there is none."""
        version = self.current.get(name)
        return self.versions.get((name, version)) if version is not None else None

    @property
    def names(self) -> list[str]:
        return sorted({name for name, _ in self.versions})


def read_parameters(client: Any, *, path: str) -> tuple[dict[str, str], DeclaredProviders]:
    """The settings of each connection as text, and the declared providers."""
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
    settings: dict[str, str] = {}
    versions: dict[tuple[str, int], StoredProvider] = {}
    current: dict[str, int] = {}
    for page in pages:
        for one in page["Parameters"]:
            parts = one["Name"].removeprefix(f"{path}/").split("/")
            if len(parts) == 1:
                settings[parts[0]] = one["Value"]
            elif len(parts) == _PARTS and parts[0] == BELOW:
                _take(parts[1], parts[2], one["Value"], versions, current)
    return settings, DeclaredProviders(versions, current)


def _take(
    name: str,
    what: str,
    value: str,
    versions: dict[tuple[str, int], StoredProvider],
    current: dict[str, int],
) -> None:
    number = value if what == CURRENT else what
    if not number.isdecimal() or len(number) > 6:
        return
    if what == CURRENT:
        current[name] = int(number)
        return
    try:
        text = unpack(value)
    except UnusableProvider:
        # Included without content, so that its connections report why they can't be used.
        text = ""
    versions[(name, int(number))] = StoredProvider(name, int(number), text)
