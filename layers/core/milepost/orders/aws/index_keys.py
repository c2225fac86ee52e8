"""The keys of OrdersTable's index ``by_status``; no other module builds them.

A page of a list is one query for each partition, so there are few: open orders are in three, and
each closed status has its own. A partition is one list, or one of several shards of it: it takes
1,000 writes a second, and each step of an order is two.
"""

import os
import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from milepost.common.status import Status
from milepost.orders.order import OrderKey

BY_STATUS: Final = "by_status"
"""The index: ``status_shard`` and ``next_date``."""
MOST_SHARDS: Final = 8
"""The maximum number of shards, and the number that versions up to 0.3.0 had."""
SHARDS: Final = int(os.environ.get("LIST_SHARDS", "1"))
"""Shards of each list: parameter ``ListShards``."""

_LISTS: Final[Mapping[Status, Status]] = {
    Status.PENDING: Status.SUBMITTED,
    Status.ACCEPTED: Status.SUBMITTED,
    Status.UNKNOWN: Status.IN_PROGRESS,
}
"""Statuses that share the list of another one. An open and a closed status never share one."""


def partition_of(status: Status, key: OrderKey) -> str:
    """The partition in which the index has an order."""
    return f"{_list_of(status)}#{_shard_of(key)}"


def partitions_of(statuses: Iterable[Status]) -> list[str]:
    """The partitions with orders of these statuses, sorted; they also have orders of other
    statuses.
    """
    lists = {_list_of(status) for status in statuses}
    return sorted(f"{name}#{shard}" for name in lists for shard in range(SHARDS))


def earlier_partitions_of(statuses: Iterable[Status]) -> list[str]:
    """Other partitions that may still have orders of these statuses, sorted: an earlier version
    wrote to them, or there were more shards."""
    wanted = set(statuses)
    lists = wanted | {_list_of(status) for status in wanted}
    every = {f"{name}#{shard}" for name in lists for shard in range(MOST_SHARDS)}
    return sorted(every - set(partitions_of(wanted)))


def all_partitions() -> list[str]:
    """Every partition that may have orders, in an order that never changes."""
    return [f"{status}#{shard}" for status in Status for shard in range(MOST_SHARDS)]


def are_all_of(partition: str, statuses: Iterable[Status]) -> bool:
    """Whether every order of a partition has one of these statuses."""
    name = Status(partition.partition("#")[0])
    return {name, *(one for one, shared in _LISTS.items() if shared is name)} <= set(statuses)


def _list_of(status: Status) -> Status:
    return _LISTS.get(status, status)


def _shard_of(key: OrderKey) -> int:
    """The shard of an order: always the same for one order, and evenly distributed over many."""
    return zlib.crc32(str(key).encode()) % SHARDS
