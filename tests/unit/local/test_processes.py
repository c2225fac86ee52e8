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
    script = "import subprocess, sys; subprocess.Popen(['sleep', '60']).wait()"
    with (tmp_path / "log").open("wb") as log:
        child = start_child(
            [sys.executable, "-c", script],
            environment=plain_environment(),
            log=log,
            directory=tmp_path,
        )
        stop_child(child)
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)


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
