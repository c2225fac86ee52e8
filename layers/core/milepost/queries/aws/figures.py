"""FiguresTable: orders by status, and stage durations.

A connection's stages of one month have one item for each service type, status and raw status, so
that a year is one query. A stage is counted in one of them; if a status had several raw statuses,
each of them and the whole have an item. The counts of a connection are one item. What was counted
of each order is stored as well, and written in one transaction with them.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from milepost.aws import figures_keys
from milepost.aws.dynamodb_batches import get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.figures_keys import (
    acceptances_partition,
    counted_key,
    counted_order,
    counts_key,
    end_of_month,
    outcomes_partition,
    stages_partition,
)
from milepost.common.status import StageLevel, Status
from milepost.orders.order import OrderKey
from milepost.queries.aws.cause_items import (
    acceptance_key_of,
    outcome_of,
    read_acceptance,
    read_ending,
    stored_acceptance,
    stored_ending,
)
from milepost.queries.cause_figures import AcceptanceFigures, OutcomeKey, compare_acceptances
from milepost.queries.histogram import (
    StageFigures,
    StageKey,
    Tally,
    sum_by_raw_status,
    sum_by_stage,
)
from milepost.queries.stage_durations import Counted, Lasted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SUM: Final = "ms"
_BUCKET: Final = "b"


class FiguresTable:
    """Reads the figures; ``MeasuredOrders`` writes them."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table_name: str,
        counts_kept: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """:param counts_kept: for how many seconds counts are cached"""
        self._client = client
        self._table = table_name
        self._counts_kept = counts_kept
        self._clock = clock
        self._counts: dict[str, tuple[float, dict[Status, int]]] = {}

    def counts(self, connection_ids: Iterable[str]) -> dict[str, dict[Status, int]]:
        """The number of orders of each connection in each status that occurs."""
        now, names = self._clock(), list(connection_ids)
        keys = {name: counts_key(name) for name in names if not self._has_counts(name, now)}
        if keys:
            found = {item["pk"]: item for item in self._get(keys.values())}
            for name, key in keys.items():
                self._counts[name] = now, _statuses(found.get(key["pk"], {}))
        return {name: dict(self._counts[name][1]) for name in names}

    def _has_counts(self, name: str, now: float) -> bool:
        return name in self._counts and now - self._counts[name][0] < self._counts_kept

    def stages(self, connection_ids: Iterable[str], *, months: Iterable[str]) -> list[StageFigures]:
        """The durations of stages that ended in these months (``2026-03``, in UTC).

        By connection, service type and stage; one query a connection, from the first of the months
        to the last.
        """
        return sum_by_stage(self._tallies_of(connection_ids, months))

    def stages_by_raw_status(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> list[StageFigures]:
        """The same by raw status within each stage; without one if it is the same word."""
        return sum_by_raw_status(self._tallies_of(connection_ids, months))

    def _tallies_of(
        self, connection_ids: Iterable[str], months: Iterable[str]
    ) -> Iterator[tuple[StageKey, Tally]]:
        wanted = sorted(set(months))
        if not wanted:
            return
        for name in sorted(set(connection_ids)):
            for item in self._items(stages_partition(name), first=wanted[0], last=wanted[-1]):
                key = _stage_key_of(name, item["sk"])
                if key.month in wanted:
                    yield key, _tally_in(item)

    def outcomes(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> dict[OutcomeKey, int]:
        """Numbers of orders that ended without success in these months, by cause. One query for
        each connection."""
        wanted = sorted(set(months))
        if not wanted:
            return {}
        return {
            key: number
            for name in sorted(set(connection_ids))
            for item in self._items(outcomes_partition(name), first=wanted[0], last=wanted[-1])
            for key, number in [outcome_of(name, item)]
            if key.month in wanted and number > 0
        }

    def acceptances(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> list[AcceptanceFigures]:
        """The times until acceptance of orders that were accepted in these months. One query for
        each connection."""
        wanted = sorted(set(months))
        if not wanted:
            return []
        return compare_acceptances(
            (key, _tally_in(item))
            for name in sorted(set(connection_ids))
            for item in self._items(acceptances_partition(name), first=wanted[0], last=wanted[-1])
            for key in [acceptance_key_of(name, item["sk"])]
            if key.month in wanted
        )

    def counted(self, keys: Iterable[OrderKey]) -> dict[OrderKey, tuple[Counted, int]]:
        """What was counted of these orders, and how many times each item was written."""
        items = self._get([counted_key(str(key)) for key in keys], consistent=True)
        return {
            OrderKey.parse(counted_order(item)): (_counted_of(item), int(item["writes"]))
            for item in items
        }

    def _get(
        self, keys: Iterable[Mapping[str, str]], *, consistent: bool = False
    ) -> Iterator[dict[str, Any]]:
        wanted = map(to_item, keys)
        found = get_items(self._client, self._table, wanted, ConsistentRead=consistent)
        yield from map(from_item, found)

    def _items(self, pk: str, *, first: str, last: str) -> Iterator[dict[str, Any]]:
        """The items of these months."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item(
                {
                    ":pk": pk,
                    ":first": first,
                    ":last": end_of_month(last),
                }
            ),
        )
        for page in pages:
            yield from (from_item(item) for item in page["Items"])


def stage_key(key: StageKey) -> dict[str, str]:
    """The key of the tally of a stage in one month."""
    return figures_keys.stage_key(
        key.connection,
        month=key.month,
        service_type=key.service_type,
        status=key.status,
        raw_status=key.raw_status,
        level=key.level,
    )


def tally_changes(tally: Tally) -> dict[str, int]:
    """The amounts to add to the attributes of a stage's item."""
    numbers = {f"{_BUCKET}{bucket}": number for bucket, number in tally.buckets.items()}
    return {
        name: number for name, number in {_SUM: tally.milliseconds, **numbers}.items() if number
    }


def counted_item(key: OrderKey, counted: Counted, *, writes: int) -> dict[str, Any]:
    """The item with what was counted of an order; ``writes`` counts how often it was written."""
    return {
        **counted_key(str(key)),
        "writes": writes,
        "version": counted.version,
        "status": counted.status and str(counted.status),
        "stages": [_stored_stage(one) for one in counted.stages] or None,
        "stages_left_out": counted.stages_left_out or None,
        "reference": counted.reference,
        "customer": counted.customer,
        "former_customers": list(counted.former_customers) or None,
        "sequence": counted.sequence or None,
        "ending": stored_ending(counted.ending),
        "acceptance": stored_acceptance(counted.acceptance),
        "form": counted.form or None,
        "words": counted.words_mark,
    }


def _counted_of(item: Mapping[str, Any]) -> Counted:
    return Counted(
        version=int(item["version"]),
        status=Status(item["status"]) if "status" in item else None,
        stages=tuple(_stage_of(stored) for stored in item.get("stages", ())),
        reference=item.get("reference"),
        customer=item.get("customer"),
        stages_left_out=int(item.get("stages_left_out", 0)),
        former_customers=tuple(item.get("former_customers", ())),
        sequence=item.get("sequence", ""),
        ending=read_ending(item.get("ending")),
        acceptance=read_acceptance(item.get("acceptance")),
        form=int(item.get("form", 0)),
        words_mark=item.get("words"),
    )


def _stored_stage(one: Lasted) -> list[str | int]:
    stored: list[str | int] = [str(one.status), one.month, one.service_type, one.milliseconds]
    if one.raw_status or one.level is not StageLevel.BOTH:
        stored += [one.raw_status, str(one.level)]
    return stored


def _stage_of(stored: Sequence[Any]) -> Lasted:
    status, month, service_type, milliseconds, *of_raw = stored
    raw_status, level = of_raw or ("", StageLevel.BOTH)
    return Lasted(
        Status(status), month, service_type, int(milliseconds), raw_status, StageLevel(level)
    )


def _statuses(item: Mapping[str, Any]) -> dict[Status, int]:
    return {status: int(item[status]) for status in Status if item.get(status)}


def _stage_key_of(connection_id: str, sk: str) -> StageKey:
    month, service_type, status, raw_status, level = figures_keys.parts_of_stage(sk)
    return StageKey(connection_id, month, service_type, Status(status), raw_status, level)


def _tally_in(item: Mapping[str, Any]) -> Tally:
    tally = Tally(int(item.get(_SUM, 0)))
    for name, number in item.items():
        place = name.removeprefix(_BUCKET)
        if place != name and place.isdecimal():
            tally.buckets[int(place)] = int(number)
    return tally
