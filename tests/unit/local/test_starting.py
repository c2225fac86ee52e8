"""`make run`: several at once, and an emulator that ends, are told in words."""

import fcntl
import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from rich.console import Console

from local import __main__ as command
from local.errors import CannotStart
from local.files import Places
from local.ports import Ports
from local.processes import find_free_port
from local.run import replace_running, stop_stack

HOLD = """
import fcntl, os, sys, time
with open(sys.argv[1], "a+") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.truncate(0)
    lock.write(sys.argv[2] or str(os.getpid()))
    lock.flush()
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / ".local")
    made.state.mkdir()
    return made


@contextmanager
def another_runner(places: Places, *, writes: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that has the lock, as a `make run` has it."""
    arguments = [sys.executable, "-c", HOLD, str(places.lock_file), writes]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def quiet() -> Console:
    return Console(quiet=True)


def test_one_that_is_starting_is_not_ended_by_the_next_one(places: Places) -> None:
    with another_runner(places) as process:
        with pytest.raises(CannotStart, match=r"Another `make run` is starting"):
            replace_running(places, port=None, console=quiet())
        assert process.poll() is None


@pytest.mark.parametrize("writes", [" ", "half"])
def test_one_that_has_not_written_its_number_yet_is_left_alone(writes: str, places: Places) -> None:
    with another_runner(places, writes=writes) as process:
        with pytest.raises(CannotStart, match=r"Another `make run` is starting"):
            stop_stack(places)
        assert process.poll() is None


def test_one_that_is_ready_is_replaced_and_that_is_said(places: Places) -> None:
    places.stack_file.write_text("{}")
    with another_runner(places) as process:
        console = Console(record=True, file=io.StringIO())
        replace_running(places, port=None, console=console)
        assert process.wait(timeout=10) != 0
        assert "It is stopped first" in console.export_text()


def test_a_stack_is_not_ended_for_one_whose_port_is_taken(places: Places) -> None:
    places.stack_file.write_text("{}")
    Ports(places.ports_file).keep("emulator", find_free_port())
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        another_runner(places) as process,
    ):
        port = server.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is in use"):
            replace_running(places, port=port, console=quiet())
        assert process.poll() is None


def test_a_stack_is_replaced_by_one_with_the_same_port(places: Places) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as its_own,
        another_runner(places) as process,
    ):
        port = its_own.getsockname()[1]
        places.stack_file.write_text("{}")
        Ports(places.ports_file).keep("emulator", port)
        replace_running(places, port=port, console=quiet())
        assert process.wait(timeout=10) != 0


def test_where_nobody_runs_there_is_nothing_to_end(places: Places) -> None:
    assert stop_stack(places) is False
    replace_running(places, port=None, console=quiet())
    with places.lock_file.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ClientError({"Error": {"Code": "InternalFailure", "Message": "hunter2"}}, "Query"),
    ],
)
def test_an_emulator_that_ends_is_one_line_and_no_traceback(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(command, "run_stack", fail)
    monkeypatch.setattr(sys, "argv", ["local", "run"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith("The emulator ")
    assert "Start again by `make run`" in said
    assert "Traceback" not in said
    assert "hunter2" not in said
