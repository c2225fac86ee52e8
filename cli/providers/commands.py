"""``milepost providers``: check, test, apply, list, show, compare and roll back files."""

from typing import Annotated, Any, Final

import typer

from cli.command_group import examples, make_part
from cli.connections.stored_state import open_stores
from cli.errors import COULD_NOT, CannotDo, WrongUse
from cli.options import CsvOption, JsonOption, YesOption
from cli.output import tell, tell_csv, tell_json, tell_table
from cli.providers.apply import next_version
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
from cli.providers.switching import Switch, difference, joined, look_in, open_providers
from cli.stack import StackOption, find_stack
from milepost.connections.declared_provider import StoredProvider, UnusableProvider
from milepost.exports.list_columns import PROVIDERS
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
    there = look_in(target, said.name)
    to, current = next_version(there.situation, said), there.situation.current
    if current and current.text == to.text:
        _tell_nothing(said, current, as_json=as_json)
        return
    change = Switch(there=there, to=to, content=said, is_new=True)
    change.run(yes=yes, dry_run=dry_run, as_json=as_json)


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
    there = look_in(find_stack(stack), name)
    situation = there.situation
    versions = situation.declared.versions_of(name)
    current = situation.current.version if situation.current else 0
    wanted = to if to is not None else max((one for one in versions if one < current), default=0)
    stored = situation.declared.versions.get((name, wanted))
    if stored is None:
        raise WrongUse(f"{name} has no such version: there are {joined(versions) or 'none'}.")
    change = Switch(there=there, to=stored, content=_readable(stored), is_new=False)
    change.run(yes=yes, dry_run=dry_run, as_json=as_json)


@app.command("list", epilog=examples("providers list"))
def list_providers(
    *, stack: StackOption = None, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """Show the declared providers, their versions, and the connections that use them."""
    target = find_stack(stack)
    settings = open_stores(target).settings
    declared = open_providers(target).read()
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
    if as_csv:
        tell_csv(PROVIDERS, rows)
        return
    tell_table(
        ["provider", "current", "versions", "connections"],
        [
            [one["provider"], str(one["current"] or "none"), joined(one["versions"]),
             joined(one["connections"]) or "none"]
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
    stored = _find(open_providers(find_stack(stack)), name, version)
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
    current = open_providers(target).read().current_of(said.name)
    lines = difference(current, said)
    if as_json:
        tell_json({"provider": said.name, "difference": lines})
    else:
        tell("\n".join(lines) or "Nothing differs.")
    if lines:
        raise typer.Exit(COULD_NOT)


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


def _tell_nothing(said: Declaration, current: StoredProvider, *, as_json: bool) -> None:
    if as_json:
        tell_json({"provider": said.name, "version": current.version, "applied": False})
    else:
        tell(f"Nothing to change: {current} is the same.")
