"""A service for actions for each test, with sandboxes of its own."""

from collections.abc import Iterator

import pytest

from local.sandboxes import Sandboxes, make_connection
from tests.unit.actions.provider_counter import PROVIDERS, Counter


@pytest.fixture
def counter() -> Iterator[Counter]:
    with Sandboxes([make_connection(*one) for one in PROVIDERS.items()]) as sandboxes:
        yield Counter(sandboxes)
