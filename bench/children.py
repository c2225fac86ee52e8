"""Work in separate processes, measured in seconds of processor time instead of elapsed time."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
    "POWERTOOLS_METRICS_NAMESPACE": "Milepost/bench",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
CONTEXT: Final = """
from types import SimpleNamespace
context = SimpleNamespace(function_name="bench", memory_limit_in_mb=512,
    invoked_function_arn="arn", aws_request_id="5b1f0c9e-0000-4000-8000-000000000000",
    get_remaining_time_in_millis=lambda: 900_000)
"""
"""Code that makes the context of an invocation."""


def run_python(
    code: str,
    *arguments: str,
    path: Sequence[Path] = (),
    environment: Mapping[str, str] = LAMBDA,
    python: str | None = None,
) -> Any:
    """Run code in a Python process that finds modules only in these folders; returns the JSON of
    its last line.

    The folders are as good as read-only: nothing is written there, and no site-packages are seen.

    :raises RuntimeError: when it fails, with the end of what it said
    """
    done = subprocess.run(
        [*_command(python), code, *arguments],
        env=_environment(path, environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"a benchmark's process failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def running_python(
    code: str,
    *arguments: str,
    path: Sequence[Path] = (),
    environment: Mapping[str, str] = LAMBDA,
    python: str | None = None,
) -> Iterator[Callable[[], Any]]:
    """Code that keeps running in such a process: it repeats its work at each call.

    The code prints a line of JSON when it is ready, and one for each line that it reads.

    :raises RuntimeError: when it ends too early, with the end of what it said
    """
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [*_command(python), code, *arguments],
            env=_environment(path, environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        commands, answers = child.stdin.fileno(), child.stdout

        def read() -> Any:
            if line := answers.readline():
                return json.loads(line)
            child.wait()
            errors.seek(0)
            said = errors.read().decode(errors="replace")
            raise RuntimeError(f"a benchmark's process failed: {said[-2000:]}")

        def work() -> Any:
            # Past the buffer: what stays in it for a process that has ended could not be closed.
            with suppress(BrokenPipeError):
                os.write(commands, b"\n")
            return read()

        try:
            read()
            yield work
        finally:
            child.kill()


def _command(python: str | None) -> list[str]:
    isolated = ["-S", "-s"] if python is None else []
    return [python or os.path.realpath(sys.executable), *isolated, "-B", "-c"]


def _environment(path: Sequence[Path], others: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, path)), **others}
