"""Child processes that end with their parent, and the ports on which they listen."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from local.errors import CannotStart

STOP_SECONDS: Final = 5.0


def find_free_port() -> int:
    """A free TCP port at 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free_port(port: int) -> int:
    """The port itself.

    :raises CannotStart: when somebody listens on it
    """
    if not is_free(port):
        raise CannotStart(
            f"Port {port} is in use: stop what listens there, set MILEPOST_PORT to another "
            "port, or unset it for a free one."
        )
    return port


def is_free(port: int) -> bool:
    """Whether this TCP port at 127.0.0.1 is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def require_tool(name: str, *, remedy: str) -> str:
    """The path of a command.

    :raises CannotStart: when it is not there, with the remedy
    """
    path = shutil.which(name, path=tool_path())
    if path is None:
        raise CannotStart(f"The command {name} is missing: {remedy}")
    return path


def tool_path() -> str:
    """PATH, with this virtual environment's commands first."""
    return os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)])


def plain_environment(**more: str) -> dict[str, str]:
    """This process's environment variables, without those that name a real AWS account or a
    Python.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SAM_", "PYTHON", "LAMBDA_", "MINISTACK_"))
        and name not in ("AUTH", "VIRTUAL_ENV", "GATEWAY_PORT", "EDGE_PORT", "PERSIST_STATE")
    }
    return kept | {"PATH": tool_path()} | more


def start_child(
    command: Sequence[str], *, environment: Mapping[str, str], log: IO[bytes], directory: Path
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, with a standard input that is closed when this process
    ends.

    A child reads that end as its order to leave, so that even a killed parent leaves nothing
    behind.
    """
    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def stop_child(child: subprocess.Popen[bytes]) -> None:
    """End the process and everything in its group; can be repeated safely."""
    if child.stdin is not None:
        child.stdin.close()
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=STOP_SECONDS)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
