"""Receives a provider's webhook: verifies the raw bytes, puts them in the inbox, responds.

Imports only what it needs: the provider waits for the response, also after a cold start.
"""

import json
import os
import time
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from milepost.aws.botocore_clients import INTERACTIVE_CONFIG, client, open_connections
from milepost.common.exception_summary import fail_without_message
from milepost.webhooks.aws.inbox import InboxQueue
from milepost.webhooks.aws.secrets import SigningSecretsStore
from milepost.webhooks.receiver import FOUND, Answer, Request, receive

secrets = SigningSecretsStore(
    client("secretsmanager", config=INTERACTIVE_CONFIG), secret_id=os.environ["SIGNING_SECRETS_ARN"]
)
inbox = InboxQueue(
    client("sqs", config=INTERACTIVE_CONFIG), queue_url=os.environ["INBOX_QUEUE_URL"]
)
HEADERS: Final = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
PLAIN_TEXT: Final = {**HEADERS, "content-type": "text/plain; charset=utf-8"}
METRICS_NAMESPACE: Final = os.environ["POWERTOOLS_METRICS_NAMESPACE"]
SERVICE: Final = os.environ["POWERTOOLS_SERVICE_NAME"]
_FAILED: Final = ("RefusedWebhooks", "Failures")
METRICS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "bad_signature": ("RefusedWebhooks",),
    "no_secret": _FAILED,
    "secret_store_down": _FAILED,
    "inbox_refused": _FAILED,
}
"""The metrics for each reason of a response: a 503 is an internal error."""
open_connections(lambda: secrets.refresh(now=time.time()), inbox.look)


@fail_without_message
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload format 2.0)."""
    request = read_request(event)
    answer = receive(request, secrets=secrets, inbox=inbox, now=time.time())
    log(request, answer)
    if answer.text is not None:
        return {"statusCode": answer.status, "headers": PLAIN_TEXT, "body": answer.text}
    return {
        "statusCode": answer.status,
        "headers": {**HEADERS, **answer.headers},
        "body": json.dumps({"message": answer.message}),
    }


def read_request(event: dict[str, Any]) -> Request:
    """The request with its body as the bytes that were signed."""
    body = event.get("body") or ""
    return Request(
        method=event["requestContext"]["http"]["method"],
        connection_id=event["pathParameters"]["connection"],
        headers=event.get("headers") or {},
        body=b64decode(body) if event.get("isBase64Encoded") else body.encode(),
        query=event.get("queryStringParameters") or {},
    )


def log(request: Request, answer: Answer) -> None:
    """Log one line for each request; for a refusal it contains metrics (embedded metric format).

    The path is the caller's: only the id of an existing connection is logged. Requests with unknown
    paths or other methods give no metric, since each metric is charged.
    """
    known = request.connection_id if answer.reason in FOUND else "unknown"
    metrics = METRICS_OF.get(answer.reason)
    line = {
        **(metric_line(metrics) if metrics else {}),
        "connection": known,
        "reason": answer.reason,
        "status": answer.status,
        "bytes": len(request.body),
    }
    print(json.dumps(line, separators=(",", ":")))


def metric_line(names: tuple[str, ...]) -> dict[str, Any]:
    """The part of a log line that defines these metrics, each with the value 1."""
    by: Mapping[str, list[list[str]]] = {
        "RefusedWebhooks": [["reason"], ["connection", "reason"]],
        "Failures": [["service"]],
    }
    groups = [
        {
            "Namespace": METRICS_NAMESPACE,
            "Dimensions": by[name],
            "Metrics": [{"Name": name, "Unit": "Count"}],
        }
        for name in names
    ]
    stamped = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": groups}
    return {"_aws": stamped, "service": SERVICE, **dict.fromkeys(names, 1)}
