"""``milepost connections secret``: show, set and rotate a connection's secrets."""

import sys
from typing import Annotated, Any, Final

import typer

from cli.activity.recording import recorded
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.connections.apply_lock import changing
from cli.connections.provider_defaults import credential_names, profile_of, scheme_of
from cli.connections.signing_forms import is_signing_secret, what_it_takes
from cli.connections.stored_state import Stored, Stores, open_stores, read_stored
from cli.errors import COULD_NOT, CannotDo, WrongUse
from cli.options import JsonOption
from cli.output import is_interactive, tell, tell_json, warn
from cli.stack import Stack, StackOption, find_stack
from milepost.aws.shared_secret import Entries
from milepost.common.http_headers import is_header_value
from milepost.webhooks.receiver import Signing
from milepost.webhooks.secret_rotation import ProvidersKey, RotationInProgress, finished, rotated

SIGNING: Final = "signing"
_AGES: Final = ("current", "previous")

app = make_part("Signing secrets and credentials of a connection.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The connection's id.")]


@app.command("show", epilog=examples("connections secret show offergrid-main"))
def show_secret(
    connection_id: IdArgument,
    *,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the active signing secrets, to give the current one to the provider."""
    target = find_stack(stack)
    entry = _signing_entry(open_stores(target).signing.read(), connection_id)
    if is_interactive() and not yes and not typer.confirm("Print it here?", err=True):
        raise typer.Exit(COULD_NOT)
    if as_json:
        tell_json(_as_json(target, connection_id, entry))
        return
    for age, secret in zip(_AGES, entry["secrets"], strict=False):
        tell(f"{age:<8}  {secret}")


@app.command("rotate", epilog=examples("connections secret rotate offergrid-main"))
def rotate_secret(
    connection_id: IdArgument,
    *,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish", help="Remove the previous secret; the provider signs with the new one."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a new signing secret and print it once; the previous one stays active as well.

    Give the new secret to the provider, then repeat the command with --finish.
    """
    target = find_stack(stack)
    if finish:
        confirm(
            f"Remove the previous signing secret of {connection_id} permanently? Webhooks that are "
            "signed with it are refused from then on.",
            yes=yes,
        )

    def turn(entries: Entries) -> None:
        entry = _signing_entry(entries, connection_id)
        entries[connection_id] = (
            finished(entry, connection_id=connection_id)
            if finish
            else _rotated(entry, connection_id)
        )

    stores = open_stores(target)
    kind = "finish_signing_secret_rotation" if finish else "rotate_signing_secret"
    with (
        recorded(target, kind, connection=connection_id),
        changing(stores, compared=stores.declarations.version()),
    ):
        entries = stores.signing.change(turn)
    entry = entries[connection_id]
    if as_json:
        tell_json(_as_json(target, connection_id, entry))
    elif finish:
        tell(f"One signing secret of {connection_id} is active; functions use it within 5 minutes.")
    else:
        warn("Give this to the provider in half a minute: by then every function accepts it.")
        warn("Both are active until `secret rotate --finish`.")
        warn(
            "If a file names this connection's signing secrets, store it "
            "there as well: otherwise the next"
        )
        warn("apply restores the old one.")
        tell(entry["secrets"][0])


@app.command("set", epilog=examples("connections secret set rabot-energy client_secret"))
def set_secret(
    connection_id: IdArgument,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The name of a credential, such as api_key, or signing."
        ),
    ],
    *,
    stack: StackOption = None,
) -> None:
    """Store a credential, or the signing secret that the provider chose.

    The value is asked for, or read from standard input; it is never an argument, since others could
    see it there.
    """
    target = find_stack(stack)
    stores = open_stores(target)
    stored = read_stored(stores)
    if name != SIGNING:
        _require_credential(connection_id, name, stored)
    elif connection_id not in stored.settings:
        raise WrongUse(
            f"There is no connection {connection_id} in {target}; there are: "
            f"{', '.join(sorted(stored.ids)) or 'none'}. Apply it first."
        )
    value = _read_value(connection_id, name)
    # Not what was read before the question: a value that was typed is meant, whatever was there.
    with (
        recorded(target, "set_secret", connection=connection_id) as change,
        changing(stores, compared=stores.declarations.version()),
    ):
        change.concerns(secret=name)
        if name == SIGNING:
            _set_signing(stores, connection_id, value, stored)
        else:
            _set_credential(stores, connection_id, name, value)
    tell(f"Stored {name} of {connection_id}. Functions use it within 5 minutes.")
    if connection_id not in stored.settings:
        warn(f"No connection {connection_id} is applied yet: the value is kept until one is.")


def _require_credential(connection_id: str, name: str, stored: Stored) -> None:
    settings = stored.settings.get(connection_id)
    known = profile_of(settings.provider).credentials if settings else credential_names()
    if known and name not in known:
        asked = ", ".join([*known, *([SIGNING] if connection_id in stored.signing else [])])
        raise WrongUse(f"{connection_id} has no credential {name}: it has {asked}.")


def _read_value(connection_id: str, name: str) -> str:
    if is_interactive():
        value = typer.prompt(f"{name} of {connection_id}", hide_input=True, err=True).strip()
    else:
        value = sys.stdin.read().strip()
    if not value:
        raise WrongUse("No value was given: type it, or pass it on standard input.")
    return str(value)


def _set_credential(stores: Stores, connection_id: str, name: str, value: str) -> None:
    if not is_header_value(value):
        raise WrongUse(
            f"This can't be {name}: an HTTP header can't contain line breaks or "
            "control characters, and only characters of Latin-1."
        )

    def put(entries: Entries) -> None:
        there = entries.get(connection_id)
        entries[connection_id] = {**(there if isinstance(there, dict) else {}), name: value}

    stores.credentials.change(put)


def _set_signing(stores: Stores, connection_id: str, value: str, stored: Stored) -> None:
    scheme = scheme_of(stored.settings[connection_id].provider)
    if scheme is None:
        raise WrongUse(f"{stored.settings[connection_id].provider} sends no webhooks.")
    if not is_signing_secret(scheme, value):
        raise WrongUse(f"This is not a signing secret: {what_it_takes(scheme)}.")

    def put(entries: Entries) -> None:
        active = Signing.read(entries.get(connection_id)).secrets
        # While two are active a second try replaces the new one, and the provider's old one stays.
        others = [one for one in active[-1:] if one != value]
        entries[connection_id] = {"scheme": scheme, "secrets": [value, *others]}

    stores.signing.change(put)


def _signing_entry(entries: Entries, connection_id: str) -> dict[str, Any]:
    entry = entries.get(connection_id)
    if not isinstance(entry, dict) or not Signing.read(entry).secrets:
        known = ", ".join(sorted(entries)) or "none"
        raise CannotDo(f"{connection_id} has no signing secret; connections that have: {known}.")
    return entry


def _rotated(entry: dict[str, Any], connection_id: str) -> dict[str, Any]:
    try:
        return rotated(entry, connection_id=connection_id)
    except RotationInProgress:
        raise CannotDo(
            f"A rotation of {connection_id} is in progress: finish it with "
            f"`milepost connections secret rotate {connection_id} --finish`, or "
            "show the new secret with `secret show`."
        ) from None
    except ProvidersKey:
        raise CannotDo(
            f"{connection_id} verifies with the provider's public key: when the "
            "provider gives you a new key, run `milepost connections secret "
            f"set {connection_id} signing`."
        ) from None


def _as_json(stack: Stack, connection_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "connection": connection_id,
        "webhook_url": stack.webhook_url(connection_id),
        "scheme": entry["scheme"],
        "secrets": list(entry["secrets"]),
    }
