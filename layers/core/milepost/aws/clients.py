"""Clients of AWS services, all of one botocore session (decision 6 in docs/decisions)."""

import gc
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Final

from botocore import __version__ as version
from botocore.config import Config
from botocore.session import Session, get_session

_LEAN: Final = Config(parameter_validation=False, user_agent=f"Botocore/{version} milepost")
"""What a call costs us is the processor's time. Two fifths of it botocore spends on walking through
every value of what it sends, which the service checks again, and on writing out again what machine
it runs on."""

_CONFIG: Final = _LEAN.merge(
    Config(
        connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
    )
)
IMPATIENT: Final = _LEAN.merge(
    Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
)
"""For a caller who waits: better a 503 that is retried than an answer that comes too late."""

FOR_MAIL: Final = _LEAN.merge(
    Config(
        connect_timeout=2, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 1}
    )
)
"""For sending a mail, within ``claims.CLAIM``. Tried once: a mail whose answer was slow may have
gone out, and would go out twice."""

FOR_A_RUN = Config(
    connect_timeout=2, read_timeout=26, retries={"mode": "standard", "total_max_attempts": 1}
)
"""For running a function and waiting for its answer, while somebody waits for ours."""


@cache
def _session() -> Session:
    # Lambda's runtime lets INFO through: botocore would write lines of its own at each start.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    return get_session()


def client(service: str, *, config: Config = _CONFIG) -> Any:
    """A client such as ``client("sqs")``, for the region and credentials of the environment."""
    if service == "dynamodb":
        _leave_attributes_alone()
    return _session().create_client(service, config=config)


TRIED_BOTOCORE: Final = "1.43."
"""The botocore with which ``_leave_attributes_alone`` was tried; others get the model as it is."""


@cache
def _leave_attributes_alone() -> None:
    """Have botocore take attributes of items as they are, in JSON.

    It walks through every value of every item that it sends or receives, which is half of what a
    batch costs. ``dynamodb_items`` writes and reads attributes in the form that DynamoDB's API has,
    so to botocore an item can be a document. Without this, calls and answers are the same, only
    slower.
    """
    if not version.startswith(TRIED_BOTOCORE):
        return
    model = _session().get_component("data_loader").load_service_model("dynamodb", "service-2")
    document = {"type": "structure", "members": {}, "document": True}
    for shape in model.get("shapes", {}).values():
        if shape.get("value") == {"shape": "AttributeValue"}:
            shape.update(document)


def open_connections(*calls: Callable[[], object]) -> None:
    """Make these first calls while the function starts, instead of with the first event.

    A start has a whole processor, an event's time but a share of one, and a client's first call
    reads certificates, shakes hands and learns its service. Does nothing outside of Lambda. What
    fails is left to the first event, which knows what to do about it.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    for call in calls:
        with suppress(Exception):
            call()
    # What is loaded by now stays for good: the collector needn't look through it again and again.
    gc.freeze()
