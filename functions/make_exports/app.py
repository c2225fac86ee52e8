"""Creates the file of an export; orders_api and console start it without waiting."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.api.app import Api, build_api
from milepost.api.aws.services import open_services
from milepost.api.dependencies import Services
from milepost.api.routes.export_lists import ListRows, columns_of
from milepost.aws.clients import FOR_EXPORTS, FOR_MAIL, client
from milepost.aws.errors import is_outage
from milepost.aws.logger import open_logger
from milepost.common.exception_summary import fail_without_message
from milepost.exports.aws.bucket import ExportFiles
from milepost.exports.aws.mail import ExportMailer
from milepost.exports.aws.table import ExportsTable
from milepost.exports.export_run import ExportWorker

FOR_THE_END: Final = timedelta(seconds=60)
"""The remaining time that is needed to read on: the file is finished in it, and the mail sent."""

logger = open_logger()


def present_time() -> datetime:
    return datetime.now(UTC)


def open_api(services: Services) -> Api:
    """The API, which reads lists page by page."""
    return build_api(services, log=logger, is_outage=is_outage)


worker = ExportWorker(
    exports=ExportsTable(
        client("dynamodb", config=FOR_EXPORTS), table_name=os.environ["EXPORTS_TABLE"]
    ),
    files=ExportFiles(cache(lambda: client("s3")), bucket=os.environ["EXPORTS_BUCKET"]),
    rows=ListRows(
        services=open_services(os.environ, clock=present_time, config=FOR_EXPORTS),
        open_api=open_api,
    ),
    mailer=ExportMailer(
        client("sesv2", config=FOR_MAIL),
        sender=os.environ["SENDER_ADDRESS"],
        console_url=os.environ["CONSOLE_URL"],
    ),
    columns_of=columns_of,
    clock=present_time,
)


@fail_without_message
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:
    """Create the export that the event names; Lambda runs it again after an error."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() >= FOR_THE_END.total_seconds() * 1000

    export_id = str(event["export"])
    state = worker.work(export_id, invocation=context.aws_request_id, has_time=has_time)
    logger.info("made an export", export=export_id, state=state or "unknown")
    return {"export": export_id, "state": state or "unknown"}
