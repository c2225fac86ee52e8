"""Lists of orders by the index, at a cost that does not depend on how many orders there are.

A page merges the partitions of its statuses: each is queried once, in parallel, for as many orders
as the page has, and again only if filters left too few.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from milepost.common.status import Status
from milepost.orders.aws.index_keys import partitions_of
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.order import OrderKey
from milepost.queries.aws.index_reading import (
    MOST_LOOKED_THROUGH,
    Partition,
    Reading,
    start_key,
)
from milepost.queries.aws.listed_orders import ListedOrders
from milepost.queries.order_list import (
    NO_ZONE,
    Listed,
    Page,
    Place,
    Wanted,
    is_wanted,
    next_dates,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LONG: Final = 100
"""Page size from which a page is for a file: it has all orders that were read for it."""
_AT_ONCE: Final = 16
"""Number of parallel requests."""
MOST_COUNTED: Final = 99
"""How many orders of each list a read for several lists counts: each costs processor time."""
_AFTER_ALL_OF_IT: Final = "~"
"""Appended to a date, it sorts after everything of that second and before the next one."""


class OrderLists:
    """Implements ``order_list.Lists``."""

    def __init__(
        self, client: "DynamoDBClient", *, table_name: str, layout: IndexLayout | None = None
    ) -> None:
        """:param layout: None for a table without orders of earlier versions"""
        self._client = client
        self._table = table_name
        self._layout = layout
        self._orders = ListedOrders(client, table_name=table_name)

    def page(
        self, wanted: Wanted, *, zones: Mapping[str, str], after: Place | None, limit: int
    ) -> Page:
        bounds = next_dates(wanted, zones.values())
        partitions = [
            partition
            for name, is_earlier in self._partitions(wanted.statuses)
            if (partition := _open(name, after, bounds, is_earlier=is_earlier))
        ]
        ours = sum(not one.is_earlier for one in partitions)
        count = limit // max(1, ours) if limit > _LONG else limit
        reading = Reading(self._client, self._table, wanted, zones=zones, count=count)
        self._read_first(partitions, reading)
        return _merge(partitions, reading, limit=limit)

    def first_pages(
        self, wanted: Sequence[Wanted], *, zones: Mapping[str, str], limit: int
    ) -> list[Page]:
        connections = [one.connections for one in wanted]
        every = Wanted(
            asked_at=wanted[0].asked_at,
            statuses=sorted({status for one in wanted for status in one.statuses}),
            connections=frozenset().union(*connections) if all(connections) else frozenset(),
        )
        named = self._partitions(every.statuses)
        partitions = [Partition(name, is_earlier=is_earlier) for name, is_earlier in named]
        count = MOST_LOOKED_THROUGH // len(partitions_of(every.statuses))
        reading = Reading(self._client, self._table, every, zones=zones, count=count)
        self._read_first(partitions, reading)
        pages, merged = [], dict[frozenset[str], _FirstOrders]()
        for one in wanted:
            names = frozenset(name for name, _ in self._partitions(one.statuses))
            if names not in merged:
                merged[names] = _FirstOrders([each for each in partitions if each.name in names])
            page = merged[names].page(one, zones=zones, limit=limit)
            pages.append(page or self.page(one, zones=zones, after=None, limit=limit))
        return pages

    def read_facts(self, orders: Sequence[Listed]) -> list[Listed]:
        return self._orders.with_facts(orders)

    def look_up(self, keys: Sequence[OrderKey]) -> list[Listed]:
        return self._orders.look_up(keys)

    def _partitions(self, statuses: Iterable[Status]) -> list[tuple[str, bool]]:
        """Names of partitions, sorted, and whether only earlier versions wrote to them."""
        earlier = self._layout.earlier_partitions(statuses) if self._layout else []
        names = dict.fromkeys(partitions_of(statuses), False) | dict.fromkeys(earlier, True)
        return sorted(names.items())

    def _read_first(self, partitions: Sequence[Partition], reading: Reading) -> None:
        if not partitions:
            return
        with ThreadPoolExecutor(min(_AT_ONCE, len(partitions))) as readers:
            reading.looked_through = sum(readers.map(reading.read_first, partitions))
        for one in partitions:
            if self._layout and one.is_earlier and one.is_empty:
                self._layout.note_empty(one.name)


def _open(
    name: str, after: Place | None, bounds: tuple[str | None, str | None], *, is_earlier: bool
) -> Partition | None:
    """A partition, positioned at the beginning of the page; None if none of its orders can be on
    the page.

    :param bounds: first and last ``next_date`` of the list
    """
    _, last = bounds
    partition = Partition(name, bounds, is_earlier=is_earlier)
    if after is not None:
        # What stood before the place is on earlier pages: of that second all the partitions before
        # its own, and of its own partition all up to the order itself.
        begins = after.next_date + (_AFTER_ALL_OF_IT if name < after.shard else "")
        partition.bounds = (begins, last)
        partition.start = start_key(after) if name == after.shard else None
    lower, upper = partition.bounds
    return None if lower and upper and lower > upper else partition


def _merge(partitions: Sequence[Partition], reading: Reading, *, limit: int) -> Page:
    orders: list[Listed] = []
    last: Place | None = None
    while heads := [(head, one) for one in partitions if (head := one.head())]:
        if len(orders) == limit:
            return Page(orders, last)
        _, partition = min(heads, key=lambda one: one[0])
        if partition.waiting:
            order = partition.waiting.popleft().order
            orders.append(order)
            last = Place(order.next_date, partition.name, order.key)
        elif reading.looked_through < MOST_LOOKED_THROUGH:
            reading.read_on(partition)
        else:
            return Page(orders, partition.read_until)
    return Page(orders, None)


class _FirstOrders:
    """The first orders of some partitions, by their next date."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        unfinished = [one.read_until for one in partitions if one.read_until]
        self._end = min(unfinished, key=lambda one: (one.next_date, one.shard), default=None)
        """The position up to which every partition was read; None if all were read to their end."""
        end = None if self._end is None else (self._end.next_date, self._end.shard)
        self._found = sorted(
            (
                (found.next_date, one.name, number, found)
                for one in partitions
                for number, found in enumerate(one.waiting)
                if end is None or (found.next_date, one.name) <= end
            ),
            key=itemgetter(0, 1, 2),
        )

    def page(self, wanted: Wanted, *, zones: Mapping[str, str], limit: int) -> Page | None:
        """The list's first page; None if the list has fewer orders on the page than would be read
        just for that page."""
        bounds = next_dates(wanted, zones.values())
        page = self._page(wanted, bounds, zones=zones, limit=limit)
        is_whole = bounds[0] is None or page.last is None or len(page.orders) == limit
        return page if is_whole else None

    def _page(
        self,
        wanted: Wanted,
        bounds: tuple[str | None, str | None],
        *,
        zones: Mapping[str, str],
        limit: int,
    ) -> Page:
        first, last = bounds
        orders: list[Listed] = []
        place: Place | None = None
        counted = 0
        for date, name, _, found in self._found:
            if last is not None and date > last:
                is_whole = True
                break
            is_possible = (
                (first is None or date >= first)
                and (wanted.attention is None or "attention" in found.item)
                and (wanted.waiting is None or "waiting" in found.item)
            )
            if is_possible and self._has(one := found.order, wanted, zones):
                if counted == MOST_COUNTED:
                    is_whole = False
                    break
                counted += 1
                if len(orders) < limit:
                    orders.append(one)
                    place = Place(one.next_date, name, one.key)
        else:
            is_whole = self._end is None or (last is not None and self._end.next_date > last)
        end = place if counted > len(orders) else None if is_whole else self._end
        return Page(orders, end, counted=counted, counted_all=is_whole)

    def _has(self, one: Listed, wanted: Wanted, zones: Mapping[str, str]) -> bool:
        return is_wanted(one, wanted, zone=zones.get(one.key.connection, NO_ZONE))
