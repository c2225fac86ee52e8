"""The orders API: people and programs read orders and act on them, with a token."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.api.app import build_api
from milepost.api.aws.services import open_services
from milepost.aws.errors import is_outage
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message

logger = open_logger()
metrics = open_metrics()


def present_time() -> datetime:
    return datetime.now(UTC)


services = open_services(os.environ, clock=present_time)
api = build_api(
    services,
    log=logger,
    is_outage=is_outage,
    failed=lambda: count_failures(metrics, "ApiFailures"),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload format 2.0)."""
    return api.answer(event, context)
