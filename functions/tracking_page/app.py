"""Serves the tracking page: the progress of an order, for customers with its signed link."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import INTERACTIVE_CONFIG, client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.mail.aws.unsubscribe import LinkKeysStore
from milepost.orders.aws.table import OrdersReader
from milepost.providers.registry import REGISTRY
from milepost.tracking_page.answer import Answered, Outcome, Request, TrackingAnswers
from milepost.tracking_page.aws.link_versions import LinkVersionsTable
from milepost.tracking_page.guesses import Guesses

GUESSED: Final = frozenset({Outcome.BAD_LINK, Outcome.TOO_MANY})

logger = open_logger()
metrics = open_metrics()
dynamodb = client("dynamodb", config=INTERACTIVE_CONFIG)
answers = TrackingAnswers(
    keys=LinkKeysStore(
        client("secretsmanager", config=INTERACTIVE_CONFIG),
        secret_id=os.environ["UNSUBSCRIBE_SECRET_ARN"],
        clock=time.monotonic,
    ),
    versions=LinkVersionsTable(dynamodb, table_name=os.environ["NOTICES_TABLE"]),
    orders=OrdersReader(dynamodb, table_name=os.environ["ORDERS_TABLE"]),
    connections=ConnectionSettings(
        client("ssm", config=INTERACTIVE_CONFIG),
        path=os.environ["CONNECTIONS_PATH"],
        clock=time.monotonic,
        providers=REGISTRY,
    ),
    guesses=Guesses(clock=time.monotonic),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload format 2.0)."""
    answered = answer(request_of(event))
    logger.info("answered", outcome=answered.outcome)
    if answered.outcome in GUESSED:
        metrics.add_metric(name="RefusedTrackingLinks", unit=MetricUnit.Count, value=1)
    page = answered.page
    return {"statusCode": page.status, "headers": dict(page.headers), "body": page.body}


def answer(request: Request) -> Answered:
    """The response; after an error, the page that says that the order can't be shown now."""
    try:
        return answers.answer(request, now=datetime.now(UTC))
    except Exception:
        # A customer gets a page in place of API Gateway's error, and the alarm is set off.
        logger.exception("the order can't be shown")
        count_failures(metrics, "TrackingPageFailures")
        return answers.unavailable(request)


def request_of(event: Mapping[str, Any]) -> Request:
    """The browser's request."""
    query = event.get("queryStringParameters") or {}
    return Request(
        token=event["pathParameters"]["token"],
        address=event["requestContext"]["http"].get("sourceIp", ""),
        accept_language=event.get("headers", {}).get("accept-language", ""),
        chosen_language=query.get("lang"),
        wants_calendar="calendar" in query,
    )
