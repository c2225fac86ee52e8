"""call_endpoint's app, an endpoint that receives its calls, and a notice in its queue."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from milepost.notifications.endpoints.delivery import Caller
from milepost.notifications.notice import Notice
from tests.integration.adjusted_functions import allow_this_machine
from tests.integration.call_endpoint.endpoint_calls import enter, keep_order, subscribe
from tests.signing import OTHER_SECRET, SECRET
from tests.stack import Stack
from tests.unit.notifications.endpoints.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(status=204, content=b"") as one:
        yield one


@pytest.fixture
def app(stack: Stack, receiver: Receiver) -> ModuleType:
    """The unchanged function, except that it may call this machine, and retries without jitter."""
    stack.keep_secret("EndpointSecrets", {"crm": SECRET, "erp": OTHER_SECRET})
    module = stack.load("call_endpoint")
    allow_this_machine(module, chance=lambda: 0.0)
    return module


@pytest.fixture
def caller(app: ModuleType) -> Caller:
    made: Caller = app.calls.caller
    return made


@pytest.fixture
def queued(stack: Stack, receiver: Receiver) -> Notice:
    """A notice of a rejection to the subscription crm, entered in the log."""
    subscribe(stack, receiver.url)
    keep_order(stack)
    return enter(stack, receiver.url)
