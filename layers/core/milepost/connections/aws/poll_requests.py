"""PollsTable: requests for polls, kept until a poll has fulfilled them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_items import to_item
from milepost.aws.polls_keys import poll_key
from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.poll_request import PollRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PREFIX: Final = "request_"
"""Each request is an attribute, so that several can be stored at once without reading the item."""


class PollRequests:
    """Stores requests until the connection's next poll."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def keep(self, connection_id: str, request: PollRequest) -> None:
        """Store a request; repeating it has no effect."""
        self._client.update_item(
            TableName=self._table,
            Key=to_item(poll_key(connection_id)),
            UpdateExpression="SET #request = if_not_exists(#request, :request)",
            ExpressionAttributeNames={"#request": attribute_of(request.id)},
            ExpressionAttributeValues=to_item({":request": _value(request)}),
        )


def attribute_of(request_id: str) -> str:
    """The attribute in which a request is stored."""
    return f"{_PREFIX}{request_id}"


def read_requests(item: Mapping[str, Any]) -> tuple[PollRequest, ...]:
    """The requests of a connection's item, the oldest first.

    :param item: as ``from_item`` gives it
    :raises ValueError, TypeError: when one is not a request
    """
    found = [
        _request(name.removeprefix(_PREFIX), value)
        for name, value in item.items()
        if name.startswith(_PREFIX)
    ]
    return tuple(sorted(found, key=lambda one: (one.requested_at, one.id)))


def has_requests(attributes: Mapping[str, Any]) -> bool:
    """Whether an item, as DynamoDB returns it, has requests."""
    return any(name.startswith(_PREFIX) for name in attributes)


def _value(request: PollRequest) -> dict[str, Any]:
    value: dict[str, Any] = {
        "requested_at": format_instant(request.requested_at),
        "announce": request.announce,
    }
    return value | ({"since": format_instant(request.since)} if request.since else {})


def _request(request_id: str, value: Any) -> PollRequest:
    if not isinstance(value, dict):
        raise TypeError(f"the poll request {request_id} is not an object")
    since, failed_at = value.get("since"), value.get("failed_at")
    return PollRequest(
        id=request_id,
        requested_at=parse_instant(value.get("requested_at", "")),
        since=parse_instant(since) if since else None,
        announce=bool(value.get("announce")),
        failed_at=parse_instant(failed_at) if failed_at else None,
    )
