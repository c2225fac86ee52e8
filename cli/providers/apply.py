"""Stores a version of a provider's file, and switches its connections to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cli.connections.stored_state import StoredSettings, Stores
from cli.errors import CannotDo
from cli.providers.stored_versions import learn
from cli.providers.storing import StoredProviders
from milepost.aws.shared_secret import Entries
from milepost.connections.aws.stored_providers import DeclaredProviders
from milepost.connections.connection import Connection
from milepost.connections.declared_provider import StoredProvider, TooLarge, pack
from milepost.providers.declared.file_format import Declaration
from milepost.providers.registry import REGISTRY
from milepost.webhooks.signature_schemes import parameters

KEPT: Final = 10
"""Versions of a provider that are kept, beside those that connections use."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The stored data of one provider in a stack."""

    declared: DeclaredProviders
    current: StoredProvider | None
    moving: list[Connection]
    """The connections that have the current version: they go on to the next one."""
    staying: list[Connection]
    """Those that the file of connections keeps at another version."""


def look_at(settings: StoredSettings, providers: StoredProviders, name: str) -> Situation:
    """The stored data of a provider now."""
    declared = providers.read()
    learn(declared)
    connections = [one for one in settings.all().values() if one.provider == name]
    current = declared.current_of(name)
    version = current.version if current else None
    return Situation(
        declared,
        current,
        [one for one in connections if one.provider_version == version],
        [one for one in connections if one.provider_version != version],
    )


def next_version(situation: Situation, said: Declaration) -> StoredProvider:
    """The version that a file would become.

    :raises CannotDo: when its name is taken, or it is too large to be stored
    """
    if said.name in REGISTRY:
        raise CannotDo(f"{said.name} is the name of a built-in provider: use another name.")
    versions = situation.declared.versions_of(said.name)
    stored = StoredProvider(said.name, max(versions, default=0) + 1, said.as_json())
    try:
        pack(stored.text)
    except TooLarge as error:
        raise CannotDo(
            f"The file can't be stored: {error}. Remove facts or status words "
            "that you don't need, or write an adapter (docs/add-a-provider.md)."
        ) from None
    return stored


def switch(
    stores: Stores,
    providers: StoredProviders,
    situation: Situation,
    *,
    to: StoredProvider,
    said: Declaration,
    is_new: bool,
) -> None:
    """Make a version current, and switch the connections that use the previous one."""
    if is_new:
        providers.add(to)
    for one in situation.moving:
        stores.settings.put(replace(one, provider_version=to.version))
    scheme = parameters(said.webhooks.scheme()) if said.webhooks else None
    if situation.moving and scheme is not None:
        ids = [one.id for one in situation.moving]
        stores.signing.change(lambda entries: _set_scheme(entries, ids, scheme))
    # Last: whoever applies connections meanwhile gets the version that is complete.
    providers.make_current(to.name, to.version)
    _drop_old(providers, situation, to)


def _set_scheme(entries: Entries, connection_ids: list[str], scheme: Any) -> None:
    for one in connection_ids:
        entry = entries.get(one)
        if isinstance(entry, Mapping):
            entries[one] = {**entry, "scheme": scheme}


def _drop_old(providers: StoredProviders, situation: Situation, now: StoredProvider) -> None:
    used = {one.provider_version for one in situation.staying} | {now.version}
    if situation.current:
        used.add(situation.current.version)
    old = situation.declared.versions_of(now.name)[:-KEPT]
    providers.delete(now.name, [one for one in old if one not in used])
