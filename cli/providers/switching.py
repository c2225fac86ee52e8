"""Makes a version of a provider current: shows the changes, asks for confirmation, applies them."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cli.activity.recording import recorded
from cli.api import OrdersApi
from cli.confirmation import confirm
from cli.connections.apply_lock import changing
from cli.connections.stored_state import Stores, open_stores
from cli.errors import Fault
from cli.output import tell, tell_json, warn
from cli.providers.apply import Situation, look_at, switch
from cli.providers.compare import Effects, effects_of
from cli.providers.offline_commands import as_yaml
from cli.providers.storing import StoredProviders
from cli.stack import Stack
from milepost.connections.declared_provider import StoredProvider, UnusableProvider
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.stored import read_stored

_SHOWN: Final = 20
_ANYWHERE: Final = "https://samples.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInStack:
    """A provider in a stack, and where it is stored."""

    target: Stack
    stores: Stores
    providers: StoredProviders
    situation: Situation
    connections_version: str | None
    """The version of the stack's connections when this was read."""


def open_providers(target: Stack) -> StoredProviders:
    """The declared providers of a stack."""
    return StoredProviders(target.client("ssm"), path=target.output("ConnectionsPath"))


def look_in(target: Stack, name: str) -> ProviderInStack:
    """Read the stored data of the provider with this name."""
    stores, providers = open_stores(target), open_providers(target)
    # Read first: a change after this is then noticed.
    version = stores.declarations.version()
    return ProviderInStack(
        target=target,
        stores=stores,
        providers=providers,
        situation=look_at(stores.settings, providers, name),
        connections_version=version,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A version that is to become current, including for the provider's connections."""

    there: ProviderInStack
    to: StoredProvider
    content: Declaration
    """What the version says."""
    is_new: bool
    """Whether the version is still to be stored."""

    def run(self, *, yes: bool, dry_run: bool, as_json: bool) -> None:
        """Show the changes, ask for confirmation, and apply them."""
        target = self.there.target
        lines = difference(self.there.situation.current, self.content)
        effects = self._effects()
        if not as_json:
            tell(f"Stack {target}: {self.to}", style="bold")
            tell("\n".join(lines))
            self._show(effects)
        if not dry_run:
            confirm(f"Make {self.to} current in {target}?", yes=yes)
            self._write()
        if as_json:
            self._tell_json(lines, effects, applied=not dry_run)
        elif dry_run:
            tell("Nothing was written (--dry-run).")
        else:
            tell("Applied. Functions use it within 5 minutes.")

    def _effects(self) -> Effects:
        """How orders and quarantined payloads would be read differently."""
        situation = self.there.situation
        if not situation.moving:
            return Effects()
        base_url = self.content.base_url or _ANYWHERE
        try:
            before = (
                DeclaredProvider(read_stored(situation.current), base_url=base_url)
                if situation.current
                else None
            )
        except UnusableProvider:
            before = None
        after = DeclaredProvider(self.content, base_url=base_url)
        try:
            api = OrdersApi(self.there.target)
        except Fault as fault:
            return Effects(not_asked=str(fault))
        return effects_of(api, situation.moving, before=before, after=after)

    def _write(self) -> None:
        there, current = self.there, self.there.situation.current
        with (
            recorded(there.target, "apply_provider") as change,
            changing(there.stores, compared=there.connections_version),
        ):
            change.concerns(provider=self.to.name)
            before = current.version if current else None
            change.changed(before={"version": before}, after={"version": self.to.version})
            switch(
                there.stores,
                there.providers,
                there.situation,
                to=self.to,
                said=self.content,
                is_new=self.is_new,
            )

    def _show(self, effects: Effects) -> None:
        situation = self.there.situation
        moving = joined([one.id for one in situation.moving]) or "none yet"
        tell(f"Connections that use it: {moving}")
        if situation.staying:
            staying = joined([one.id for one in situation.staying])
            tell(f"Connections that keep their version: {staying}")
        if effects.not_asked:
            warn(f"The changes of orders could not be determined: {effects.not_asked}")
        for line in effects.lines[:_SHOWN]:
            tell(f"  {line}")
        if len(effects.lines) > _SHOWN:
            tell(f"  and {len(effects.lines) - _SHOWN} more")
        looked = ", ".join(f"{count} {what}" for what, count in sorted(effects.looked_at.items()))
        tell(f"Read differently: {len(effects.lines)} of {looked or 'none'}.")

    def _tell_json(self, lines: Sequence[str], effects: Effects, *, applied: bool) -> None:
        tell_json(
            {
                "provider": self.to.name,
                "version": self.to.version,
                "applied": applied,
                "difference": lines,
                "connections": [one.id for one in self.there.situation.moving],
                "orders": effects.orders,
                "payloads": effects.payloads,
            }
        )


def difference(current: StoredProvider | None, said: Declaration) -> list[str]:
    """The lines in which a file differs from the stored version."""
    try:
        there = (
            read_stored(current).model_dump(mode="json", exclude_defaults=True) if current else {}
        )
    except UnusableProvider:
        there = {}
    before = as_yaml(there).splitlines() if there else []
    after = as_yaml(said.model_dump(mode="json", exclude_defaults=True)).splitlines()
    name = str(current) if current else "nothing"
    return [one.rstrip("\n") for one in difflib.unified_diff(before, after, name, "the file", n=1)]


def joined(several: Sequence[object]) -> str:
    return ", ".join(map(str, several))
