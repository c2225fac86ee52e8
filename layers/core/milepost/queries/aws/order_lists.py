"""Order lists by the index. Their cost does not depend on the number of orders."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_batches import MOST_READ_AT_ONCE, get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status
from milepost.common.timestamps import if_in_range
from milepost.orders.aws.items import last_seen, wait_of
from milepost.orders.aws.table import BY_STATUS, SHARDS, key_of
from milepost.orders.order import Attention, OrderKey
from milepost.queries.order_list import (
    LISTED_FACTS,
    Listed,
    Page,
    Place,
    Wanted,
    has_wanted_facts,
    is_wanted,
    next_dates,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_LOOKED_THROUGH: Final = 2_000
"""Orders read for one page, whatever the filters leave of them; beyond it a page is short."""
_OF_ONE_READ_ITSELF: Final = 4
"""As how many of the index an order counts that is read itself, since a filter needs its facts."""
_READ: Final = 10
"""Orders read of a shard at a time: as many as cost no more than one."""
_LONG: Final = 100
"""Orders beyond which a page is one of a file: it takes all that is read for it."""
_READ_OF_SPARSE: Final = 100
"""The same, where the filters left some out of those before."""
_AT_ONCE: Final = 8
"""Keys of one BatchGetItem."""
_NO_ZONE: Final = "UTC"
_AFTER_ALL_OF_IT: Final = "~"
"""Behind a date, it sorts after everything of that second and before the next one."""
_OF_THE_INDEX: Final = (
    "connection",
    "provider",
    "order_id",
    "item_id",
    "status",
    "raw_status",
    "since",
    "next_date",
    "reference",
    "service_type",
    "appointment",
    "attention",
    "waiting",
    "waiting_since",
)
_FACTS: Final = ("connection", "order_id", "item_id", "updated_at", "raw_since")
_EARLIER: Final = ("connection", "order_id", "item_id", "timeline")
"""Of an order that was written before ``updated_at`` was kept."""


@dataclass
class _Shard:
    """One shard of one status, read from its beginning or from a place on."""

    name: str
    bounds: tuple[str | None, str | None]
    start: dict[str, Any] | None = None
    waiting: deque[Listed] = field(default_factory=deque)
    read_until: Place | None = None
    is_sparse: bool = False
    is_done: bool = False

    def head(self) -> tuple[str, str] | None:
        """Where the next order of it stands at the earliest; None when there is none."""
        if self.waiting:
            return self.waiting[0].next_date, self.name
        if self.is_done or self.read_until is None:
            return None
        return self.read_until.next_date, self.name


class OrderLists:
    """Implements ``order_list.Lists``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name
        self._reads = _Reads(client, table_name)

    def page(
        self, wanted: Wanted, *, zones: Mapping[str, str], after: Place | None, limit: int
    ) -> Page:
        shards = [shard for name in _names(wanted) if (shard := _open(name, wanted, after))]
        reading = _Reading(self._client, self._table, wanted, zones)
        if limit > _LONG:
            reading.count = max(_READ, limit // max(1, len(shards)))
        if shards:
            with ThreadPoolExecutor(_AT_ONCE) as readers:
                reading.looked_through = sum(readers.map(reading.read_first, shards))
        return _merge(shards, reading, limit=limit)

    def read_facts(self, orders: Sequence[Listed]) -> list[Listed]:
        return self._reads.with_facts(orders)

    def look_up(self, keys: Sequence[OrderKey]) -> list[Listed]:
        items = self._reads.get(keys, _OF_THE_INDEX)
        # The search index may still name an order that was erased: a tombstone is in no list.
        return self._reads.with_facts([_listed(item) for item in items if "next_date" in item])


class _Reads:
    """Reads of orders themselves, a hundred at a time."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def with_facts(self, orders: Sequence[Listed]) -> list[Listed]:
        """The same orders with their facts; without, one that is gone meanwhile."""
        keys = [one.key for one in orders]
        found = {_key(item): item for item in self.get(keys, _FACTS, details=LISTED_FACTS)}
        undated = [key for key, item in found.items() if "updated_at" not in item]
        earlier = {_key(item): last_seen(item) for item in self.get(undated, _EARLIER)}
        return [
            replace(
                one,
                facts=found[one.key].get("details", {}),
                updated_at=earlier.get(one.key) or found[one.key].get("updated_at"),
                raw_since=found[one.key].get("raw_since"),
            )
            if one.key in found
            else one
            for one in orders
        ]

    def get(
        self, keys: Iterable[OrderKey], names: Sequence[str], *, details: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """These attributes of orders, without those that are gone, in any order."""
        wanted = [to_item(key_of(key)) for key in dict.fromkeys(keys)]
        together = [
            wanted[i : i + MOST_READ_AT_ONCE] for i in range(0, len(wanted), MOST_READ_AT_ONCE)
        ]
        inner = [f"#details.#{name}" for name in details]
        request = {
            "ProjectionExpression": ", ".join([*(f"#{name}" for name in names), *inner]),
            "ExpressionAttributeNames": {
                f"#{name}": name for name in (*names, *details, *(["details"] if details else []))
            },
        }
        if len(together) < 2:
            return [one for keys in together for one in self._batch(keys, request)]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            read = readers.map(lambda keys: self._batch(keys, request), together)
            return [one for items in read for one in items]

    def _batch(self, keys: list[Any], request: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [from_item(item) for item in get_items(self._client, self._table, keys, **request)]


def _names(wanted: Wanted) -> list[str]:
    return sorted(f"{status}#{shard}" for status in set(wanted.statuses) for shard in range(SHARDS))


def _open(name: str, wanted: Wanted, after: Place | None) -> _Shard | None:
    """A shard where the page begins in it; None when nothing of it can be on the page."""
    first, last = next_dates(wanted)
    shard = _Shard(name, (first, last))
    if after is not None:
        # What stood before the place is on earlier pages: of that second all the shards before
        # its own, and of its own shard all up to the order itself.
        begins = after.next_date + (_AFTER_ALL_OF_IT if name < after.shard else "")
        shard.bounds = (begins, last)
        shard.start = _start_key(after) if name == after.shard else None
    lower, upper = shard.bounds
    return None if lower and upper and lower > upper else shard


def _start_key(place: Place) -> dict[str, Any]:
    index = {"status_shard": place.shard, "next_date": place.next_date}
    return to_item({**key_of(place.key), **index})


def _merge(shards: Sequence[_Shard], reading: "_Reading", *, limit: int) -> Page:
    orders: list[Listed] = []
    last: Place | None = None
    while heads := [(head, shard) for shard in shards if (head := shard.head())]:
        if len(orders) == limit:
            return Page(orders, last)
        _, shard = min(heads, key=lambda one: one[0])
        if shard.waiting:
            order = shard.waiting.popleft()
            orders.append(order)
            last = Place(order.next_date, shard.name, order.key)
        elif reading.looked_through < MOST_LOOKED_THROUGH:
            reading.read_on(shard)
        else:
            return Page(orders, shard.read_until)
    return Page(orders, None)


class _Reading:
    """The reads of one page."""

    def __init__(
        self, client: "DynamoDBClient", table: str, wanted: Wanted, zones: Mapping[str, str]
    ) -> None:
        self._client, self._table = client, table
        self._wanted, self._zones = wanted, zones
        self._filter = _filter(wanted)
        self._reads = _Reads(client, table)
        self.looked_through = 0
        self.count = _READ
        """Orders read of a shard at a time; more for a long page, which needs as many of each."""

    def read_first(self, shard: _Shard) -> int:
        return self._read(shard, self.count)

    def read_on(self, shard: _Shard) -> None:
        self.looked_through += self._read(shard, _READ_OF_SPARSE if shard.is_sparse else self.count)

    def _read(self, shard: _Shard, count: int) -> int:
        """Read on in a shard; how many orders were looked through."""
        answer = self._client.query(**self._query(shard, count))
        looked_through = int(answer["ScannedCount"])
        found = [
            one for item in answer["Items"] if self._is_wanted(one := _listed(from_item(item)))
        ]
        if self._wanted.needs_facts:
            looked_through += _OF_ONE_READ_ITSELF * len(found)
            found = [
                one for one in self._reads.with_facts(found) if has_wanted_facts(one, self._wanted)
            ]
        shard.waiting.extend(found)
        shard.is_sparse = len(found) < int(answer["ScannedCount"])
        shard.start = answer.get("LastEvaluatedKey")
        shard.is_done = shard.start is None
        if shard.start:
            shard.read_until = _place(shard.start)
        return looked_through

    def _is_wanted(self, one: Listed) -> bool:
        zone = self._zones.get(one.key.connection, _NO_ZONE)
        return is_wanted(one, self._wanted, zone=zone)

    def _query(self, shard: _Shard, count: int) -> dict[str, Any]:
        lower, upper = shard.bounds
        values = {":shard": shard.name, ":lower": lower, ":upper": upper, **self._filter.values}
        start = {"ExclusiveStartKey": shard.start} if shard.start else {}
        expression = {"FilterExpression": self._filter.text} if self._filter.text else {}
        names = {"ExpressionAttributeNames": self._filter.names} if self._filter.names else {}
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


def _key_condition(lower: str | None, upper: str | None) -> str:
    in_this_shard = "status_shard = :shard"
    if lower and upper:
        return f"{in_this_shard} AND next_date BETWEEN :lower AND :upper"
    if lower:
        return f"{in_this_shard} AND next_date >= :lower"
    if upper:
        return f"{in_this_shard} AND next_date <= :upper"
    return in_this_shard


@dataclass(frozen=True)
class _Filter:
    """What DynamoDB leaves out of its answers. ``is_wanted`` checks the rest."""

    text: str
    names: Mapping[str, str]
    values: Mapping[str, str]


def _filter(wanted: Wanted) -> _Filter:
    conditions: list[str] = []
    names: dict[str, str] = {}
    values: dict[str, str] = {}
    if wanted.connections:
        places = [f":connection{number}" for number in range(len(wanted.connections))]
        values |= dict(zip(places, sorted(wanted.connections), strict=True))
        names["#connection"] = "connection"
        conditions.append(f"#connection IN ({', '.join(places)})")
    if wanted.provider is not None:
        names["#provider"], values[":provider"] = "provider", wanted.provider
        conditions.append("#provider = :provider")
    if wanted.service_type is not None:
        names["#service"], values[":service"] = "service_type", wanted.service_type
        conditions.append("#service = :service")
    if wanted.attention is not None:
        names["#attention"] = "attention"
        conditions.append("attribute_exists(#attention)")
    for name, value in (("reference", wanted.reference), ("waiting", wanted.waiting)):
        if value is not None:
            names[f"#{name}"] = name
            conditions.append(f"attribute_exists(#{name})")
    return _Filter(" AND ".join(conditions), names, values)


def _place(start: Mapping[str, Any]) -> Place:
    item = from_item(start)
    connection, _, order_id = item["pk"].removeprefix("order#").partition("#")
    key = OrderKey(connection, order_id, item["sk"].removeprefix("item#"))
    return Place(item["next_date"], item["status_shard"], key)


def _key(item: Mapping[str, Any]) -> OrderKey:
    return OrderKey(item["connection"], item["order_id"], item["item_id"])


def _listed(item: Mapping[str, Any]) -> Listed:
    return Listed(
        key=_key(item),
        provider=item["provider"],
        status=Status(item["status"]),
        raw_status=item.get("raw_status"),
        since=item["since"],
        next_date=item["next_date"],
        reference=item.get("reference"),
        service_type=item.get("service_type"),
        appointment=if_in_range(item.get("appointment")),
        attention=_attention(item.get("attention", ())),
        waiting=wait_of(item),
    )


def _attention(reasons: Iterable[Mapping[str, str]]) -> tuple[Attention, ...]:
    return tuple(Attention(one["code"], one["text"]) for one in reasons)
