"""Starts poll_orders outside its schedule, for a poll or for orders that webhooks named."""

import json
from collections.abc import Callable
from functools import cache
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
        _invoke(self._client, self._function, {"connection": connection_id})


class FetchStarts:
    """Starts fetching the orders that webhooks of a connection named."""

    def __init__(self, make_client: "Callable[[], LambdaClient]", *, function: str) -> None:
        self._open_client = cache(make_client)
        self._function = function

    def start(self, connection_id: str) -> None:
        _invoke(
            self._open_client(), self._function, {"connection": connection_id, "fetch": "named"}
        )


def _invoke(client: "LambdaClient", function: str, event: dict[str, str]) -> None:
    client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
