"""Responses that arrive after a fixed time, as if they came over a network."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

from botocore.client import BaseClient
from moto.core.botocore_stubber import BotocoreStubber

from bench.children import LAMBDA, ROOT

DELAY: Final = 0.005
"""Seconds that a call to AWS takes."""
_MAIN: Final = "from bench.roundtrips.{name} import main; main()"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A server that records another one's responses, and gives them again after the delay."""

    url: str

    def record(self) -> None:
        """Remove all recordings, and record from now on."""
        self._tell("record")

    def replay(self) -> None:
        """Give only recorded responses from now on."""
        self._tell("replay")

    def _tell(self, what: str) -> None:
        with urllib.request.urlopen(f"{self.url}/_{what}", data=b""):
            pass


@contextmanager
def recorded(url: str) -> Iterator[Recorded]:
    """A recording server (``bench.recorded``) before a server on this machine."""
    port = url.rpartition(":")[2].strip("/")
    with subprocess.Popen(
        [sys.executable, "-m", "bench.recorded", port, str(DELAY)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            yield Recorded(f"http://127.0.0.1:{int(child.stdout.readline())}")
        finally:
            child.terminate()


@dataclass(frozen=True, slots=True)
class Call:
    """A call to AWS, such as ``PutItem OrdersTable``, and when it began and ended."""

    name: str
    began: float
    ended: float
    parameters: dict[str, Any]


@dataclass(slots=True)
class Calls:
    """The calls that this process makes while ``slow_moto`` is active."""

    made: list[Call] = field(default_factory=list)
    overlong: int = 0
    """Answers for which moto itself took longer than the delay."""
    beyond: float = 0
    """Seconds that moto took in them beyond the delay."""

    def clear(self) -> None:
        self.made.clear()
        self.beyond = 0


def in_turn(calls: Sequence[Call]) -> int:
    """The number of calls that were made one after another: the longest chain of these calls."""
    chains: list[tuple[float, int]] = []
    for one in sorted(calls, key=lambda call: call.began):
        before = (length for ended, length in chains if ended <= one.began)
        chains.append((one.ended, 1 + max(before, default=0)))
    return max((length for _, length in chains), default=0)


@contextmanager
def slow_moto(*, beside: str = "") -> Iterator[Calls]:
    """Delay moto's responses, and record every call.

    :param beside: the URL of a server whose calls don't go through moto
    """
    calls, answer = Calls(), BotocoreStubber.__call__
    send: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def answer_later(stubber: Any, event_name: str, request: Any, **more: Any) -> Any:
        if beside and request.url.startswith(beside):
            return None
        began = time.perf_counter()
        answered = answer(stubber, event_name, request, **more)
        left = DELAY - (time.perf_counter() - began)
        if answered is not None:
            calls.overlong += left < 0
            calls.beyond += max(-left, 0)
            time.sleep(max(left, 0))
        return answered

    def note(client: Any, operation: str, parameters: Any) -> Any:
        began = time.perf_counter()
        answered = send(client, operation, parameters)
        name = f"{operation} {_resource(parameters)}".strip()
        calls.made.append(Call(name, began, time.perf_counter(), parameters))
        return answered

    with (
        patch.object(BotocoreStubber, "__call__", answer_later),
        patch.object(BaseClient, "_make_api_call", note),
    ):
        yield calls


def run_module(name: str, *arguments: str) -> Any:
    """The JSON that the ``main`` of a module prints last, run in a process of its own.

    Clients are made once in a process, so that others would keep the endpoints of these.

    :raises RuntimeError: when it fails, with the end of what it said
    """
    done = subprocess.run(
        [sys.executable, "-c", _MAIN.format(name=name), *arguments],
        cwd=ROOT,
        env={**os.environ, **LAMBDA, "POWERTOOLS_LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench.roundtrips.{name} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _resource(parameters: Any) -> str:
    if "RequestItems" in parameters:
        return " ".join(parameters["RequestItems"])
    if "TransactItems" in parameters:
        tables = {one["TableName"] for each in parameters["TransactItems"] for one in each.values()}
        return " ".join(sorted(tables))
    said = parameters.get("TableName") or parameters.get("QueueUrl") or ""
    return str(said).rpartition("/")[2]
