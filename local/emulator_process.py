"""Starts the emulator as a child process and waits until it responds."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from local.emulator_access import ACCOUNT, Access
from local.errors import CannotStart
from local.files import ROOT
from local.processes import plain_environment, start_child, stop_child

_READY_SECONDS: Final = 30.0


@contextmanager
def running_emulator(
    access: Access, *, port: int, smtp_address: str, scratch: Path, log: IO[bytes]
) -> Iterator[None]:
    """An emulator with IAM enforced; it is empty at the start, and all data is removed at the end.

    :raises CannotStart: when it does not answer within 30 seconds
    """
    environment = plain_environment(
        AUTH="true",
        AWS_ACCESS_KEY_ID=access.access_key_id,
        AWS_SECRET_ACCESS_KEY=access.secret_access_key,
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        HOME=str(scratch),
        IOT_MTLS_ENABLED="0",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_REGION=access.region,
        PYTHONUNBUFFERED="1",
        SFTP_ENABLED="0",
        SMTP_HOST=smtp_address,
        TMPDIR=str(scratch),
    )
    command = [sys.executable, "-m", "local.emulator"]
    child = start_child(command, environment=environment, log=log, directory=ROOT)
    try:
        _wait_until_ready(child, access.endpoint_url, log_name=log.name)
        yield
    finally:
        stop_child(child)


def _wait_until_ready(child: subprocess.Popen[bytes], url: str, *, log_name: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise CannotStart(f"The emulator ended at once: the reason is in {log_name}.")
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise CannotStart(f"The emulator did not answer in {_READY_SECONDS:.0f} s: see {log_name}.")
