"""Work in processes of its own, measured in seconds of the processor and not of the clock."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
WORK: Final = ROOT / ".local" / "bench"
"""What the benchmarks write, and read of each other; git ignores it."""

LAMBDA: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_LAMBDA_FUNCTION_NAME": "milepost-bench",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "POWERTOOLS_SERVICE_NAME": "milepost",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "PYTHONTZPATH": "",
}


def run_python(
    code: str,
    *arguments: str,
    path: Sequence[Path] = (),
    environment: Mapping[str, str] = LAMBDA,
    python: str | None = None,
) -> Any:
    """Run code in a Python that sees these folders alone, and return the JSON of its last line.

    The folders are as good as read-only: nothing is written there, and no site-packages are seen.

    :raises RuntimeError: when it fails, with the end of what it said
    """
    isolated = ["-S", "-s"] if python is None else []
    done = subprocess.run(
        [python or os.path.realpath(sys.executable), *isolated, "-B", "-c", code, *arguments],
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, path)), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"a benchmark's process failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
