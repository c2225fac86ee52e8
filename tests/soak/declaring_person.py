"""One person maintains connections.yaml: applies and prunes connections, and rotates secrets."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Final

import yaml

from cli.connections.stored_state import Stored
from local.files import ROOT
from local.processes import plain_environment
from local.stack import Stack
from milepost.connections.connection import Connection
from milepost.notifications.subscription import FROM_FILE
from milepost.webhooks.aws.secrets import REFRESH_SECONDS
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from milepost.webhooks.signatures import make_signing_secret
from tests.soak.account import SandboxAccount

GUEST: Final = "offergrid-guest"
"""The connection that is applied and pruned. Nobody sends it anything."""
CHANGED: Final = "offergrid-business"
"""The connection of which a setting changes with each round."""
_READER: Final = {"email": "reader@example.org", "kinds": ["completed"], "connections": [CHANGED]}
"""The subscription that the file has while the guest is in it."""
_LIMIT: Final = 5_000
_TRIES: Final = 3


class CommandFailed(Exception):
    """``milepost`` failed; the text has its output."""


@dataclass(kw_only=True)
class Declarer:
    """Changes the file and the stack in turn: at the end, the stack equals ``declared``."""

    stack: Stack
    declared: dict[str, Any]
    """The content of connections.yaml."""
    turning: Mapping[str, str]
    """Connections whose secrets are rotated, in turn, each with a status for an order of ours that
    shows whether webhooks signed by the new secret are accepted."""
    figures: Counter[str] = field(default_factory=Counter)

    def run(self, stopped: Event) -> None:
        """Make changes, round after round; the current round is always completed.

        :raises CommandFailed: when the command refuses something
        """
        for number in count(1):
            connections = list(self.turning)
            self._do_round(number, connections[number % len(connections)])
            if stopped.is_set():
                return

    def _do_round(self, number: int, connection: str) -> None:
        rotated = time.monotonic()
        self._rotate(connection)
        self._entry(CHANGED)["notices_per_hour"] = _LIMIT + number
        self._invite_guest()
        self._apply()
        # The command says so: by then every function knows the new one.
        time.sleep(max(0.0, rotated + REFRESH_SECONDS - time.monotonic()))
        account = SandboxAccount(self.stack, connection)
        account.sign_with(self._secrets(connection)[:1])
        self._rotate(connection, "--finish", "--yes")
        account.move(account.create_orders(1)[0], {"status": self.turning[connection]})
        self._dismiss_guest()
        self._apply("--prune")

    def _rotate(self, connection: str, *more: str) -> None:
        arguments = ("connections", "secret", "rotate", connection, "--json", *more)
        self._entry(connection)["signing"]["secrets"] = json.loads(self._run(*arguments))["secrets"]
        self.figures["rotations finished" if more else "rotations"] += 1

    def _apply(self, *more: str) -> None:
        with TemporaryDirectory() as directory:
            file = Path(directory) / "connections.yaml"
            file.write_text(yaml.safe_dump(self.declared))
            for attempt in range(_TRIES):
                try:
                    self._run("connections", "apply", str(file), "--yes", *more)
                    break
                except CommandFailed:
                    if attempt == _TRIES - 1:
                        raise
        self.figures["prunes" if more else "applies"] += 1

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [Path(sys.prefix) / "bin" / "milepost", *arguments, "--stack", self.stack.stack_name],
            env=plain_environment(**self.stack.access.environment()),
            # Elsewhere than where another local stack may run, which has the same name.
            cwd=ROOT.parent,
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise CommandFailed(f"milepost {' '.join(arguments[:3])}: {done.stderr[-500:]}")
        return done.stdout

    def _invite_guest(self) -> None:
        guest = deepcopy(self._entry(CHANGED))
        secret = make_signing_secret(STANDARD_WEBHOOKS)
        guest |= {"id": GUEST, "poll": "off", "signing": {"secrets": [secret]}}
        self.declared["connections"].append(guest)
        self.declared["subscriptions"] = [dict(_READER)]

    def _dismiss_guest(self) -> None:
        there = self.declared["connections"]
        self.declared["connections"] = [one for one in there if one["id"] != GUEST]
        del self.declared["subscriptions"]

    def _entry(self, connection: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            one for one in self.declared["connections"] if one["id"] == connection
        )
        return found

    def _secrets(self, connection: str) -> list[str]:
        secrets: list[str] = self._entry(connection)["signing"]["secrets"]
        return secrets


def differences(declared: Mapping[str, Any], stored: Stored) -> list[str]:
    """The differences between the stored data and the last declaration, one line each."""
    entries = {one["id"]: one for one in declared["connections"]}
    polled = {name for name, one in entries.items() if one.get("poll") != "off"}
    readers = {one["email"] for one in declared.get("subscriptions", ())}
    kept = [one for one in stored.subscriptions.values() if one.source == FROM_FILE]
    found = [
        *_other("connections", stored.ids, entries),
        *_other("schedules", stored.schedules, polled),
        *_other("subscriptions of the file", [one.recipient for one in kept], readers),
    ]
    for name, entry in entries.items():
        if stored.signing_secrets(name) != entry.get("signing", {}).get("secrets", []):
            found.append(f"{name} has other signing secrets than declared")
        settings = stored.settings.get(name)
        if settings and settings.notices_per_hour != entry.get("notices_per_hour", _DEFAULT):
            found.append(f"{name} has notices_per_hour {settings.notices_per_hour}")
    return found


def read_declared(path: Path, *, told_of: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The file that was applied when the stack started, without subscriptions.

    :param told_of: what customers are notified of, by connection, where the soak has changed that
    """
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    content.pop("subscriptions", None)
    for one in content["connections"]:
        if one["id"] in told_of:
            one["customer_notices"] = sorted(told_of[one["id"]])
    return content


def _other(what: str, found: Any, wanted: Any) -> list[str]:
    return [] if set(found) == set(wanted) else [f"{what}: {sorted(found)}, not {sorted(wanted)}"]


_DEFAULT: Final = Connection(id="any", provider="offergrid", base_url="").notices_per_hour
