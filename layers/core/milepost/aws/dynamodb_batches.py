"""DynamoDB's batch calls, repeated until everything is read or written."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_READ_AT_ONCE: Final = 100
MOST_WRITTEN_AT_ONCE: Final = 25
"""The maximum number of items of one call. Source: DynamoDB, BatchGetItem and BatchWriteItem."""


def get_items(
    client: "DynamoDBClient",
    table: str,
    keys: Iterable[Mapping[str, Any]],
    **options: Any,
) -> Iterator[dict[str, Any]]:
    """The items of these keys that exist, in any order, with DynamoDB's attributes.

    :param keys: without duplicates, with DynamoDB's attributes
    :param options: of the table's part of the request, such as ``ConsistentRead``
    :raises ClientError, BotoCoreError: when DynamoDB can't be read
    """
    waiting: list[Any] = list(keys)
    while waiting:
        asked, waiting = waiting[:MOST_READ_AT_ONCE], waiting[MOST_READ_AT_ONCE:]
        request: dict[str, Any] = {table: {"Keys": asked, **options}}
        answer = client.batch_get_item(RequestItems=request)
        yield from answer["Responses"].get(table, [])
        if left := answer.get("UnprocessedKeys", {}).get(table):
            waiting += left["Keys"]


def write_items(
    client: "DynamoDBClient", table: str, requests: Iterable[Mapping[str, Any]]
) -> None:
    """Put or delete items.

    :param requests: each a ``PutRequest`` or a ``DeleteRequest``
    :raises ClientError, BotoCoreError: when DynamoDB can't be written; some may be written then
    """
    waiting: list[Any] = list(requests)
    while waiting:
        asked, waiting = waiting[:MOST_WRITTEN_AT_ONCE], waiting[MOST_WRITTEN_AT_ONCE:]
        answer = client.batch_write_item(RequestItems={table: asked})
        waiting += answer.get("UnprocessedItems", {}).get(table, [])
