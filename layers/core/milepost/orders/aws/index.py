"""OrdersTable's index: orders that are past due, and recent announcements."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status
from milepost.common.timestamps import if_in_range, parse_instant, sortable
from milepost.orders.aws.index_keys import (
    BY_STATUS,
    all_partitions,
    are_all_of,
    earlier_partitions_of,
    partition_of,
    partitions_of,
)
from milepost.orders.aws.items import overdue_of
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.indexed_orders import Dated, LastAnnounced, PastDueOrder
from milepost.orders.lifecycle import OPEN_BY_PROGRESS, TERMINAL
from milepost.orders.order import OVERDUE, OrderKey
from milepost.orders.overdue_list import MOST_MENTIONED, OverdueNow, OverdueOrder
from milepost.orders.refold import Walked

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY: Final = ("connection", "order_id", "item_id")
_CLOSED: Final = tuple(status for status in Status if status in TERMINAL)
_MARK: Final = ("status", "appointment", "overdue", "attention")


Covers = Callable[[str, str | None], bool]
"""Whether a subscriber is notified of orders of this connection and service type."""


@dataclass(frozen=True, slots=True)
class Misplaced:
    """An order in a partition to which an earlier version wrote it."""

    key: OrderKey
    status: Status
    partition: str


class OrdersIndex:
    """Implements ``deadline_watch.WatchList`` and ``timed_announcements.DatedOrders``."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table_name: str,
        earlier_partitions: Callable[[Iterable[Status]], Iterable[str]] = earlier_partitions_of,
    ) -> None:
        """:param earlier_partitions: other partitions that may have orders of these statuses"""
        self._client = client
        self._table = table_name
        self._earlier_partitions = earlier_partitions

    def past(self, *, now: datetime) -> Iterator[PastDueOrder]:
        for item in self._query(
            OPEN_BY_PROGRESS,
            "next_date < :now",
            {":now": sortable(now)},
            shows=(*_KEY, *_MARK),
        ):
            yield _watched(item)

    def dated(self, status: Status, *, since: datetime, until: datetime) -> Iterator[Dated]:
        for item in self._query(
            [status],
            "next_date BETWEEN :since AND :until",
            {":since": sortable(since), ":until": sortable(until)},
            shows=(*_KEY, "next_date", "appointment"),
        ):
            yield Dated(
                key=_key(item),
                date=parse_instant(item["next_date"]),
                appointment=if_in_range(item.get("appointment")),
            )

    def overdue(self, *, now: datetime, covers: Covers) -> OverdueNow:
        """Orders with the overdue mark that nobody acknowledged, among those that the subscription
        includes.
        """
        found = sorted(
            self._overdue_of(now, covers),
            key=lambda one: (one.since, one.key),
        )
        return OverdueNow(orders=tuple(found[:MOST_MENTIONED]), more=len(found) > MOST_MENTIONED)

    def _overdue_of(self, now: datetime, covers: Covers) -> Iterator[OverdueOrder]:
        for item in self._query(
            OPEN_BY_PROGRESS,
            "next_date < :now",
            {":now": sortable(now)},
            only_if="attribute_exists(overdue)",
            shows=(*_KEY, *_MARK, "reference", "service_type"),
        ):
            if covers(item["connection"], item.get("service_type")):
                one = _watched(item)
                if one.overdue is not None and not one.is_acknowledged:
                    yield OverdueOrder(
                        key=one.key,
                        reference=item.get("reference"),
                        status=one.status,
                        since=one.overdue.since,
                    )

    def announced(
        self, *, since: datetime, until: datetime, closed_since: datetime
    ) -> Iterator[LastAnnounced]:
        for statuses, was_closed in ((OPEN_BY_PROGRESS, ""), (_CLOSED, sortable(closed_since))):
            for item in self._query(
                statuses,
                "next_date > :from",
                # An empty text can't be a key; every date is greater than this one.
                {
                    ":from": was_closed or "0",
                    ":since": sortable(since),
                    ":until": sortable(until),
                },
                only_if="announced_at BETWEEN :since AND :until",
                shows=(*_KEY, "announced_at"),
            ):
                yield LastAnnounced(parse_instant(item["announced_at"]), _key(item))

    def walk(self, *, after: str | None) -> Iterator[Walked]:
        """Implements ``refold.Walk``: shard by shard, and by next date within each shard."""
        first, dated = _place(after)
        for place, name in enumerate(all_partitions()):
            if place < first:
                continue
            lower = dated if place == first else "0"
            for item in self._query_partition(
                name,
                "next_date >= :from",
                {":from": lower},
                shows=(*_KEY, "next_date"),
            ):
                yield Walked(_key(item), f"{place}@{item['next_date']}")

    def misplaced(self) -> Iterator[Misplaced]:
        """Orders that aren't in the partition to which this version writes them."""
        for name in earlier_partitions_of(Status):
            for item in self._query_partition(
                name, "next_date > :from", {":from": "0"}, shows=(*_KEY, "status")
            ):
                yield Misplaced(_key(item), Status(item["status"]), name)

    def move(self, one: Misplaced) -> bool:
        """Move an order to its partition; returns whether it had to be moved.

        Nothing else of it changes, and nobody is notified.
        """
        nobody_wrote_since_it_was_read = "status_shard = :was AND #status = :status"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(item_key(one.key)),
                # The stream's record of this write must announce nothing again.
                UpdateExpression="SET status_shard = :now REMOVE announce",
                ConditionExpression=nobody_wrote_since_it_was_read,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=to_item(
                    {
                        ":was": one.partition,
                        ":now": partition_of(one.status, one.key),
                        ":status": str(one.status),
                    }
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _query(
        self,
        statuses: Sequence[Status],
        dates: str,
        values: Mapping[str, str],
        *,
        shows: tuple[str, ...],
        only_if: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The index entries of orders with these statuses, in any partition that an earlier version
        used.
        """
        named = {f":status{place}": str(status) for place, status in enumerate(statuses)}
        for name in (*partitions_of(statuses), *self._earlier_partitions(statuses)):
            conditions, more = [only_if] if only_if else [], dict(values)
            if not are_all_of(name, statuses):
                conditions.append(f"#status IN ({', '.join(named)})")
                more |= named
            yield from self._query_partition(
                name, dates, more, shows=shows, only_if=" AND ".join(conditions) or None
            )

    def _query_partition(
        self,
        name: str,
        dates: str,
        values: Mapping[str, str],
        *,
        shows: tuple[str, ...],
        only_if: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        filtered: dict[str, Any] = {"FilterExpression": only_if} if only_if else {}
        names = {*shows, "status"} if "#status" in (only_if or "") else {*shows}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_STATUS,
            KeyConditionExpression=f"status_shard = :shard AND {dates}",
            # Many of the names are words of the expressions' language.
            ProjectionExpression=", ".join(f"#{one}" for one in shows),
            ExpressionAttributeNames={f"#{one}": one for one in names},
            ExpressionAttributeValues=to_item({":shard": name, **values}),
            **filtered,
        )
        for page in pages:
            yield from (from_item(item) for item in page["Items"])


def _place(after: str | None) -> tuple[int, str]:
    """The shard and the date of a position of ``walk``."""
    if after is None:
        return 0, "0"
    number, _, dated = after.partition("@")
    if not (number.isascii() and number.isdecimal() and dated):
        raise ValueError("no place of a walk: give what the run before answered, or leave it out")
    return int(number), dated


def _key(item: Mapping[str, Any]) -> OrderKey:
    return OrderKey(item["connection"], item["order_id"], item["item_id"])


def _watched(item: Mapping[str, Any]) -> PastDueOrder:
    shown = {reason["code"] for reason in item.get("attention", ())}
    return PastDueOrder(
        key=_key(item),
        status=Status(item["status"]),
        appointment=if_in_range(item.get("appointment")),
        overdue=overdue_of(item["overdue"]) if "overdue" in item else None,
        is_acknowledged="overdue" in item and OVERDUE not in shown,
    )
