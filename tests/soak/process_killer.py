"""Kills functions' processes at random, without warning, like a machine that fails."""

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event
from typing import Final
from urllib.parse import urlsplit

from local.stack import Stack

VICTIMS: Final = frozenset(
    {
        "receive-webhook",
        "record-report",
        "announce",
        "send-notice",
        "track-delivery",
        "measure-stages",
    }
)
"""Every function on an event's way."""
POLLS: Final = "poll-orders"
"""Killed as well, but seldom: a killed poll keeps its lease, and nobody polls its connection until
that ends."""
_MOST_POLLS: Final = 2
_CHECK_SECONDS: Final = 2.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(kw_only=True)
class Killer:
    """Kills one process of a function at random intervals."""

    stack: Stack
    every_seconds: float
    rng: Random
    polls_for_seconds: float = 0.0
    """How long polls are killed; later the lease would last beyond what is sent."""
    kills: Counter[str] = field(default_factory=Counter)

    def run(self, stopped: Event) -> None:
        emulator, begun = find_emulator(self.stack), time.monotonic()
        while not stopped.wait(self.every_seconds * self.rng.uniform(0.5, 1.5)):
            chosen = self.functions_to_kill(after_seconds=time.monotonic() - begun)
            victims = [
                (pid, function)
                for pid in children_of(emulator)
                if (function := self._function_of(pid)) in chosen
            ]
            if victims:
                pid, function = self.rng.choice(sorted(victims))
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.kills[function] += 1

    def functions_to_kill(self, *, after_seconds: float) -> frozenset[str]:
        """The functions that may lose a process this long after the start."""
        may_be_poll = after_seconds < self.polls_for_seconds and self.kills[POLLS] < _MOST_POLLS
        return VICTIMS | {POLLS} if may_be_poll else VICTIMS

    def _function_of(self, pid: int) -> str:
        name = _environment(pid).get("AWS_LAMBDA_FUNCTION_NAME", "")
        return name.removeprefix(f"{self.stack.stack_name}-")


def find_emulator(stack: Stack) -> int:
    """The process that serves the stack's address.

    :raises LookupError: when it does not run on this machine, or can't be looked at
    """
    port = str(urlsplit(stack.aws_endpoint_url).port)
    for directory in Path("/proc").glob("[0-9]*"):
        pid = int(directory.name)
        command = _read(directory / "cmdline").split("\0")
        if "local.emulator" in command and _environment(pid).get("GATEWAY_PORT") == port:
            return pid
    raise LookupError(f"no emulator serves {stack.aws_endpoint_url} (the soak needs Linux's /proc)")


def children_of(pid: int) -> list[int]:
    """The processes that this process's threads have started."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in _read(path).split()]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, of its children, and of children that have ended."""
    return sum(map(_cpu_seconds_of, (pid, *children_of(pid))))


def _cpu_seconds_of(pid: int) -> float:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS if fields else 0.0


def _environment(pid: int) -> dict[str, str]:
    pairs = _read(Path(f"/proc/{pid}/environ")).split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="replace")
    return ""


def wait_until(condition: object, *, seconds: float) -> bool:
    """Check until it is true, or time is up."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_CHECK_SECONDS)
    return True
