"""Every 15 minutes: erases data that has appeared of customers who were erased in the last days."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.common.exception_summary import OwnWords, fail_without_message
from milepost.common.timestamps import parse_instant
from milepost.connections.aws.settings import ConnectionSettings
from milepost.operations.aws.dead_letter_queues import open_dead_letters
from milepost.operations.erasure.aws.places import open_erasure
from milepost.providers.registry import REGISTRY

MOST_SECONDS: Final = 120.0
"""How long one erasure may search large places, in seconds."""
RESERVE_MILLISECONDS: Final = 150_000
"""Time reserved for an erasure that has started; the next run continues with the rest."""

logger = open_logger()

erasure = open_erasure(
    os.environ,
    dead_letters=open_dead_letters(os.environ, sqs=client("sqs")),
    connections=ConnectionSettings(
        client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
    ),
    seconds=MOST_SECONDS,
)


class SomeUnfinished(OwnWords):
    """Some erasures could not be finished; the log says why, and the next run tries again."""


@fail_without_message
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """Finish what is due; ``{"now": "<instant>"}`` finishes what is due by then."""
    now = parse_instant(event["now"]) if "now" in event else datetime.now(UTC)
    done = {"erasures": 0, "orders": 0, "removed": 0, "failed": 0}
    for one in erasure.finish(now=now):
        done["erasures"] += 1
        done["orders"] += one.orders
        done["removed"] += one.removed
        if one.failed:
            done["failed"] += 1
            logger.error("an erasure is not finished", erasure=one.id, why=one.failed)
        if context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS:
            logger.info("the next run continues")
            break
    if done["orders"] or done["removed"]:
        logger.info("finished erasures", extra=dict(done))
    if done["failed"]:
        raise SomeUnfinished(f"{done['failed']} erasures are not finished")
    return done
