"""Reads OrdersTable's index for one page: queries each partition, and applies the list's
filters."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.orders.aws.index_keys import BY_STATUS, are_all_of
from milepost.orders.aws.orders_keys import item_key, order_of
from milepost.queries.aws.listed_orders import ListedOrders, listed_order
from milepost.queries.order_list import (
    ANY_ATTENTION,
    ANY_WAIT,
    NO_ZONE,
    Listed,
    Place,
    Wanted,
    has_wanted_facts,
    is_wanted,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_LOOKED_THROUGH: Final = 2_000
"""Maximum number of orders read for one page; if filters leave too few of them, the page is
short."""
_OF_ONE_READ_ITSELF: Final = 4
"""How many orders of the index one order counts as if it is read itself, since a filter needs its
facts."""
_READ: Final = 10
"""Minimum number of orders read of a partition at a time: as many as cost no more than one."""
_FILTERED: Final = 500
"""Number of orders read of a partition at a time, if filters leave most of them out."""
_FILTERED_BY_FACTS: Final = 100
"""The same, if each of them is read itself as well."""


class Candidate(NamedTuple):
    """An order that a query found."""

    next_date: str
    item: dict[str, Any]
    read: Listed | None
    """The order, if a filter needed it; else it is read from the item when a page shows it."""

    @property
    def order(self) -> Listed:
        return self.read or _order_of(self.item)


@dataclass
class Partition:
    """One partition, read from its beginning or from a position."""

    name: str
    bounds: tuple[str | None, str | None] = (None, None)
    is_earlier: bool = False
    """Whether only earlier versions wrote to it."""
    start: dict[str, Any] | None = None
    waiting: deque[Candidate] = field(default_factory=deque)
    read_until: Place | None = None
    reads: int = 0
    is_done: bool = False
    is_empty: bool = False
    """Whether it has no order at all."""

    def head(self) -> tuple[str, str] | None:
        """The earliest possible position of its next order; None if there is none."""
        if self.waiting:
            return self.waiting[0].next_date, self.name
        if self.is_done or self.read_until is None:
            return None
        return self.read_until.next_date, self.name

    def take(self, found: Iterable[Candidate], answer: Mapping[str, Any]) -> None:
        """Add the results of a query.

        :param answer: the query's response, which says how far it read
        """
        is_first = self.read_until is None and self.start is None
        self.waiting.extend(found)
        self.start = answer.get("LastEvaluatedKey")
        self.is_done = self.start is None
        is_whole = is_first and self.is_done and self.bounds == (None, None)
        self.is_empty = is_whole and not answer["ScannedCount"]
        if self.start:
            self.read_until = place_of(self.start)


class Reading:
    """The reads of one page."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        wanted: Wanted,
        *,
        zones: Mapping[str, str],
        count: int,
    ) -> None:
        """:param count: how many orders are read from a partition at once, if no filter leaves any
        out"""
        self._client, self._table = client, table
        self._wanted, self._zones = wanted, zones
        self._orders = ListedOrders(client, table_name=table)
        self._count = max(_READ, count)
        self._is_exact = _is_exact(wanted)
        self._is_by_date = _is_exact(replace(wanted, due=None, first_day=None, last_day=None))
        self.looked_through = 0

    def read_first(self, partition: Partition) -> int:
        """Read the beginning of a partition; returns how many orders were examined."""
        if partition.is_earlier:
            return self._read(partition, _READ)
        return self._read(partition, self._count_of(partition))

    def read_on(self, partition: Partition) -> None:
        """Continue reading a partition."""
        self.looked_through += self._read(partition, self._count_of(partition))

    def _count_of(self, partition: Partition) -> int:
        if self._wanted.needs_facts:
            return max(self._count, _FILTERED_BY_FACTS)
        if self._filters(partition).text or not self._is_by_date:
            return max(self._count, _FILTERED)
        # Dates are between the query's bounds, so nearly all of these orders are on the list.
        many = self._count if self._is_exact else self._count << partition.reads
        return max(self._count, min(many, _FILTERED))

    def _read(self, partition: Partition, count: int) -> int:
        answer = self._client.query(**self._query(partition, count))
        looked_through = int(answer["ScannedCount"])
        if self._is_exact:
            found = [Candidate(one["next_date"]["S"], one, None) for one in answer["Items"]]
        else:
            orders = [one for item in answer["Items"] if self._has(one := _order_of(item))]
            if self._wanted.needs_facts:
                looked_through += _OF_ONE_READ_ITSELF * len(orders)
                known = self._orders.with_facts(orders)
                orders = [one for one in known if has_wanted_facts(one, self._wanted)]
            found = [Candidate(one.next_date, {}, one) for one in orders]
        partition.take(found, answer)
        partition.reads += 1
        return looked_through

    def _has(self, one: Listed) -> bool:
        zone = self._zones.get(one.key.connection, NO_ZONE)
        return is_wanted(one, self._wanted, zone=zone)

    def _filters(self, partition: Partition) -> "_Filters":
        return _filters(self._wanted, partition.name)

    def _query(self, partition: Partition, count: int) -> dict[str, Any]:
        lower, upper = partition.bounds
        filters = self._filters(partition)
        values = {":shard": partition.name, ":lower": lower, ":upper": upper, **filters.values}
        start = {"ExclusiveStartKey": partition.start} if partition.start else {}
        expression = {"FilterExpression": filters.text} if filters.text else {}
        names = {"ExpressionAttributeNames": filters.names} if filters.names else {}
        return {
            "TableName": self._table,
            "IndexName": BY_STATUS,
            "KeyConditionExpression": _key_condition(lower, upper),
            "ExpressionAttributeValues": to_item(values),
            "Limit": count,
            **start,
            **expression,
            **names,
        }


def place_of(start: Mapping[str, Any]) -> Place:
    """The position of a key of the index, with DynamoDB's attributes."""
    item = from_item(start)
    return Place(item["next_date"], item["status_shard"], order_of(item))


def start_key(place: Place) -> dict[str, Any]:
    """The key of the index, in DynamoDB's attributes, after which the page of a position begins."""
    index = {"status_shard": place.shard, "next_date": place.next_date}
    return to_item({**item_key(place.key), **index})


def _order_of(item: dict[str, Any]) -> Listed:
    return listed_order(from_item(item))


def _is_exact(wanted: Wanted) -> bool:
    """Whether DynamoDB's filters select exactly the orders of the list."""
    return wanted == Wanted(
        asked_at=wanted.asked_at,
        statuses=wanted.statuses,
        connections=wanted.connections,
        provider=wanted.provider,
        service_type=wanted.service_type,
        attention=ANY_ATTENTION if wanted.attention else None,
        waiting=ANY_WAIT if wanted.waiting else None,
    )


def _key_condition(lower: str | None, upper: str | None) -> str:
    in_this_partition = "status_shard = :shard"
    if lower and upper:
        return f"{in_this_partition} AND next_date BETWEEN :lower AND :upper"
    if lower:
        return f"{in_this_partition} AND next_date >= :lower"
    if upper:
        return f"{in_this_partition} AND next_date <= :upper"
    return in_this_partition


@dataclass(frozen=True)
class _Filters:
    """The filters that DynamoDB applies."""

    text: str
    names: Mapping[str, str]
    values: Mapping[str, str]


def _filters(wanted: Wanted, partition: str) -> _Filters:
    conditions: list[str] = []
    names: dict[str, str] = {}
    values: dict[str, str] = {}

    def one_of(name: str, wanted_values: Iterable[str]) -> None:
        places = {f":{name}{place}": one for place, one in enumerate(sorted(wanted_values))}
        values.update(places)
        names[f"#{name}"] = name
        conditions.append(f"#{name} IN ({', '.join(places)})")

    if not are_all_of(partition, wanted.statuses):
        one_of("status", {str(one) for one in wanted.statuses})
    if wanted.connections:
        one_of("connection", wanted.connections)
    if wanted.provider is not None:
        one_of("provider", [wanted.provider])
    if wanted.service_type is not None:
        one_of("service_type", [wanted.service_type])
    for name in ("attention", "reference", "waiting"):
        if getattr(wanted, name) is not None:
            names[f"#{name}"] = name
            conditions.append(f"attribute_exists(#{name})")
    return _Filters(" AND ".join(conditions), names, values)
