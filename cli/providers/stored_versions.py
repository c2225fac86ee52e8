"""Looks up a stack's declared providers by name."""

from dataclasses import dataclass

from milepost.connections.aws.stored_providers import DeclaredProviders
from milepost.connections.declared_provider import UnusableProvider
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.stored import read_stored


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A declared provider in its current version."""

    said: Declaration
    version: int


_KNOWN: dict[str, KnownProvider] = {}
"""Of the stack that this command is about: a command is about one."""


def learn(declared: DeclaredProviders) -> None:
    """Cache the providers of a stack, replacing those that were cached before."""
    _KNOWN.clear()
    for name in declared.names:
        stored = declared.current_of(name)
        if stored is None:
            continue
        try:
            _KNOWN[name] = KnownProvider(read_stored(stored), stored.version)
        except UnusableProvider:
            # Its connections are closed, and say why.
            continue


def known_provider(name: str) -> KnownProvider | None:
    """The declared provider with this name; None if there is none."""
    return _KNOWN.get(name)


def known_names() -> list[str]:
    """The declared providers."""
    return sorted(_KNOWN)
