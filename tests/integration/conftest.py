"""The stack's resources in moto, empty for each test, with the connections applied."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from moto import mock_aws
from moto.core.base_backend import BackendDict

from tests.builders import OFFERGRID, RABOT, RETAIL
from tests.stack import Stack


@pytest.fixture(scope="module")
def moto() -> Iterator[None]:
    """AWS in memory. To set it up takes longer than a test, to empty it takes nothing."""
    with mock_aws():
        yield


@pytest.fixture
def stack(moto: None, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Milepost")
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
            handler.setStream(buffer)
    return lambda: buffer.getvalue() + capsys.readouterr().out
