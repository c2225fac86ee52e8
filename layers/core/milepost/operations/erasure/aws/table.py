"""ErasuresTable: recently erased customers, by salted hashes only.

One item has the salt, and until when any erasure is remembered. An erasure is one further item, and
one item for each hash by which the customer of an order is known, so that recording an order reads
only that item. They expire.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from milepost.aws.dynamodb_items import as_int, from_item, to_item
from milepost.common.timestamps import parse_instant, sortable
from milepost.operations.erasure.recent_erasures import REMEMBERED_FOR, Remembered
from milepost.operations.erasure.subject import Group, Subject
from milepost.orders.aws.erased_customers import ErasuresReader
from milepost.orders.aws.erasures_keys import (
    ERASURE_PREFIX,
    ERASURES,
    STATE,
    erasure_key,
    erasure_of,
    late_key,
    late_partition,
    mark_key,
)
from milepost.orders.customer_identifiers import id_form, mark
from milepost.orders.order import OrderKey

_SALT_BYTES: Final = 32


class ErasuresTable(ErasuresReader):
    """Implements ``recent_erasures.Memory``."""

    def salt(self, *, make: bool) -> bytes:
        found, new = self._state().salt, os.urandom(_SALT_BYTES)
        if found or not make:
            return found or new
        nobody_made_one_before = "attribute_not_exists(salt)"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(STATE),
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
            Key=to_item(erasure_key(mark(id_form(customer_id), salt))),
            ConsistentRead=True,
        )
        return _remembered(from_item(answer["Item"]), salt) if "Item" in answer else None

    def remember(self, subject: Subject, *, customer_id: str, at: datetime) -> None:
        erasure = mark(id_form(customer_id), subject.salt)
        until = at + REMEMBERED_FOR
        self._keep_active(until)
        for one in sorted(subject.deciding):
            item = {
                **mark_key(one),
                "erasure": erasure,
                "erased_at": _whole_second_after(at),
                "expires_at": int(until.timestamp()),
            }
            self._client.put_item(TableName=self._table, Item=to_item(item))
        self._client.update_item(
            TableName=self._table,
            Key=to_item(erasure_key(erasure)),
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
        items = self._query(ERASURES, ERASURE_PREFIX)
        return [
            _remembered(item, state.salt) for item in items if item["expires_at"] > now.timestamp()
        ]

    def late_orders(self, remembered: Remembered) -> Sequence[OrderKey]:
        return [
            OrderKey.parse(item["order"]) for item in self._query(late_partition(remembered.id))
        ]

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
                Key=to_item(erasure_key(remembered.id)),
                UpdateExpression=f"ADD {', '.join(adds)}",
                ExpressionAttributeValues=to_item(
                    {":erased": erased or None, ":orders": new or None}
                ),
            )
        for key in keys:
            self._client.delete_item(
                TableName=self._table, Key=to_item(late_key(remembered.id, key))
            )

    def take_late(self, customer_id: str) -> int:
        salt = self._state().salt
        if salt is None:
            return 0
        answer = self._client.update_item(
            TableName=self._table,
            Key=to_item(erasure_key(mark(id_form(customer_id), salt))),
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
                Key=to_item(erasure_key(remembered.id)),
                UpdateExpression="SET sweeps = :sweeps",
                ConditionExpression=it_was_not_erased_again,
                ExpressionAttributeValues=to_item(
                    {":sweeps": sweeps, ":at": sortable(remembered.erased_at)}
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _keep_active(self, until: datetime) -> None:
        """Extend the time in which recording checks for erasures. Written first, since recording
        doesn't check for any before.
        """
        it_ends_before = "attribute_not_exists(active_until) OR active_until < :until"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(STATE),
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


def _remembered(item: Mapping[str, Any], salt: bytes) -> Remembered:
    orders = (OrderKey.parse(one) for one in item.get("orders", ()))
    return Remembered(
        id=erasure_of(item),
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
    """Ensures that data of the same second counts as older than the erasure."""
    return sortable(at + timedelta(seconds=1))
