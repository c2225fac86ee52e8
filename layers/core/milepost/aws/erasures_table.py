"""ErasuresTable: who was erased in the last days, by salted digests alone.

``erasures`` / ``state`` holds the salt, and until when any erasure is remembered. An erasure is one
item beside it, and one item for each digest by which the customer of an order is known
(``erased#<digest>``), so that whoever takes in an order asks for that alone. They expire.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from milepost.aws.items import as_int, from_item, to_item
from milepost.aws.orders_table import key_of
from milepost.deadlines import sortable
from milepost.erasing import REMEMBERED_FOR, Remembered
from milepost.erasure_subject import Group, Subject, first_heard, id_form, mark, owner_forms
from milepost.order import OrderKey, TrackedOrder
from milepost.report import Report, parse_instant

ERASURES: Final = "erasures"
_STATE: Final = {"pk": ERASURES, "sk": "state"}
_ERASURE: Final = "erasure#"
_SALT_BYTES: Final = 32
_MOST_KEYS: Final = 100
"""Keys of one BatchGetItem."""
STATE_KEPT: Final = 60.0
"""Seconds for which a worker believes that nobody was erased lately. What it takes in meanwhile is
found by ``finish_erasures``."""


@dataclass(frozen=True, slots=True)
class _State:
    salt: bytes | None
    active_until: datetime


class _ErasuresReader:
    """What both sides read: the state, and who is erased by digests."""

    def __init__(self, client: Any, *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def _state(self) -> _State:
        answer = self._client.get_item(
            TableName=self._table, Key=to_item(_STATE), ConsistentRead=True
        )
        item = from_item(answer.get("Item", {}))
        until = item.get("active_until")
        return _State(
            salt=bytes.fromhex(item["salt"]) if "salt" in item else None,
            active_until=parse_instant(until) if until else datetime.min.replace(tzinfo=UTC),
        )

    def _erased(self, marks: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The items of those marks that an erasure has, by mark."""
        found = {}
        keys = [to_item(_mark_key(one)) for one in dict.fromkeys(marks)]
        while keys:
            asked, keys = keys[:_MOST_KEYS], keys[_MOST_KEYS:]
            request = {self._table: {"Keys": asked, "ConsistentRead": True}}
            answer = self._client.batch_get_item(RequestItems=request)
            for item in map(from_item, answer["Responses"].get(self._table, [])):
                found[item["pk"].partition("#")[2]] = item
            keys += answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return found


class ErasuresTable(_ErasuresReader):
    """Implements ``erasing.Memory``."""

    def salt(self, *, make: bool) -> bytes:
        found, new = self._state().salt, os.urandom(_SALT_BYTES)
        if found or not make:
            return found or new
        nobody_made_one_before = "attribute_not_exists(salt)"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(_STATE),
                UpdateExpression="SET salt = :salt",
                ConditionExpression=nobody_made_one_before,
                ExpressionAttributeValues=to_item({":salt": new.hex()}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return self._state().salt or new
        return new

    def recall(self, customer_id: str) -> Remembered | None:
        salt = self._state().salt
        if salt is None:
            return None
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_item(_erasure_key(mark(id_form(customer_id), salt))),
            ConsistentRead=True,
        )
        return _remembered(from_item(answer["Item"]), salt) if "Item" in answer else None

    def remember(self, subject: Subject, *, customer_id: str, at: datetime) -> None:
        erasure = mark(id_form(customer_id), subject.salt)
        until = at + REMEMBERED_FOR
        self._keep_active(until)
        for one in sorted(subject.deciding):
            item = {
                **_mark_key(one),
                "erasure": erasure,
                "erased_at": _whole_second_after(at),
                "expires_at": int(until.timestamp()),
            }
            self._client.put_item(TableName=self._table, Item=to_item(item))
        self._client.update_item(
            TableName=self._table,
            Key=to_item(_erasure_key(erasure)),
            UpdateExpression=(
                "SET erased_at = :at, expires_at = :expires, sweeps = :none"
                " ADD marks :marks, deciding :deciding"
                + (", orders :orders" if subject.groups else "")
                + (", name_lengths :lengths" if subject.name_lengths else "")
            ),
            ExpressionAttributeValues=to_item(
                {
                    ":at": _whole_second_after(at),
                    ":expires": int(until.timestamp()),
                    ":none": 0,
                    ":marks": subject.marks,
                    ":deciding": subject.deciding,
                    ":orders": {str(OrderKey(*group, "-")) for group in subject.groups} or None,
                    ":lengths": subject.name_lengths or None,
                }
            ),
        )

    def active(self, *, now: datetime) -> Sequence[Remembered]:
        state = self._state()
        if state.salt is None or state.active_until < now:
            return []
        items = self._query(ERASURES, _ERASURE)
        return [
            _remembered(item, state.salt) for item in items if item["expires_at"] > now.timestamp()
        ]

    def late_orders(self, remembered: Remembered) -> Sequence[OrderKey]:
        return [OrderKey.parse(item["order"]) for item in self._query(_late_of(remembered.id))]

    def finish_late(
        self,
        remembered: Remembered,
        keys: Sequence[OrderKey],
        *,
        groups: Collection[Group],
        erased: int,
    ) -> None:
        new = {str(OrderKey(*one, "-")) for one in set(groups) - remembered.subject.groups}
        if new or erased:
            adds = (["late :erased"] if erased else []) + (["orders :orders"] if new else [])
            self._client.update_item(
                TableName=self._table,
                Key=to_item(_erasure_key(remembered.id)),
                UpdateExpression=f"ADD {', '.join(adds)}",
                ExpressionAttributeValues=to_item(
                    {":erased": erased or None, ":orders": new or None}
                ),
            )
        for key in keys:
            self._client.delete_item(
                TableName=self._table, Key=to_item(_late_key(remembered.id, key))
            )

    def take_late(self, customer_id: str) -> int:
        salt = self._state().salt
        if salt is None:
            return 0
        answer = self._client.update_item(
            TableName=self._table,
            Key=to_item(_erasure_key(mark(id_form(customer_id), salt))),
            UpdateExpression="SET late = :none",
            ExpressionAttributeValues=to_item({":none": 0}),
            ReturnValues="UPDATED_OLD",
        )
        return as_int(from_item(answer.get("Attributes", {})).get("late", 0))

    def note_sweeps(self, remembered: Remembered, *, sweeps: int) -> None:
        it_was_not_erased_again = "erased_at = :at"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(_erasure_key(remembered.id)),
                UpdateExpression="SET sweeps = :sweeps",
                ConditionExpression=it_was_not_erased_again,
                ExpressionAttributeValues=to_item(
                    {":sweeps": sweeps, ":at": sortable(remembered.erased_at)}
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _keep_active(self, until: datetime) -> None:
        """First of all: whoever sees that nobody was erased lately looks for nobody."""
        it_ends_before = "attribute_not_exists(active_until) OR active_until < :until"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(_STATE),
                UpdateExpression="SET active_until = :until",
                ConditionExpression=it_ends_before,
                ExpressionAttributeValues=to_item({":until": sortable(until)}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _query(self, pk: str, prefix: str = "") -> Iterator[dict[str, Any]]:
        begins = " AND begins_with(sk, :prefix)" if prefix else ""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression=f"pk = :pk{begins}",
            ExpressionAttributeValues=to_item({":pk": pk, ":prefix": prefix or None}),
        )
        return (from_item(item) for page in pages for item in page["Items"])


class LateOrders(_ErasuresReader):
    """Orders that became findable after their customer was erased."""

    def note(self, orders: Iterable[TrackedOrder]) -> Sequence[OrderKey]:
        """Note those of these orders whose customer was erased, for ``finish_erasures``.

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
                    **_late_key(item["erasure"], key),
                    "order": str(key),
                    "expires_at": item["expires_at"],
                }
                self._client.put_item(TableName=self._table, Item=to_item(late))
                noted.append(key)
        return noted


class ErasedCustomers(_ErasuresReader):
    """Implements ``recording.Erasures``."""

    def __init__(
        self,
        client: Any,
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
        """Whether there are items of this provider order, and all of them are tombstones."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._orders_table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ProjectionExpression="sk, erased_at",
            ExpressionAttributeValues=to_item({":pk": key_of(key)["pk"]}),
        )
        items = [item for page in pages for item in page["Items"]]
        return bool(items) and all("erased_at" in item for item in items)


def _remembered(item: Mapping[str, Any], salt: bytes) -> Remembered:
    orders = (OrderKey.parse(one) for one in item.get("orders", ()))
    return Remembered(
        id=item["sk"].removeprefix(_ERASURE),
        subject=Subject(
            salt=salt,
            groups=frozenset((one.connection, one.order_id) for one in orders),
            marks=frozenset(item["marks"]),
            deciding=frozenset(item["deciding"]),
            name_lengths=frozenset(as_int(one) for one in item.get("name_lengths", ())),
        ),
        erased_at=parse_instant(item["erased_at"]),
        sweeps=as_int(item.get("sweeps", 0)),
    )


def _whole_second_after(at: datetime) -> str:
    """So that what came in the very second of the erasure is from before it."""
    return sortable(at + timedelta(seconds=1))


def _erasure_key(erasure: str) -> dict[str, str]:
    return {"pk": ERASURES, "sk": f"{_ERASURE}{erasure}"}


def _mark_key(one: str) -> dict[str, str]:
    return {"pk": f"erased#{one}", "sk": "erased"}


def _late_of(erasure: str) -> str:
    return f"late#{erasure}"


def _late_key(erasure: str, key: OrderKey) -> dict[str, str]:
    return {"pk": _late_of(erasure), "sk": str(key)}
