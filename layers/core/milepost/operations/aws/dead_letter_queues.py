"""Every dead-letter queue of the stack, and how it is redriven. Short: one list."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from milepost.aws.clients import FOR_INVOCATIONS, client
from milepost.aws.queue_urls import dead_letter_urls
from milepost.operations.aws.dead_letters import (
    BackIntoQueue,
    ReannounceTarget,
    SqsLetters,
    StartAgain,
)
from milepost.operations.dead_letters import DeadLetterQueue, RedriveTarget

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


BATCHES: Final = "batch"
"""The queue of batches; its messages contain no personal data, so an erasure doesn't search it."""
_S3: Final = cache(lambda: client("s3"))
"""Seldom needed, and the slowest client to create."""


def open_dead_letters(
    environment: Mapping[str, str], *, sqs: "SQSClient", batches: bool = False
) -> list[DeadLetterQueue]:
    """Every dead-letter queue, with the target to which its messages are redriven.

    :param batches: whether the queue of batches is included; erasures don't need it, since ids of
        batches name nobody
    """
    functions = client("lambda", config=FOR_INVOCATIONS)
    announce = environment["ANNOUNCE_FUNCTION"]
    ways: dict[str, RedriveTarget] = {
        name: BackIntoQueue(sqs, queue_url=environment[f"{name.upper()}_QUEUE_URL"])
        for name in ("inbox", "email", "endpoint", "mail_events", *([BATCHES] if batches else []))
    }
    ways["announce"] = ReannounceTarget(functions, _S3, announce=announce)
    ways["invocations"] = StartAgain(functions)
    patient, urls = client("sqs"), dead_letter_urls(environment)
    return [
        DeadLetterQueue(
            name=name,
            letters=SqsLetters(patient, queue_url=urls[name]),
            way=way,
        )
        for name, way in ways.items()
    ]
