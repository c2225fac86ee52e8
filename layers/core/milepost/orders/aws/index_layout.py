"""Whether every order is in the partition where this version's index keys put it.

Orders that an earlier version wrote are in other partitions. ``watch_deadlines`` moves them and
then says so in NoticesTable; until it has, lists read the other partitions as well.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from milepost.aws.dynamodb_items import as_int, from_item, to_item
from milepost.aws.notices_keys import ORDER_LISTS_MARK
from milepost.common.status import Status
from milepost.orders.aws import index_keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEEP_SECONDS: Final = 60
"""How long it is believed that orders have still to be moved."""
_EMPTY_SECONDS: Final = 600
"""How long a partition that was empty is left out: functions of the version before run for some
minutes after an upgrade."""


class IndexLayout:
    """The known state of earlier partitions, cached by the process."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table_name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """:param table_name: NoticesTable"""
        self._client = client
        self._table = table_name
        self._clock = clock
        self._read_at: float | None = None
        self._is_settled = False
        self._empty: dict[str, float] = {}

    def earlier_partitions(self, statuses: Iterable[Status]) -> list[str]:
        """Other partitions with orders of these statuses that have to be read, beside this
        version's own.
        """
        if self.is_settled():
            return []
        since = self._clock() - _EMPTY_SECONDS
        names = index_keys.earlier_partitions_of(statuses)
        return [name for name in names if self._empty.get(name, since - 1) < since]

    def note_empty(self, partition: str) -> None:
        """Store that an earlier partition has no orders."""
        self._empty[partition] = self._clock()

    def is_settled(self) -> bool:
        """Whether all orders have been moved."""
        now = self._clock()
        if not self._is_settled and (self._read_at is None or now - self._read_at > _KEEP_SECONDS):
            answer = self._client.get_item(TableName=self._table, Key=to_item(ORDER_LISTS_MARK))
            mark = from_item(answer.get("Item", {}))
            self._is_settled = as_int(mark.get("shards", 0)) == index_keys.SHARDS
            self._read_at = now
        return self._is_settled

    def settle(self) -> None:
        """Store that all orders have been moved, for this number of shards."""
        if not self.is_settled():
            mark = {**ORDER_LISTS_MARK, "shards": index_keys.SHARDS}
            self._client.put_item(TableName=self._table, Item=to_item(mark))
            self._is_settled = True
