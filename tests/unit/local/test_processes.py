"""Ports, children and private files."""

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from local.errors import CannotStart
from local.files import Places
from local.processes import (
    find_free_port,
    plain_environment,
    require_free_port,
    require_tool,
    start_child,
    stop_child,
)
from local.run import stop_stack
from local.stack import read_stack, write_privately
from tests.e2e.waiting import wait_for


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(CannotStart, match="MILEPOST_PORT"),
    ):
        require_free_port(server.getsockname()[1])


def test_a_free_port_can_be_listened_on() -> None:
    assert require_free_port(find_free_port())


def test_a_missing_tool_is_told_with_what_to_do() -> None:
    with pytest.raises(CannotStart, match=r"no-such-tool is missing: install it"):
        require_tool("no-such-tool", remedy="install it")


def test_nothing_of_a_real_account_reaches_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("SAM_CLI_CONFIG", "x")
    environment = plain_environment(AWS_REGION="eu-central-1")
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_REGION"] == "eu-central-1"


def test_a_child_and_its_own_children_end_together(tmp_path: Path) -> None:
    script = (
        "import subprocess; own = subprocess.Popen(['sleep', '600']);"
        "print(own.pid, flush=True); own.wait()"
    )
    said = tmp_path / "log"
    with said.open("wb") as log:
        child = start_child(
            [sys.executable, "-c", script],
            environment=plain_environment(),
            log=log,
            directory=tmp_path,
        )
        wait_for(lambda: said.read_text().endswith("\n"), what="the child's own child")
        own = int(said.read_text())
        assert is_running(own)
        stop_child(child)
    # A killed process is there until it is reaped, which whoever adopted it does when it can.
    wait_for(lambda: not is_running(own), what="the end of the child's own child")


def is_running(pid: int) -> bool:
    """Whether a process is there, and has not only to be reaped."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        # It has just ended; or this system has no /proc, and the signal has said so.
        return not Path("/proc").exists()
    return state != "Z"


def test_a_private_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    write_privately(path, "{}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["stack.json"]


def test_stopping_without_a_stack_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.stack_file.write_text("{}")
    places.lock_file.write_text("999999")
    assert stop_stack(places) is False
    assert read_stack(places) is None
