"""Declared providers on the local stack: applied in addition to the other connections.

``MILEPOST_PROVIDERS`` names files, parted by spaces. Each has its samples in the directory of its
name, beside it.
"""

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

import yaml

from cli.errors import Fault
from cli.providers.file import read_provider
from cli.providers.samples import read_samples
from local.deployment import STACK_NAME
from local.emulator_access import Access
from local.errors import CannotStart
from local.files import ROOT
from local.processes import plain_environment
from local.sandboxes.declared import TOKEN_PATH
from local.sandboxes.settings import Connection, Signing
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.file_sign_in import OAuthSignIn
from milepost.webhooks.signature_schemes import parameters, read_scheme

SETTING: Final = "MILEPOST_PROVIDERS"


def provider_files() -> list[Path]:
    """The files of declared providers for this stack."""
    return [ROOT / one for one in os.environ.get(SETTING, "").split()]


def declared_connections(files: Sequence[Path]) -> list[Connection]:
    """A connection for each file, with invented credentials.

    :raises CannotStart: when a file or its samples can't be used
    """
    found = []
    for path in files:
        try:
            said, samples = read_provider(path), read_samples(path.with_suffix(""))
        except Fault as fault:
            raise CannotStart(str(fault)) from None
        name = f"{said.name}-example"
        scheme = said.webhooks.scheme() if said.webhooks else None
        found.append(
            Connection(
                id=name,
                provider=said.name,
                credentials={one: f"local-{name}-{one}" for one in said.credentials},
                signing=Signing(
                    scheme="none" if scheme is None else parameters(scheme),
                    secrets=_secrets(name, scheme),
                ),
                declared=(said, samples),
            )
        )
    return found


def entries_of(connections: Sequence[Connection], *, base_url: str) -> list[dict[str, Any]]:
    """The entries of these connections in connections.yaml."""
    return [
        {
            "id": one.id,
            "provider": one.provider,
            "base_url": f"{base_url}/{one.id}",
            **_token_url(one.declared[0], f"{base_url}/{one.id}"),
            "poll": "1 minute",
            "notices_per_hour": 5000,
            "credentials": dict(one.credentials),
            **({"signing": {"secrets": list(one.signing.secrets)}} if one.signing.secrets else {}),
        }
        for one in connections
        if one.declared is not None
    ]


def with_declared(text: str, connections: Sequence[Connection], *, base_url: str) -> str:
    """The file of connections with the declared providers' connections added."""
    entries = entries_of(connections, base_url=base_url)
    if not entries:
        return text
    content = yaml.safe_load(text)
    content["connections"] += entries
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def apply_providers(access: Access, files: Sequence[Path], *, log: IO[bytes]) -> None:
    """Apply the files with the command that operators use.

    :raises CannotStart: when it refuses one
    """
    command = Path(sys.prefix) / "bin" / "milepost"
    for path in files:
        result = subprocess.run(
            [str(command), "providers", "apply", str(path), "--stack", STACK_NAME, "--yes"],
            env=plain_environment(**access.environment()),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if result.returncode != 0:
            raise CannotStart(f"milepost providers apply {path} failed: see {log.name}")


def _token_url(said: Declaration, base_url: str) -> dict[str, str]:
    is_needed = isinstance(said.sign_in, OAuthSignIn)
    return {"token_url": base_url + TOKEN_PATH} if is_needed else {}


def _secrets(name: str, scheme: Any) -> list[str]:
    if scheme is None or read_scheme(scheme).algorithm == "ed25519":
        return []
    digest = hashlib.sha256(f"milepost local sandbox {name}".encode()).digest()
    key = read_scheme(scheme).key
    if key in ("whsec", "base64"):
        return [("whsec_" if key == "whsec" else "") + base64.b64encode(digest).decode()]
    return [digest.hex()]
