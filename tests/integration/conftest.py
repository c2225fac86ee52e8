"""The stack's resources in moto, empty for each test, with the connections applied.

After every test what the functions logged and printed is scanned for what no log may hold, and what
they asked of AWS is compared with what the template's policies allow.
"""

import io
import json
import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from moto import mock_aws
from moto.core.base_backend import BackendDict

from local.chat_server import ChatServer
from local.sandboxes import Sandboxes, make_connection
from milepost.notifications.aws import list_keys
from milepost.orders.aws import index_keys
from tests.builders import (
    OFFERGRID,
    RABOT,
    RETAIL,
)
from tests.data_leaks import MADE_UP, Overheard, all_texts, find_leaks, personal_values
from tests.integration.crash_injection import (
    Scenario,
)
from tests.integration.provider_actions import CHARGE, Charge
from tests.integration.scenarios import POLLED, ChatWebhook, Endpoint, Provider
from tests.permissions import Watch, is_allowed
from tests.signing import OTHER_SECRET, SECRET
from tests.stack import NOWHERE, ROOT, Stack
from tests.unit.notifications.endpoints.receiver import receiving

PAIRS_APART: Final = ROOT / ".local" / "pairs-that-cannot-meet.txt"
"""Pairs of the interleaving tests that can't notice each other, each with why."""

OVERHEARD = pytest.StashKey[Overheard]()


WATCH = Watch()


WATCH.install()


@pytest.fixture(scope="module")
def moto() -> Iterator[None]:
    """AWS in memory. Creating it takes longer than a test; emptying it takes no time."""
    with mock_aws():
        yield


@pytest.fixture
def stack(moto: None, monkeypatch: pytest.MonkeyPatch) -> Stack:
    # Every partition of an earlier version is a query, and an emulator's queries are slow.
    for module in (index_keys, list_keys):
        monkeypatch.setattr(module, "MOST_SHARDS", 1)
    BackendDict.reset()
    made = Stack()
    made.apply(OFFERGRID, RETAIL, RABOT)
    made.put_public_url(NOWHERE)
    return made


@pytest.fixture
def logged(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Everything that the module's ``app`` has logged and printed so far."""
    request.getfixturevalue("app")
    buffer = io.StringIO()
    for handler in logging.getLogger("milepost").handlers:
        # The logger holds on to the standard output that it found when it was made.
        if isinstance(handler, logging.StreamHandler):
            handler.stream = buffer  # setStream would flush the old one, which may be closed
    return lambda: buffer.getvalue() + capsys.readouterr().out


@pytest.fixture(autouse=True)
def overheard(request: pytest.FixtureRequest) -> Iterator[Overheard]:
    """Every line that a function's logger writes in this test."""
    logger = logging.getLogger("milepost")
    request.node.stash[OVERHEARD] = listening = Overheard()
    logger.addHandler(listening)
    yield listening
    logger.removeHandler(listening)


@pytest.fixture(autouse=True)
def permitted() -> Iterator[Watch]:
    """No function makes a call in this test that its policy doesn't allow, since moto allows all
    calls.
    """
    before, WATCH.asked = WATCH.asked, set()
    yield WATCH
    assert WATCH.listens, "a test before this one replaced the process's session of botocore"
    refused = [one for one in WATCH.asked if not is_allowed(*one)]
    WATCH.asked |= before
    assert not refused, f"template.yaml doesn't allow it: {refused}"


@pytest.fixture(scope="session", autouse=True)
def uses_file() -> Iterator[None]:
    """Writes all requests to a file that test_policies_match_calls.py reads."""
    yield
    if folder := os.environ.get("MILEPOST_USES"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        (Path(folder) / f"{worker}.json").write_text(json.dumps(sorted(WATCH.asked)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    """A test fails if its functions logged or printed forbidden data."""
    report = yield
    if report.when == "teardown" and report.passed and OVERHEARD in item.stash:
        logged = item.stash[OVERHEARD].text
        leaks = find_leaks(f"{logged}\n{report.capstdout}", known=forbidden())
        if leaks:
            report.outcome = "failed"
            report.longrepr = "\n".join(["Logged, and may not be:", *leaks])
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many interleavings ran, and which pairs can't meet, as recorded by their tests."""
    noted = [
        (report.nodeid.partition("[")[2].removesuffix("]"), *noted)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for noted in report.user_properties
    ]
    counts = [value for _, name, value in noted if name == "interleavings"]
    apart = [f"{pair}: {why}" for pair, name, why in noted if name == "apart"]
    if counts:
        PAIRS_APART.parent.mkdir(exist_ok=True)
        PAIRS_APART.write_text("\n".join([*sorted(apart), ""]))
        terminalreporter.write_line(
            f"{sum(counts)} interleavings of {len(counts)} pairs ran; {len(apart)} pairs can't meet"
            f" ({PAIRS_APART.relative_to(ROOT)} says why)"
        )


@cache
def forbidden() -> frozenset[str]:
    """Data of the customers in events and sandboxes, and the secrets that sign webhooks."""
    found = {SECRET, OTHER_SECRET, *MADE_UP}
    for path in (ROOT / "events").rglob("*.json"):
        content = json.loads(path.read_text())
        found |= personal_values(content)
        found |= {one for body in bodies(content) for one in personal_values(body)}
    return frozenset(found)


def bodies(content: Any) -> Iterator[Any]:
    """The JSON documents that an event contains as texts."""
    for text in all_texts(content):
        try:
            yield json.loads(text)
        except ValueError:
            continue


@pytest.fixture(scope="module")
def served() -> Iterator[Mapping[str, Scenario]]:
    """Scenarios that need an HTTP server."""
    with ExitStack() as stack:
        well = Endpoint(stack.enter_context(receiving(status=204, content=b"")), attempt=0)
        ill = Endpoint(stack.enter_context(receiving(status=500, content=b"")), attempt=2)
        chat = ChatWebhook(stack.enter_context(ChatServer()))
        accounts = [make_connection(POLLED, "offergrid"), make_connection(CHARGE, "spirii")]
        sandboxes = stack.enter_context(Sandboxes(accounts))
        provider = Provider(sandboxes)
        yield {
            "call_endpoint": Scenario(
                function="call_endpoint", prepare=well.prepare, adjust=well.adjust
            ),
            "call_endpoint, failing": Scenario(
                function="call_endpoint", prepare=ill.prepare, adjust=ill.adjust
            ),
            "call_endpoint, digest for a chat": Scenario(
                function="call_endpoint", prepare=chat.prepare, adjust=well.adjust
            ),
            "poll_orders": Scenario(function="poll_orders", prepare=provider.prepare),
            **Charge(sandboxes).scenarios(),
        }


@pytest.fixture
def applied(stack: Stack) -> Stack:
    stack.apply(OFFERGRID, replace(OFFERGRID, id="offergrid-other"))
    return stack
