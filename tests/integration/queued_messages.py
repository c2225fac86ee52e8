"""Messages put into the queues of a stack."""

import json
from typing import Any

from tests.stack import Stack, aws


def put(stack: Stack, queue: str, *bodies: Any, **attributes: str) -> None:
    for body in bodies:
        aws("sqs").send_message(
            QueueUrl=stack.resources[queue],
            MessageBody=json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )
