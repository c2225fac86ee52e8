"""SQS batches in the form in which event source mappings pass them to functions."""

import base64
from typing import Any


def sqs_batch(bodies: list[str]) -> dict[str, Any]:
    """A batch in the form in which an event source mapping passes it to a function."""
    return {"Records": [_sqs_record(number, body) for number, body in enumerate(bodies, start=1)]}


def _sqs_record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"00000000-0000-4000-8000-{number:012d}",
        "receiptHandle": base64.b64encode(f"receipt {number}".encode()).decode(),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1772447400123",
            "SenderId": "AROAEXAMPLE:milepost",
            "ApproximateFirstReceiveTimestamp": "1772447400223",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:milepost",
        "awsRegion": "eu-central-1",
    }
