"""A shell like a guide reader's: its `aws` is the AWS CLI, its account is the emulator's."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.processes import plain_environment, stop_child
from tests.stack import ROOT

PYTHON: Final = ROOT / ".local" / "tools" / "awscli" / "bin" / "python"
SECONDS: Final = 120
"""Which no command of a guide takes."""
_HERE: Final = Path(__file__).parent


class Shell:
    """Runs a document's commands in a folder of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = environment

    def run(self, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it as one script, which ends at the first failure."""
        return subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env={**self._environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )


@contextmanager
def shell_with_aws(folder: Path, variables: Mapping[str, str]) -> Iterator[Shell]:
    """A shell in this empty folder.

    :param variables: the emulator's address, a region and credentials
    """
    tools, address = folder / "tools", folder / "aws.socket"
    tools.mkdir()
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "milepost").symlink_to(Path(sys.prefix) / "bin" / "milepost")
    client = tools / "aws"
    client.write_text(f'#!/bin/sh\nexec {PYTHON} -SE {_HERE / "aws_client.py"} "$@"\n')
    client.chmod(0o700)
    environment = plain_environment(**variables, AWS_SERVER=str(address), HOME=str(folder))
    with (
        socket.socket(socket.AF_UNIX) as listening,
        (folder / "aws.log").open("wb") as log,
    ):
        listening.bind(str(address))
        listening.listen()
        listening.set_inheritable(True)
        server = subprocess.Popen(
            [
                PYTHON,
                _HERE / "aws_server.py",
                str(listening.fileno()),
                variables["AWS_ENDPOINT_URL"],
            ],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[listening.fileno()],
        )
        try:
            yield Shell(folder, environment | {"PATH": f"{tools}:{environment['PATH']}"})
        finally:
            stop_child(server)
