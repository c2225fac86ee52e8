"""The connections of the local stack: applied like a team's, with the sandboxes as providers."""

import string
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import yaml

from local.declared_providers import (
    apply_providers,
    declared_connections,
    provider_files,
    with_declared,
)
from local.deployment import STACK_NAME, Deployment
from local.emulator_access import Access
from local.errors import CannotStart
from local.files import ROOT, Places
from local.processes import plain_environment
from local.sandboxes.server import Sandboxes
from local.sandboxes.settings import Connection, make_connection

DECLARED: Final = ROOT / "local" / "connections.yaml"
_OF_THE_DEMO: Final = """\
  - email: desk@example.org
    kinds: [failed, attention, overdue]
  - slack: {slack}
    kinds: [accepted, rejected, failed, attention, overdue]
    owner: desk@example.org
  - teams: {teams}
    kinds: [scheduled, rescheduled, cancelled, completed]
    customer_names: true
    owner: desk@example.org
"""
"""Who looks after what goes wrong, and two chats. Subscribed only while the demo runs."""
_POLL_FUNCTION: Final = "PollOrdersFunction"


def list_connections(*, api_url: str) -> list[Connection]:
    """The connections of the declared file with their sandboxes, and the URLs of their webhooks."""
    declared = yaml.safe_load(DECLARED.read_text())["connections"]
    found = [make_connection(entry["id"], entry["provider"]) for entry in declared]
    found += declared_connections(provider_files())
    for connection in found:
        if connection.signing.secrets:
            connection.webhook_url = f"{api_url}/webhooks/{connection.id}"
    return found


def write_connections(
    path: Path,
    *,
    connections: Sequence[Connection],
    base_url: str,
    chats: Mapping[str, str] | None,
) -> None:
    """The declared file, with the addresses and secrets of this run's sandboxes.

    :param chats: the addresses of the chats' webhooks, for the demo's subscriptions; None for no
        demo
    """
    values = {"SANDBOXES": base_url}
    for connection in connections:
        name = connection.id.replace("-", "_").upper()
        secrets = connection.signing.secrets
        values |= {f"{name}_{key.upper()}": v for key, v in connection.credentials.items()}
        values |= {f"{name}_SIGNING_SECRET": secrets[0]} if secrets else {}
    path.touch(mode=0o600)
    text = string.Template(DECLARED.read_text()).substitute(values)
    text += _OF_THE_DEMO.format_map(chats) if chats is not None else ""
    path.write_text(with_declared(text, connections, base_url=base_url))


def apply_connections(access: Access, *, path: Path, log: IO[bytes]) -> None:
    """Apply the file with the command that operators use.

    :raises CannotStart: when the command is missing or refuses the file
    """
    apply_providers(access, provider_files(), log=log)
    command = Path(sys.prefix) / "bin" / "milepost"
    if not command.exists():
        raise CannotStart("The command milepost is missing: run `make install` first.")
    result = subprocess.run(
        [str(command), "connections", "apply", str(path), "--stack", STACK_NAME, "--yes"],
        env=plain_environment(**access.environment()),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode != 0:
        raise CannotStart(f"milepost connections apply failed: see {log.name}")


def describe_connections(
    sandboxes: Sandboxes, connections: Sequence[Connection], deployment: Deployment
) -> Mapping[str, Mapping[str, Any]]:
    """The connections in the form of stack.json."""
    return {
        connection.id: {
            "provider": connection.provider,
            "webhook_url": connection.webhook_url,
            "signing": {
                "scheme": connection.signing.scheme,
                "secret": next(iter(connection.signing.secrets), None),
            },
            "sandbox_url": sandboxes.url(connection.id),
            "poll_function": deployment.resources.get(_POLL_FUNCTION),
        }
        for connection in connections
    }


def connections_file(places: Places) -> Path:
    """The path of the file to apply, readable only by its owner."""
    return places.state / "connections.yaml"
