"""DynamoDB's batch calls, repeated until everything is read or written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_READ_AT_ONCE: Final = 100
MOST_WRITTEN_AT_ONCE: Final = 25
"""The maximum number of items of one call. Source: DynamoDB, BatchGetItem and BatchWriteItem."""
_AT_ONCE: Final = 8
"""Number of parallel calls; a client has ten connections."""

Value = TypeVar("Value")


def get_items(
    client: "DynamoDBClient",
    table: str,
    keys: Iterable[Mapping[str, Any]],
    **options: Any,
) -> Iterator[dict[str, Any]]:
    """The items with these keys that exist, in any order, with DynamoDB's attributes.

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
    """Put or delete items, in several batches in parallel.

    :param requests: each a ``PutRequest`` or a ``DeleteRequest``, of different items
    :raises ClientError, BotoCoreError: when DynamoDB can't be written; some may be written then
    """

    def write(batch: Sequence[Any]) -> None:
        waiting = list(batch)
        while waiting:
            answer = client.batch_write_item(RequestItems={table: waiting})
            waiting = answer.get("UnprocessedItems", {}).get(table, [])

    do_in_parallel(write, parts_of([*requests], MOST_WRITTEN_AT_ONCE))


def parts_of(values: Sequence[Value], size: int) -> list[Sequence[Value]]:
    """The values in portions of at most this size."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def do_in_parallel(work: Callable[[Value], object], values: Sequence[Value]) -> None:
    """Make independent calls for several values in parallel; a single value needs no thread.

    :raises Exception: the first one that a call raised, after all calls have ended
    """
    if len(values) < 2:
        for one in values:
            work(one)
        return
    with ThreadPoolExecutor(min(_AT_ONCE, len(values))) as workers:
        for done in [workers.submit(work, one) for one in values]:
            done.result()
