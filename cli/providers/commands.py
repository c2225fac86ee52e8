"""``milepost providers``: check, test, apply, list, show, compare and roll back files."""

import difflib
from typing import Annotated, Any, Final

import typer

from cli.activity.recording import recorded
from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.connections.apply_lock import changing
from cli.connections.stored import Stores, open_stores
from cli.errors import COULD_NOT, CannotDo, Fault, WrongUse
from cli.options import JsonOption, YesOption
from cli.output import tell, tell_json, tell_table, warn
from cli.providers.apply import Situation, look_at, next_version, switch
from cli.providers.compare import Effects, effects_of
from cli.providers.file import read_provider
from cli.providers.host_check import check_hosts
from cli.providers.offline_commands import (
    FileArgument,
    NameArgument,
    as_yaml,
    existing_file,
    propose_file,
    try_file,
)
from cli.providers.storing import StoredProviders
from cli.stack import Stack, StackOption, find_stack
from milepost.connections.declared_provider import StoredProvider, UnusableProvider
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.stored import read_stored
from milepost.providers.registry import REGISTRY

_SHOWN: Final = 20
_ANYWHERE: Final = "https://samples.invalid"

app = make_part("Declared providers: those that a file describes (docs/add-a-provider.md).")

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show the changes without making them.")
]


app.command("new", epilog=examples("providers new heatly --from captured/list-1.json"))(
    propose_file
)
app.command("test", epilog=examples("providers test providers/heatly.yaml --samples captured/"))(
    try_file
)


@app.command("apply", epilog=examples("providers apply providers/heatly.yaml --stack milepost-dev"))
def apply_file(
    file: FileArgument,
    *,
    stack: StackOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Store a file as the next version of its provider, and move its connections to it.

    First shows the changes of the file, and which orders and quarantined payloads would be read
    differently. Other providers are not changed.
    """
    said = read_provider(existing_file(file))
    target = find_stack(stack)
    check_hosts(said)
    stores, providers = open_stores(target), _open(target)
    version = stores.declarations.version()
    situation = look_at(stores.settings, providers, said.name)
    to = next_version(situation, said)
    if situation.current and situation.current.text == to.text:
        _tell_nothing(said, situation.current, as_json=as_json)
        return
    _switch(
        target, stores, providers, situation, to=to, said=said, version=version,
        yes=yes, dry_run=dry_run, as_json=as_json, is_new=True,
    )  # fmt: skip


@app.command("rollback", epilog=examples("providers rollback heatly --to 3"))
def roll_back(
    name: NameArgument,
    *,
    to: Annotated[
        int | None, typer.Option("--to", help="The version; by default the previous one.")
    ] = None,
    stack: StackOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make an earlier version of a provider current again, for its connections too."""
    target = find_stack(stack)
    stores, providers = open_stores(target), _open(target)
    version = stores.declarations.version()
    situation = look_at(stores.settings, providers, name)
    versions = situation.declared.versions_of(name)
    current = situation.current.version if situation.current else 0
    wanted = to if to is not None else max((one for one in versions if one < current), default=0)
    stored = situation.declared.versions.get((name, wanted))
    if stored is None:
        there = ", ".join(map(str, versions)) or "none"
        raise WrongUse(f"{name} has no such version: there are {there}.")
    _switch(
        target, stores, providers, situation, to=stored, said=_readable(stored), version=version,
        yes=yes, dry_run=dry_run, as_json=as_json, is_new=False,
    )  # fmt: skip


@app.command("list", epilog=examples("providers list"))
def list_providers(*, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Show the declared providers, their versions, and the connections that use them."""
    target = find_stack(stack)
    settings = open_stores(target).settings
    declared = _open(target).read()
    known = settings.all()
    rows: list[dict[str, Any]] = []
    for name in declared.names:
        used = [
            f"{one.id}@{one.provider_version}" for one in known.values() if one.provider == name
        ]
        rows.append(
            {
                "provider": name,
                "current": declared.current.get(name),
                "versions": declared.versions_of(name),
                "connections": sorted(used),
            }
        )
    if as_json:
        tell_json({"declared": rows, "programmed": sorted(REGISTRY)})
        return
    tell_table(
        ["provider", "current", "versions", "connections"],
        [
            [one["provider"], str(one["current"] or "none"), _joined(one["versions"]),
             _joined(one["connections"]) or "none"]
            for one in rows
        ],
    )  # fmt: skip
    tell(f"Programmed: {', '.join(sorted(REGISTRY))}")


@app.command("show", epilog=examples("providers show heatly --version 2"))
def show_provider(
    name: NameArgument,
    *,
    version: Annotated[int | None, typer.Option("--version", min=1)] = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a stored version as a file, with every key that it sets."""
    stored = _find(_open(find_stack(stack)), name, version)
    content = _readable(stored).model_dump(mode="json", exclude_defaults=True)
    if as_json:
        tell_json(content)
    else:
        tell(as_yaml(content))


@app.command("diff", epilog=examples("providers diff providers/heatly.yaml"))
def compare_file(
    file: FileArgument, *, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """Show how a file differs from the stored version. Exit code 1 when it does."""
    said = read_provider(existing_file(file))
    target = find_stack(stack)
    current = _open(target).read().current_of(said.name)
    lines = _difference(current, said)
    if as_json:
        tell_json({"provider": said.name, "difference": lines})
    else:
        tell("\n".join(lines) or "Nothing differs.")
    if lines:
        raise typer.Exit(COULD_NOT)


def _switch(
    target: Stack,
    stores: Stores,
    providers: StoredProviders,
    situation: Situation,
    *,
    to: StoredProvider,
    said: Declaration,
    version: str | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    is_new: bool,
) -> None:
    lines = _difference(situation.current, said)
    effects = _effects(target, situation, said)
    if not as_json:
        tell(f"Stack {target}: {to}", style="bold")
        tell("\n".join(lines))
        _show_effects(situation, effects)
    if not dry_run:
        confirm(f"Make {to} current in {target}?", yes=yes)
        with (
            recorded(target, "apply_provider") as change,
            changing(stores, compared=version),
        ):
            change.concerns(provider=to.name)
            before = situation.current.version if situation.current else None
            change.changed(before={"version": before}, after={"version": to.version})
            switch(stores, providers, situation, to=to, said=said, is_new=is_new)
    if as_json:
        tell_json(
            {
                "provider": to.name,
                "version": to.version,
                "applied": not dry_run,
                "difference": lines,
                "connections": [one.id for one in situation.moving],
                "orders": effects.orders,
                "payloads": effects.payloads,
            }
        )
    else:
        tell(
            "Nothing was written (--dry-run)."
            if dry_run
            else "Applied. Functions use it within 5 minutes."
        )


def _effects(target: Stack, situation: Situation, said: Declaration) -> Effects:
    if not situation.moving:
        return Effects()
    base_url = said.base_url or _ANYWHERE
    try:
        before = (
            DeclaredProvider(read_stored(situation.current), base_url=base_url)
            if situation.current
            else None
        )
    except UnusableProvider:
        before = None
    after = DeclaredProvider(said, base_url=base_url)
    try:
        api = OrdersApi(target)
    except Fault as fault:
        return Effects(not_asked=str(fault))
    return effects_of(api, situation.moving, before=before, after=after)


def _show_effects(situation: Situation, effects: Effects) -> None:
    moving = _joined([one.id for one in situation.moving]) or "none yet"
    tell(f"Connections that use it: {moving}")
    if situation.staying:
        tell(
            f"Connections that keep their version: {_joined([one.id for one in situation.staying])}"
        )
    if effects.not_asked:
        warn(f"The changes of orders could not be determined: {effects.not_asked}")
    for line in effects.lines[:_SHOWN]:
        tell(f"  {line}")
    if len(effects.lines) > _SHOWN:
        tell(f"  and {len(effects.lines) - _SHOWN} more")
    looked = ", ".join(f"{count} {what}" for what, count in sorted(effects.looked_at.items()))
    tell(f"Read differently: {len(effects.lines)} of {looked or 'none'}.")


def _difference(current: StoredProvider | None, said: Declaration) -> list[str]:
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


def _find(providers: StoredProviders, name: str, version: int | None) -> StoredProvider:
    declared = providers.read()
    number = version if version is not None else declared.current.get(name, 0)
    stored = declared.versions.get((name, number))
    if stored is None:
        there = ", ".join(declared.names) or "none"
        raise WrongUse(f"There is no such version of {name}; declared providers: {there}.")
    return stored


def _readable(stored: StoredProvider) -> Declaration:
    try:
        return read_stored(stored)
    except UnusableProvider as error:
        raise CannotDo(f"{error}.") from None


def _open(stack: Stack) -> StoredProviders:
    return StoredProviders(stack.client("ssm"), path=stack.output("ConnectionsPath"))


def _tell_nothing(said: Declaration, current: StoredProvider, *, as_json: bool) -> None:
    if as_json:
        tell_json({"provider": said.name, "version": current.version, "applied": False})
    else:
        tell(f"Nothing to change: {current} is the same.")


def _joined(several: list[Any]) -> str:
    return ", ".join(map(str, several))
