"""Starts poll_orders outside its schedule. Short: one invocation."""

import json
from typing import TYPE_CHECKING

from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.poll_request import PollRequest

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class PollStarts:
    """Implements ``services.Polls``."""

    def __init__(self, client: "LambdaClient", *, function: str, requests: PollRequests) -> None:
        self._client = client
        self._requests = requests
        self._function = function

    def start(self, connection_id: str, request: PollRequest) -> None:
        # Stored first: this invocation may find another poll in progress, or be lost.
        self._requests.keep(connection_id, request)
        event = {"connection": connection_id}
        self._client.invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )
