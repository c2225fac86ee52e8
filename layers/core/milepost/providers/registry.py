"""The adapters by name. Short: the only place where a provider with code is registered."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from milepost.connections.connection import Connection, UnusableConnection
from milepost.connections.declared_provider import StoredProvider, UnusableProvider
from milepost.providers.base import Provider


class Registry(dict[str, str]):
    """The module of each adapter with code. Implements ``declared_provider.Providers``."""

    def check(self, stored: StoredProvider) -> None:
        """:raises UnusableProvider: when a declared provider can't be used"""
        import_module(_DECLARED).read_stored(stored)


_DECLARED: Final = "milepost.providers.declared.stored"
REGISTRY: Final = Registry(
    offergrid="milepost.providers.offergrid:Offergrid",
    rabot="milepost.providers.rabot:Rabot",
    spirii="milepost.providers.spirii:Spirii",
    subs="milepost.providers.subs:Subs",
)
"""Adapters are imported on first use, so that a function only loads those that it needs."""


_NAMES: Final[Mapping[str, str]] = {
    "offergrid": "Offergrid",
    "rabot": "RABOT Energy",
    "spirii": "Spirii",
    "subs": "SUBS",
}


def name_of(provider: str) -> str:
    """The display name of a provider; its id if it has none here."""
    return _NAMES.get(provider, provider)


class UnknownProvider(LookupError):
    """No adapter is registered by this name."""


def adapter_of(connection: Connection) -> Provider:
    """The adapter of a connection's provider, with code or declared.

    :raises UnknownProvider: when there is none
    :raises UnusableConnection: when its provider's file can't be used
    """
    if connection.declared is None:
        return adapter(connection.provider)
    try:
        provider: Provider = import_module(_DECLARED).adapter_for(
            connection.declared, connection.base_url
        )
    except UnusableProvider as unusable:
        raise UnusableConnection(f"the provider of {connection.id}: {unusable}") from None
    return provider


def adapter(name: str) -> Provider:
    """The adapter of a provider with code.

    :raises UnknownProvider: when there is none
    """
    try:
        module, _, attribute = REGISTRY[name].partition(":")
    except KeyError:
        known = ", ".join(sorted(REGISTRY))
        raise UnknownProvider(f"no provider {name!r}: there are {known}") from None
    provider: Provider = getattr(import_module(module), attribute)()
    return provider
