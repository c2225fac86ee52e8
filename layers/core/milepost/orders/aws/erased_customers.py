"""Reads ErasuresTable, so that orders of erased customers are not recorded or indexed.

It reads the state, and the digests by which the customer of an order is known.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_batches import get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.timestamps import parse_instant
from milepost.orders.aws.erasures_keys import STATE, late_key, mark_key, mark_of
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.customer_identifiers import first_heard, mark, owner_forms
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.report import Report

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STATE_KEPT: Final = 60.0
"""For how many seconds a worker assumes that nobody was erased recently. ``finish_erasures`` finds
data that it records in that time."""


@dataclass(frozen=True, slots=True)
class _State:
    salt: bytes | None
    active_until: datetime


class ErasuresReader:
    """Data that recording and the search index both read: the state, and the hashes of erased
    customers.
    """

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def _state(self) -> _State:
        answer = self._client.get_item(
            TableName=self._table, Key=to_item(STATE), ConsistentRead=True
        )
        item = from_item(answer.get("Item", {}))
        until = item.get("active_until")
        return _State(
            salt=bytes.fromhex(item["salt"]) if "salt" in item else None,
            active_until=parse_instant(until) if until else datetime.min.replace(tzinfo=UTC),
        )

    def _erased(self, marks: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The stored items for the marks that belong to an erasure, by mark."""
        found = {}
        keys = [to_item(mark_key(one)) for one in dict.fromkeys(marks)]
        for item in map(from_item, get_items(self._client, self._table, keys, ConsistentRead=True)):
            found[mark_of(item)] = item
        return found


class LateOrders(ErasuresReader):
    """Orders that can be found only since their customer was erased."""

    def note(self, orders: Iterable[TrackedOrder]) -> Sequence[OrderKey]:
        """Store the orders whose customer was erased, for ``finish_erasures``.

        To be called once they can be found: either the erasure finds them, or they are seen here.
        """
        living = {one.order.key: one for one in orders if one.erased_at is None}
        if not living:
            return []
        state = self._state()
        if state.salt is None or state.active_until < datetime.now(UTC):
            return []
        marks = {
            key: [mark(form, state.salt) for form in owner_forms(one.order.details, key)]
            for key, one in living.items()
        }
        erased = self._erased(one for several in marks.values() for one in several)
        noted = []
        for key, several in marks.items():
            for item in filter(None, (erased.get(one) for one in several)):
                late = {
                    **late_key(item["erasure"], key),
                    "order": str(key),
                    "expires_at": item["expires_at"],
                }
                self._client.put_item(TableName=self._table, Item=to_item(late))
                noted.append(key)
        return noted


class ErasedCustomers(ErasuresReader):
    """Implements ``recording.Erasures``."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table_name: str,
        orders_table: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(client, table_name=table_name)
        self._orders_table = orders_table
        self._clock = clock
        self._known: tuple[float, _State] | None = None

    def cover(self, report: Report) -> bool:
        state = self._known_state()
        if state.salt is None:
            return False
        key = OrderKey.of(report)
        if self._group_is_erased(key):
            return True
        forms = owner_forms(report.details, key)
        items = self._erased(mark(form, state.salt) for form in forms).values()
        heard = first_heard(report)
        return any(
            heard <= parse_instant(one["erased_at"])
            and one["expires_at"] > datetime.now(UTC).timestamp()
            for one in items
        )

    def _known_state(self) -> _State:
        if self._known is None or self._clock() - self._known[0] > STATE_KEPT:
            self._known = self._clock(), self._state()
        return self._known[1]

    def _group_is_erased(self, key: OrderKey) -> bool:
        """Whether this provider order has items, and all of them are tombstones."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._orders_table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ProjectionExpression="sk, erased_at",
            ExpressionAttributeValues=to_item({":pk": item_key(key)["pk"]}),
        )
        items = [item for page in pages for item in page["Items"]]
        return bool(items) and all("erased_at" in item for item in items)
