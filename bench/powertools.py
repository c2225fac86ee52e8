"""The webhook's peer, ready to run: its environment variables, and its module with bytecode."""

import compileall
import py_compile
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from bench.children import LAMBDA, ROOT, WORK, run_python
from bench.peers import PYTHON, require_peers
from tests.signing import SECRET

OURS = ("receive_webhook", "record_report")
"""The functions that together do what the peer does in one, and more."""


def run_webhook(code: str, *arguments: str, endpoint: str) -> Any:
    """Run code that finds the peer as ``app``, like Lambda finds a function.

    Its Tracer is off, as it is wherever there is no X-Ray: that is cheaper for the peer.

    :raises SystemExit: when the peers are not installed
    """
    require_peers()
    environment = {
        **LAMBDA,
        "AWS_ENDPOINT_URL": endpoint,
        "ORDERS_TABLE": "orders",
        "IDEMPOTENCY_TABLE": "deliveries",
        "SECRET": SECRET,
    }
    return run_python(code, *arguments, path=[_place()], environment=environment, python=PYTHON)


@cache
def _place() -> Path:
    place = WORK / "powertools"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copy(ROOT / "bench" / "peers" / "webhook_with_powertools.py", place / "app.py")
    # As ours has it: nothing is to be compiled at a start.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(place, quiet=1, force=True, invalidation_mode=mode)
    return place
