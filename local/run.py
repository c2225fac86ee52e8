"""`make run` and `make stop`: one stack at a time, in the foreground or in the background."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console

from local.errors import CannotStart
from local.files import ROOT, Places
from local.live_view import show_live
from local.live_view_data import Overview, read_overview
from local.ports import Ports
from local.processes import require_free_port
from local.progress import Progress
from local.stack import DemoLength, Stack, running_stack

READY: Final = "ready"
_STOP_SECONDS: Final = 30.0
_ANOTHER_STARTS: Final = (
    "Another `make run` is starting: wait until it is ready, or end it by `make stop`."
)


def run_stack(places: Places, *, demo: DemoLength, port: int | None, console: Console) -> None:
    """Start the stack, show it until Ctrl-C or SIGTERM, and remove everything at the end.

    :raises CannotStart: when it can't be started
    """
    stopped = threading.Event()
    replace_running(places, port=port, console=console)
    with _only_one(places), _signals(stopped, console):
        progress = Progress(console)
        with running_stack(demo=demo, places=places, port=port, progress=progress) as stack:
            _tell_addresses(stack, progress)
            _show(stack, console, stopped, demo)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            progress.tell("stopping ...")


def run_in_background(
    places: Places, *, demo: DemoLength, port: int | None, console: Console
) -> None:
    """Start the stack in a process of its own and return when it is ready.

    :raises CannotStart: when it can't be started
    """
    # First, since the one that runs still writes to the file that is read here.
    replace_running(places, port=port, console=console)
    places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "local", "run", "--demo", demo.value]
    environment = os.environ | {"MILEPOST_PORT": str(port or ""), "DETACH": "0"}
    with (places.state / "start.log").open("wb+") as said:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        _follow_start(child, places, console)


def stop_stack(places: Places) -> bool:
    """Stop the running stack and wait until it has ended; returns whether there was one.

    :raises CannotStart: when it does not end
    """
    process = _find_runner(places)
    if process is None:
        places.stack_file.unlink(missing_ok=True)
        return False
    if process == _NOT_YET_KNOWN:
        raise CannotStart(_ANOTHER_STARTS)
    os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _find_runner(places) is not None:
        if time.monotonic() > deadline:
            raise CannotStart(f"The stack (process {process}) did not end: run `kill -9 {process}`")
        time.sleep(0.05)
    return True


_NOT_YET_KNOWN: Final = -1
"""In place of the number of a process that has the lock and has not written its own yet."""


def replace_running(places: Places, *, port: int | None, console: Console) -> None:
    """Stop the running stack, if any, so that a new one can replace it.

    :param port: the port that the new one has to have, if any
    :raises CannotStart: when one is only starting: of several at once the first one stays; or when
        something else listens on the port, so that there would be no new one
    """
    process = _find_runner(places)
    if process in (None, os.getpid()):
        return
    if not places.stack_file.exists():
        raise CannotStart(_ANOTHER_STARTS)
    if port is not None and not Ports(places.ports_file).has(port):
        require_free_port(port)
    console.print(
        f"A stack is running here (process {process}). It is stopped first; its data go.",
        highlight=False,
    )
    stop_stack(places)


def _find_runner(places: Places) -> int | None:
    """The process that holds the lock; None if there is none."""
    try:
        with places.lock_file.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
    except FileNotFoundError:
        return None
    except BlockingIOError:
        # Empty for a moment while its holder writes its own number into it.
        text = places.lock_file.read_text().strip()
        return int(text) if text.isdigit() else _NOT_YET_KNOWN


@contextmanager
def _only_one(places: Places) -> Iterator[None]:
    places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with places.lock_file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(_ANOTHER_STARTS) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _signals(stopped: threading.Event, console: Console) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block properly, even while it is starting."""

    def stop(number: int, _frame: Any) -> None:
        if number == signal.SIGTERM and not stopped.is_set():
            console.print("\nStopped by `make stop` or by another `make run`.", highlight=False)
        stopped.set()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_THROUGH: Final = (
    "The demo is through: its orders have come as far as they go. "
    "`make run DEMO=loop` lets others follow."
)


def _show(stack: Stack, console: Console, stopped: threading.Event, demo: DemoLength) -> None:
    tables = {
        "orders_table": stack.resource_id("OrdersTable"),
        "notices_table": stack.resource_id("NoticesTable"),
    }
    dynamodb = stack.client("dynamodb")

    def read() -> Overview:
        return read_overview(dynamodb, **tables)

    def said() -> str:
        return _THROUGH if demo is DemoLength.ONCE and stack.demo_is_through() else ""

    header = (
        f"console {stack.console_url}   inbox {stack.mail_url}   chats {stack.chats_url}   "
        "(Ctrl-C ends it)"
    )
    try:
        show_live(read, console=console, stopped=stopped, header=header, said=said)
    except KeyboardInterrupt:
        return


def _tell_addresses(stack: Stack, progress: Progress) -> None:
    for name, address in (
        ("console", stack.console_url),
        ("inbox", stack.mail_url),
        ("chats", stack.chats_url),
        ("HTTP API", stack.api_url),
        ("emulator", stack.aws_endpoint_url),
    ):
        progress.tell(f"{name:>9}  {address}")
    for role, person in stack.people.items():
        progress.tell(f"{role:>9}  {person['username']}  {person['password']}")
    progress.tell(READY)


def _follow_start(child: subprocess.Popen[bytes], places: Places, console: Console) -> None:
    """Repeat the output of the background process until it is ready or has failed."""
    with (places.state / "start.log").open(errors="replace") as said:
        while True:
            line = said.readline()
            if line.strip() == READY:
                console.print("The stack runs in the background; `make stop` ends it.")
                return
            if line:
                console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
            elif child.poll() is not None:
                raise CannotStart("")
            else:
                time.sleep(0.05)
