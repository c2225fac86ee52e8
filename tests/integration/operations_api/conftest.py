"""orders_api as operators use it."""

from types import ModuleType

import pytest

from tests.integration.operations_api.requests import Ask, Polls, asking
from tests.integration.operator_requests import hurry
from tests.stack import Stack


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    loaded = stack.load("orders_api")
    hurry(loaded)
    return loaded


@pytest.fixture
def polls() -> Polls:
    return Polls()


@pytest.fixture
def ask(app: ModuleType, polls: Polls) -> Ask:
    return asking(app, polls)
