"""``python -m local.sandboxes``: serves the sandboxes until it is interrupted."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from threading import Event
from typing import Any

from local.sandboxes.demo_scenarios import ENOUGH_ORDERS
from local.sandboxes.server import Sandboxes
from local.sandboxes.settings import BadSettings, default_connections, load_connections


def main() -> int:
    """Print one line of JSON (port, connections) when ready; return 1 if it can't start."""
    options = read_options()
    try:
        found = load_connections(options.config) if options.config else default_connections()
        sandboxes = Sandboxes(found, port=options.port)
    except BadSettings as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"port {options.port} can't be used ({error.strerror}): choose another")
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with sandboxes:
        described = sandboxes.describe()
        if options.state_dir:
            _write(options.state_dir / "sandboxes.json", described)
        print(json.dumps(described), flush=True)
        if options.demo:
            sandboxes.start_demo(orders=options.orders, seconds=options.seconds, seed=options.seed)
        ended.wait()
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.sandboxes", description=__doc__)
    parser.add_argument("--config", type=Path, help="JSON with the connections (default: five)")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--state-dir", type=Path, help="where to write sandboxes.json when ready")
    parser.add_argument("--demo", action="store_true", help="move orders through their lives")
    parser.add_argument(
        "--orders", type=int, default=ENOUGH_ORDERS, help="demo: orders per connection"
    )
    parser.add_argument("--seconds", type=float, default=90.0, help="demo: how long it takes")
    parser.add_argument("--seed", type=int, default=7, help="demo: another seed, other orders")
    return parser.parse_args()


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    # Only the owner may read it: it names the local credentials.
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    unfinished.replace(path)


def _complain(message: str) -> int:
    print(f"sandboxes: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
