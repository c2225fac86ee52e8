"""The botocore session and settings of all clients, and botocore's own clients (decision 52)."""

import gc
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from botocore import __version__ as version
from botocore.config import Config
from botocore.session import Session, get_session

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_LEAN: Final = Config(parameter_validation=False, user_agent=f"Botocore/{version} milepost")
"""Without validation of parameters, which the service does again, and without a description of the
machine in each request: together they take two fifths of the processor time of a call."""

CONFIG: Final = _LEAN.merge(
    Config(
        connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
    )
)
INTERACTIVE_CONFIG: Final = _LEAN.merge(
    Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
)
"""For a caller who waits: a 503 that is retried is better than a response that comes too late."""

FOR_MAIL: Final = _LEAN.merge(
    Config(
        connect_timeout=2, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 1}
    )
)
"""For sending a mail, within ``claims.CLAIM``. One attempt: SES may have accepted a mail although
its response timed out, and a second attempt would send it twice."""

FOR_INVOCATIONS: Final = Config(
    connect_timeout=2, read_timeout=26, retries={"mode": "standard", "total_max_attempts": 1}
)
"""For invoking a function and waiting for its result, while a caller waits for ours."""

FOR_LINKS: Final = CONFIG.merge(Config(signature_version="s3v4"))
"""For links to objects: botocore would use the old signature version, which many regions refuse."""

FOR_EXPORTS: Final = CONFIG.merge(Config(read_timeout=20, max_pool_connections=40))
"""For a job that reads a long list by many requests at once, and can wait for each."""


@cache
def open_session() -> Session:
    """The one botocore session of the process; every client is made from it."""
    # Lambda's runtime logs from INFO on, and botocore would log its own lines at each start.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    return get_session()


@overload
def client(
    service: Literal["secretsmanager"], *, config: Config = ...
) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sqs"], *, config: Config = ...) -> "SQSClient": ...
def client(service: str, *, config: Config = CONFIG) -> Any:
    """A client of botocore: the same calls as boto3's, without the time that importing boto3
    takes.
    """
    return open_session().create_client(service, config=config)


TESTED_BOTOCORE: Final = "1.43."
"""The botocore with which ``pass_attributes_through`` is tested; others keep their model."""


@cache
def pass_attributes_through() -> None:
    """Make botocore send and return attributes of DynamoDB items unchanged, as JSON.

    botocore walks through every value of every item that it sends or receives, which is half of the
    processor time of a batch. ``dynamodb_items`` writes and reads attributes in the form of
    DynamoDB's API, so for botocore an item can be a document. Without this, calls and responses are
    the same, only slower.
    """
    if not version.startswith(TESTED_BOTOCORE):
        return
    model = open_session().get_component("data_loader").load_service_model("dynamodb", "service-2")
    document = {"type": "structure", "members": {}, "document": True}
    for shape in model.get("shapes", {}).values():
        if shape.get("value") == {"shape": "AttributeValue"}:
            shape.update(document)


def open_connections(*calls: Callable[[], object]) -> None:
    """Make these first calls during the function's initialisation, not with the first event.

    The initialisation has a whole processor, an invocation a share of one; and a client's first
    call reads certificates, opens a TLS connection and loads the service's description. Does
    nothing outside of Lambda. Errors are left to the first event, whose handler deals with them.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    for call in calls:
        with suppress(Exception):
            call()
    # Objects that exist by now are kept permanently: the garbage collector needn't examine them.
    gc.freeze()
