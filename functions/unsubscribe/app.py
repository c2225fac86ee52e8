"""Serves the unsubscribe link of mails: GET asks for confirmation, POST unsubscribes."""

import os
import time
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import INTERACTIVE_CONFIG, client
from milepost.aws.logger import open_logger
from milepost.common.exception_summary import fail_without_message
from milepost.notifications.mail.aws.unsubscribe import EndingsTable, LinkKeysStore
from milepost.notifications.mail.unsubscribe import answer
from milepost.notifications.mail.unsubscribe_pages import page_for

logger = open_logger()

keys = LinkKeysStore(
    client("secretsmanager", config=INTERACTIVE_CONFIG),
    secret_id=os.environ["UNSUBSCRIBE_SECRET_ARN"],
    clock=time.monotonic,
)
endings = EndingsTable(
    client("dynamodb", config=INTERACTIVE_CONFIG), table_name=os.environ["NOTICES_TABLE"]
)


@fail_without_message
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload format 2.0)."""
    method = event["requestContext"]["http"]["method"]
    token = event["pathParameters"]["token"]
    answered = answer(method, token, keys=keys, endings=endings, now=datetime.now(UTC))
    logger.info(
        "answered",
        outcome=answered.outcome,
        subscriptions=answered.ending.subscriptions,
        recipient=answered.ending.recipient is not None,
        customer=answered.ending.customer is not None,
    )
    language = event.get("headers", {}).get("accept-language", "")
    page = page_for(answered.outcome, accept_language=language)
    return {"statusCode": page.status, "headers": dict(page.headers), "body": page.html}
