"""The adapters by name. Short: a new provider is registered here and nowhere else."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from milepost.providers.base import Provider

REGISTRY: Final[Mapping[str, str]] = {
    "offergrid": "milepost.providers.offergrid:Offergrid",
    "rabot": "milepost.providers.rabot:Rabot",
    "spirii": "milepost.providers.spirii:Spirii",
    "subs": "milepost.providers.subs:Subs",
}
"""Where each adapter is. Imported when first used: a function pays for the providers it meets."""


_NAMES: Final[Mapping[str, str]] = {
    "offergrid": "Offergrid",
    "rabot": "RABOT Energy",
    "spirii": "Spirii",
    "subs": "SUBS",
}


def name_of(provider: str) -> str:
    """What people call a provider; the id itself of one that has no name here."""
    return _NAMES.get(provider, provider)


class UnknownProvider(LookupError):
    """No adapter is registered by this name."""


def adapter(name: str) -> Provider:
    """The adapter of a provider.

    :raises UnknownProvider: when there is none
    """
    try:
        module, _, attribute = REGISTRY[name].partition(":")
    except KeyError:
        known = ", ".join(sorted(REGISTRY))
        raise UnknownProvider(f"no provider {name!r}: there are {known}") from None
    provider: Provider = getattr(import_module(module), attribute)()
    return provider
