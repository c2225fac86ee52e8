"""Writes payloads in the providers' formats, from which the fuzzer starts.

``python -m tests.fuzz.seeds <folder>``: <folder>/<provider>/<number>.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

from local.sandboxes import Sandboxes, make_connection
from milepost.providers.registry import REGISTRY
from tests.stack import ROOT

ORDERS = 5


def main(folder: str) -> None:
    accounts = [make_connection(f"{provider}-fuzz", provider) for provider in REGISTRY]
    with Sandboxes(accounts) as sandboxes:
        for provider in REGISTRY:
            account = sandboxes.accounts[f"{provider}-fuzz"]
            payloads = [account.create_order({}) for _ in range(ORDERS)]
            write(Path(folder) / provider, [*payloads, *_events(provider)])


def _events(provider: str) -> list[Any]:
    """Bodies of the events in events/; only Offergrid has some."""
    if provider != "offergrid":
        return []
    paths = sorted((ROOT / "events" / "receive_webhook").glob("*ed.json"))
    return [json.loads(json.loads(path.read_text())["body"]) for path in paths]


def write(folder: Path, payloads: list[Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, payload in enumerate(payloads):
        (folder / f"{number}.json").write_text(json.dumps(payload, default=str))


if __name__ == "__main__":
    main(sys.argv[1])
