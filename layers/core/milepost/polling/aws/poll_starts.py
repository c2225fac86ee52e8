"""Starts poll_orders outside its schedule, for a poll or for orders that webhooks named."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.poll_request import PollRequest
from milepost.polling.aws.named_orders import NamedOrdersTable, TooManyNamed
from milepost.polling.named_orders import NamedOrder

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
    """Starts to fetch the orders that webhooks of a connection named."""

    def __init__(self, make_client: "Callable[[], LambdaClient]", *, function: str) -> None:
        self._open_client = cache(make_client)
        self._function = function

    def start(self, connection_id: str) -> None:
        _invoke(
            self._open_client(), self._function, {"connection": connection_id, "fetch": "named"}
        )


class NamedOrderRequests:
    """Requests that orders are fetched if a webhook only named them."""

    def __init__(
        self,
        named: NamedOrdersTable,
        *,
        starts: FetchStarts,
        polls: PollRequests,
        clock: Callable[[], datetime],
    ) -> None:
        self._named = named
        self._clock = clock
        self._starts = starts
        self._polls = polls

    def request(self, connection_id: str, named: NamedOrder) -> None:
        """Have an order fetched; beyond a number of them, request a poll of the whole list.

        The order is stored first. So it is fetched by the next poll if the start fails.
        """
        try:
            if self._named.add(connection_id, named, now=self._clock()):
                self._start(connection_id)
        except TooManyNamed:
            self._request_poll(connection_id)

    def _start(self, connection_id: str) -> None:
        """Start fetching; if that fails, the next retry of the message starts it."""
        try:
            self._starts.start(connection_id)
        except Exception:
            self._named.withdraw_start(connection_id)
            raise

    def _request_poll(self, connection_id: str) -> None:
        """Request a poll that starts after this minute.

        All such webhooks of one minute share one request, so that a burst doesn't exceed the size
        of the connection's item.
        """
        minute = self._clock().replace(second=0, microsecond=0)
        request = PollRequest(
            id=f"webhooks-{minute:%H%M}", requested_at=minute + timedelta(minutes=1), announce=True
        )
        self._polls.keep(connection_id, request)


def _invoke(client: "LambdaClient", function: str, event: dict[str, str]) -> None:
    client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
