"""The console: web pages for users who are signed in by the user pool."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.activity.entry import Via
from milepost.api.app import build_api
from milepost.api.aws.services import open_services
from milepost.aws.errors import is_outage
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.console.app import Console
from milepost.console.aws.previews import open_chat_renderer, open_renderer
from milepost.console.aws.sign_in import open_settings, open_sign_in
from milepost.console.recent_values import KEPT_SECONDS

logger = open_logger()
metrics = open_metrics()


def present_time() -> datetime:
    return datetime.now(UTC)


def count() -> None:
    """Count an internal error."""
    count_failures(metrics, "ConsoleFailures")


settings = open_settings(os.environ)
services = open_services(os.environ, clock=present_time, counts_kept=KEPT_SECONDS)
console = Console(
    sign_in=open_sign_in(os.environ, settings=settings, clock=present_time),
    settings=settings,
    services=services,
    api=build_api(services, log=logger, is_outage=is_outage, failed=count, via=Via.CONSOLE),
    log=logger,
    is_outage=is_outage,
    failed=count,
    open_renderer=open_renderer(os.environ, settings=settings),
    open_chat_renderer=open_chat_renderer(settings=settings),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload format 2.0)."""
    return console.answer(event)
