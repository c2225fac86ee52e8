"""One built function in a process of its own, started like Lambda starts it.

``awslambdaric`` runs the handler. The code is the build's, copied and read-only; the memory is
limited; lines that the runtime client logs come as frames, as Lambda's telemetry gets them, and
what the function prints comes raw.
"""

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from tests.runtime.runtime_api import Outcome, RuntimeApi
from tests.stack import ROOT

TOOL: Final = ROOT / ".local" / "tools" / "awslambdaric" / "bin" / "python"
_FRAME_HEAD: Final = 16
"""4 bytes for the type, 4 for the length, 8 for the time. Source: ``awslambdaric.bootstrap``."""
_READ_ONLY: Final = ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
_START_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A build, read-only: the functions' folders and the layers' packages."""

    folder: Path

    def task_root(self, logical_id: str) -> Path:
        return self.folder / logical_id

    def layers(self) -> list[Path]:
        return sorted(self.folder.glob("*Layer/python"))

    def contents(self) -> dict[str, tuple[int, int]]:
        """Size and modification time of every file."""
        return {
            str(path.relative_to(self.folder)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in self.folder.rglob("*")
            if path.is_file()
        }


def copy_code(build: Path, folder: Path) -> Code:
    """The build in that folder, without write permissions."""
    shutil.copytree(build, folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & _READ_ONLY)
    return Code(folder=folder)


def forget_code(code: Code) -> None:
    for path in [code.folder, *code.folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(code.folder)


@dataclass
class FunctionProcess:
    """A running function, and its output so far."""

    api: RuntimeApi
    process: "subprocess.Popen[bytes]"
    timeout_seconds: float
    written: Mapping[str, bytearray] = field(
        default_factory=lambda: {
            "stdout": bytearray(),
            "stderr": bytearray(),
            "frames": bytearray(),
        }
    )

    def invoke(self, event: bytes) -> Outcome:
        """The result of the function for an event."""
        self.api.hand_out(event)
        return self.api.outcome(seconds=self.timeout_seconds + _START_SECONDS)

    def lines(self, stream: str) -> list[str]:
        """The lines on ``stdout`` or ``stderr``, after the process has ended."""
        return self.written[stream].decode().splitlines()

    def frames(self) -> list[str]:
        """The messages that the runtime client logged, after the process has ended."""
        rest, found = bytes(self.written["frames"]), []
        while rest:
            end = _FRAME_HEAD + int.from_bytes(rest[4:8], "big")
            found.append(rest[_FRAME_HEAD:end].decode())
            rest = rest[end:]
        return found


@contextmanager
def running_function(
    code: Code, logical_id: str, *, configuration: Mapping[str, Any], environment: Mapping[str, str]
) -> Iterator[FunctionProcess]:
    """The template's function with this name, until the end of the block.

    :param configuration: as GetFunctionConfiguration gives it
    :param environment: region, credentials and endpoint of AWS
    """
    api = RuntimeApi(
        function_arn=configuration["FunctionArn"], timeout_seconds=configuration["Timeout"]
    )
    read_end, write_end = os.pipe()
    task_root = code.task_root(logical_id)
    limit = f'ulimit -v {configuration["MemorySize"] * 1024} && exec "$@"'
    process = subprocess.Popen(
        ["sh", "-c", limit, "sh", TOOL, "-m", "awslambdaric", configuration["Handler"]],
        cwd=task_root,
        env={
            **_variables_of_lambda(configuration),
            **configuration["Environment"]["Variables"],
            **environment,
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "LAMBDA_TASK_ROOT": str(task_root),
            "PYTHONPATH": os.pathsep.join(str(one) for one in [task_root, *code.layers()]),
            "_LAMBDA_TELEMETRY_LOG_FD": str(write_end),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[write_end],
    )
    os.close(write_end)
    running = FunctionProcess(
        api=api, process=process, timeout_seconds=float(configuration["Timeout"])
    )
    assert process.stdout
    assert process.stderr
    frames = os.fdopen(read_end, "rb")
    streams = {"stdout": process.stdout, "stderr": process.stderr, "frames": frames}
    readers = [_reader(stream, running.written[name]) for name, stream in streams.items()]
    try:
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)
        for reader in readers:
            reader.join(timeout=30)
        api.close()


def _reader(stream: IO[bytes], into: bytearray) -> threading.Thread:
    def read() -> None:
        with stream:
            while piece := os.read(stream.fileno(), 65536):
                into.extend(piece)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _variables_of_lambda(configuration: Mapping[str, Any]) -> dict[str, str]:
    """The variables that Lambda sets. Source: Lambda developer guide, "Defined runtime environment
    variables".
    """
    name, logging = configuration["FunctionName"], configuration["LoggingConfig"]
    variables = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration['Runtime']}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": logging["LogFormat"],
        "AWS_LAMBDA_LOG_GROUP_NAME": logging["LogGroup"],
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/03/02/[$LATEST]0123456789abcdef0123456789abcdef",
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "_HANDLER": configuration["Handler"],
    }
    if level := logging.get("ApplicationLogLevel"):
        variables["AWS_LAMBDA_LOG_LEVEL"] = level
    return variables
