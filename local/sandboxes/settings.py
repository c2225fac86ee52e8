"""The sandbox accounts, their credentials, and where their webhooks are sent."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cli.providers.samples import Sample
from milepost.providers.declared.file_format import Declaration

PROVIDERS: Final = ("offergrid", "rabot", "subs", "spirii")
CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "offergrid": ("api_key",),
    "rabot": ("client_id", "client_secret"),
    "subs": ("token",),
    "spirii": ("api_key",),
}
SCHEMES: Final[Mapping[str, str]] = {
    "offergrid": "standard-webhooks",
    "rabot": "none",
    "subs": "standard-webhooks",
    "spirii": "spirii",
}


class BadSettings(ValueError):
    """The configuration is invalid; the message says what is wrong, and where."""


@dataclass(slots=True, kw_only=True)
class Signing:
    """How webhooks are signed. ``secrets`` are all active ones, the newest first."""

    scheme: Any
    """Its name, or its parameters."""
    secrets: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Connection:
    """One account at one provider. Without a ``webhook_url``, webhooks are logged and not sent."""

    id: str
    provider: str
    credentials: dict[str, str]
    signing: Signing
    webhook_url: str | None = None
    rate_limits: bool = True
    declared: tuple[Declaration, list[Sample]] | None = None
    """Of a declared provider: its file, and its samples."""


def load_connections(path: Path) -> list[Connection]:
    """The connections of a JSON file ``{"connections": [...]}``.

    :raises BadSettings: when the file can't be read or an entry is wrong
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadSettings(f"{path}: can't be read as JSON: {error}") from None
    entries = content.get("connections") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadSettings(f'{path}: expected {{"connections": [...]}} with at least one entry')
    connections = [read_connection(entry) for entry in entries]
    if len({connection.id for connection in connections}) < len(connections):
        raise BadSettings(f"{path}: two connections have the same id")
    return connections


def read_connection(entry: Any) -> Connection:
    """One entry of the file as a connection; missing values have fixed local defaults.

    :raises BadSettings: when the id, the provider or a credential is wrong
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise BadSettings("a connection needs an id")
    name, provider = entry["id"], entry.get("provider")
    if provider not in PROVIDERS:
        raise BadSettings(f"connection {name}: provider must be one of {', '.join(PROVIDERS)}")
    local = make_connection(name, provider)
    given = entry.get("credentials", {})
    unknown = set(given) - set(CREDENTIALS[provider])
    if unknown:
        raise BadSettings(f"connection {name}: {provider} has no {', '.join(sorted(unknown))}")
    signing = entry.get("signing", {})
    secrets = signing.get("secrets") or [s for s in [signing.get("secret")] if s]
    return Connection(
        id=name,
        provider=provider,
        credentials=local.credentials | given,
        signing=Signing(
            scheme=signing.get("scheme", local.signing.scheme),
            secrets=list(secrets or local.signing.secrets),
        ),
        webhook_url=entry.get("webhook_url"),
        rate_limits=entry.get("rate_limits", True),
    )


def make_connection(name: str, provider: str) -> Connection:
    """A connection with the fixed local credentials, which are valid only for a sandbox."""
    return Connection(
        id=name,
        provider=provider,
        credentials={key: f"local-{name}-{key}" for key in CREDENTIALS[provider]},
        signing=Signing(scheme=SCHEMES[provider], secrets=_local_secrets(name, provider)),
    )


def default_connections() -> list[Connection]:
    """The local stack's five: each provider once, offergrid twice."""
    return [
        make_connection("offergrid-home", "offergrid"),
        make_connection("offergrid-business", "offergrid"),
        make_connection("rabot-energy", "rabot"),
        make_connection("subs-grid", "subs"),
        make_connection("spirii-charge", "spirii"),
    ]


def _local_secrets(name: str, provider: str) -> list[str]:
    digest = hashlib.sha256(f"milepost local sandbox {name}".encode()).digest()
    if SCHEMES[provider] == "standard-webhooks":
        return ["whsec_" + base64.b64encode(digest).decode()]
    return [digest.hex()] if SCHEMES[provider] == "spirii" else []
