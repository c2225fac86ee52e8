"""The stack's resources in moto, empty for each test, with the connections applied.

After every test what the functions logged and printed is scanned for what no log may hold.
"""

import io
import json
import logging
from collections.abc import Callable, Generator, Iterator
from functools import cache
from typing import Any

import pytest
from moto import mock_aws
from moto.core.base_backend import BackendDict

from milepost.aws import order_lists, orders_table, watch_list
from tests.builders import OFFERGRID, RABOT, RETAIL
from tests.leaks import MADE_UP, Overheard, all_texts, find_leaks, personal_values
from tests.signing import OTHER_SECRET, SECRET
from tests.stack import ROOT, Stack

OVERHEARD = pytest.StashKey[Overheard]()


@pytest.fixture(scope="module")
def moto() -> Iterator[None]:
    """AWS in memory. To set it up takes longer than a test, to empty it takes nothing."""
    with mock_aws():
        yield


@pytest.fixture
def stack(moto: None, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Milepost")
    # Every shard of every status is a query, and an emulator's queries are slow.
    for module in (order_lists, orders_table, watch_list):
        monkeypatch.setattr(module, "SHARDS", 2)
    BackendDict.reset()
    made = Stack()
    made.apply(OFFERGRID, RETAIL, RABOT)
    return made


@pytest.fixture
def logged(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Everything that the module's ``app`` logged and printed so far."""
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    """A test whose functions logged or printed what they may not has failed."""
    report = yield
    if report.when == "teardown" and report.passed and OVERHEARD in item.stash:
        logged = item.stash[OVERHEARD].text
        leaks = find_leaks(f"{logged}\n{report.capstdout}", known=forbidden())
        if leaks:
            report.outcome = "failed"
            report.longrepr = "\n".join(["Logged, and may not be:", *leaks])
    return report


@cache
def forbidden() -> frozenset[str]:
    """Data of the events' and the sandboxes' people, and the secrets that sign webhooks."""
    found = {SECRET, OTHER_SECRET, *MADE_UP}
    for path in (ROOT / "events").rglob("*.json"):
        content = json.loads(path.read_text())
        found |= personal_values(content)
        found |= {one for body in bodies(content) for one in personal_values(body)}
    return frozenset(found)


def bodies(content: Any) -> Iterator[Any]:
    """The JSON documents that stand in an event as texts."""
    for text in all_texts(content):
        try:
            yield json.loads(text)
        except ValueError:
            continue
