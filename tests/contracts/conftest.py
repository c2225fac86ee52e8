"""The engines on which every suite here runs. To add one, write a fixture that yields its URL.

DynamoDB Local needs Java and runs when ``DYNAMODB_LOCAL`` names the folder of its jar, as in
``make test-all``.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from botocore.session import Session, get_session
from moto import mock_aws

from tests.stack import create_table

DYNAMODB_LOCAL: Final = os.environ.get("DYNAMODB_LOCAL", "")
SERVERS: Final = ("ministack", *(("dynamodb_local",) if DYNAMODB_LOCAL else ()))
"""Engines that are a process of their own, and so take many callers at once."""
ENGINES: Final = ("moto", *SERVERS)
_READY_SECONDS: Final = 60


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on ministack run only in ``make test-all``; in-memory engines and moto are always
    used."""
    for item in items:
        if "ministack" in item.name:
            item.add_marker(pytest.mark.thorough)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a new emulator, which is removed at the end."""
    scratch, port = tmp_path_factory.mktemp("ministack"), _free_port()
    command = [sys.executable, "-m", "ministack"]
    url = f"http://127.0.0.1:{port}"
    with _running(command, scratch=scratch, environment=_environment(scratch, port)) as child:
        _wait_until_ready(child, f"{url}/_ministack/health", scratch / "log")
        yield url


@pytest.fixture(scope="session")
def dynamodb_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a new DynamoDB Local, in memory, which is removed at the end."""
    scratch, port, folder = tmp_path_factory.mktemp("dynamodb"), _free_port(), Path(DYNAMODB_LOCAL)
    command = [
        "java",
        f"-Djava.library.path={folder / 'DynamoDBLocal_lib'}",
        "-jar",
        str(folder / "DynamoDBLocal.jar"),
        *("-inMemory", "-disableTelemetry", "-port", str(port)),
    ]
    with _running(command, scratch=scratch, environment={"PATH": os.environ["PATH"]}) as child:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(child, url, scratch / "log")
        yield url


@contextmanager
def _running(
    command: Sequence[str], *, scratch: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with (scratch / "log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=scratch)
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _environment(scratch: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": "eu-central-1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _wait_until_ready(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        assert child.poll() is None, f"the engine ended: {log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return  # It answers, if only that it wants a signature.
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"the engine did not answer in {_READY_SECONDS} s: {log.read_text()[-2000:]}")


@contextmanager
def open_engine(name: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A DynamoDB client of the engine with this name."""
    with open_session(name, request) as make_client:
        yield make_client("dynamodb")


@contextmanager
def open_session(name: str, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Any]]:
    """Creates clients of the engine with this name."""
    with ExitStack() as stack:
        options = {}
        if name == "moto":
            stack.enter_context(mock_aws())
        else:
            options["endpoint_url"] = request.getfixturevalue(name)
        yield partial(_session().create_client, region_name="eu-central-1", **options)


@cache
def _session() -> Session:
    return get_session()


@pytest.fixture(params=ENGINES)
def dynamodb(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of each engine."""
    with open_engine(request.param, request) as client:
        yield client


@pytest.fixture
def table(request: pytest.FixtureRequest, dynamodb: Any) -> str:
    """An empty table for the test, declared like the module's ``TABLE`` in template.yaml."""
    return make_table(request, dynamodb)


@dataclass(frozen=True)
class Place:
    """A table on an engine, or the memory of a fake."""

    client: Any = None
    table: str = ""

    @property
    def is_memory(self) -> bool:
        return self.client is None


@pytest.fixture(params=(*ENGINES, "memory"))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each engine, and memory, since a fake has to pass the same tests."""
    if request.param == "memory":
        yield Place()
        return
    with open_engine(request.param, request) as client:
        yield Place(client, make_table(request, client))


def make_table(request: pytest.FixtureRequest, client: Any) -> str:
    name: str = request.module.TABLE
    return create_table(client, name, name=f"{name}-{uuid4().hex[:8]}")
