"""Reads reports from payloads, by the fields that a file declares."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from milepost.common.causes import cause_of
from milepost.common.errors import BadPayload
from milepost.common.status import normal_form
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.report import Report, Source
from milepost.providers.declared import values
from milepost.providers.declared.expressions import (
    Read,
    Unfit,
    at_names,
    compile_expression,
    lists_in,
    replaced_at,
)
from milepost.providers.declared.fact_reading import FactReader, names_of
from milepost.providers.declared.file_orders import ItemFields, OrderFields, PartEvent
from milepost.providers.declared.values import TimeReader
from milepost.providers.status_words import StatusTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The context of a payload: when and how it arrived, and whether it contains the whole
    order."""

    connection: Connection
    seen_at: datetime
    source: Source
    snapshot_at: datetime | None
    """None for a payload that contains a part of an order."""
    dated_at: datetime | None = None
    """The date of a payload that has none; None: the time of the request for it."""


@dataclass(frozen=True, slots=True)
class Words:
    """The status words of a file."""

    table: StatusTable
    ignored: frozenset[str]

    def ignores(self, word: str) -> bool:
        return bool(self.ignored) and normal_form(word) in self.ignored


class OrderReader:
    """Reads orders in lists and responses."""

    def __init__(self, fields: OrderFields, times: TimeReader, words: Words) -> None:
        self._times, self._words = times, words
        self._id = compile_expression(fields.id)
        self._service_type = fields.service_type
        self._facts = FactReader(fields.facts, times)
        self._own = _Own(fields, times) if fields.items is None else None
        self._changed = _maybe(fields.changed_at)
        self._items = fields.items
        if fields.items is not None:
            self._each = compile_expression(fields.items.each)
            self._item_id = compile_expression(fields.items.id)
            self._item = _Own(fields.items, times)
            self._item_facts = FactReader(fields.items.facts, times)

    def read(self, order: Any, context: Context, *, word: str | None = None) -> list[Report]:
        """The reports of an order, one for each item.

        :param word: the status, where it isn't read from the order
        :raises BadPayload: when its id, status or time can't be read
        """
        if not isinstance(order, Mapping):
            raise BadPayload("not the expected order: it is no object")
        order_id = required(self._id, order, "id", values.identifier)
        if self._own is not None:
            raw = word or self._own.word(order)
            if self._words.ignores(raw):
                return []
            unread: list[str] = []
            details = self._facts.read(order, unread)
            since = self._own.since(order, unread)
            changed = self._changed_at(order)
            said = _Said(raw, _latest(changed, since), since, details, unread)
            return [self._report((order_id, order_id), said, context)]
        return list(self._read_items(order, order_id, context))

    def split(self, order: Any) -> list[Any]:
        """One order for each element of the list in which the items are.

        Empty if the file's expression for the items doesn't read each element by itself.
        """
        if self._items is None or not isinstance(order, Mapping):
            return []
        for names in lists_in(self._items.each):
            found = at_names(order, names)
            if isinstance(found, list):
                return [replaced_at(order, names, [one]) for one in found]
        return []

    def _read_items(self, order: Any, order_id: str, context: Context) -> list[Report]:
        try:
            items = self._each(order)
        except Unfit:
            raise BadPayload(
                "not the expected order: items: their expression doesn't fit"
            ) from None
        if not isinstance(items, list):
            raise BadPayload("not the expected order: items: missing, or no list")
        shared_unread: list[str] = []
        shared = self._facts.read(order, shared_unread)
        whole_changed = self._changed_at(order) if self._changed else None
        reports = []
        for item in items:
            if not isinstance(item, Mapping):
                raise BadPayload("not the expected order: one of its items is no object")
            raw = self._item.word(item)
            if self._words.ignores(raw):
                continue
            unread = list(shared_unread)
            facts = self._item_facts.read(item, unread)
            since = self._item.since(item, unread)
            changed = self._item.changed(item) or whole_changed
            item_id = required(self._item_id, item, "items.id", values.identifier)
            said = _Said(raw, _latest(changed, since), since, {**shared, **facts}, unread)
            reports.append(self._report((order_id, item_id), said, context))
        return reports

    def _changed_at(self, order: Any) -> datetime | None:
        """:raises BadPayload: when the file declares the field and it is missing"""
        if self._changed is None:
            return None
        changed: datetime = required(self._changed, order, "changed_at", self._times.instant)
        return changed

    def _report(self, ids: tuple[str, str], said: "_Said", context: Context) -> Report:
        dated = said.occurred_at or context.dated_at
        finish_details(
            said.details, said.unread, context.connection, service_type=self._service_type
        )
        return Report(
            connection=context.connection.id,
            order_id=ids[0],
            item_id=ids[1],
            status=self._words.table.get(said.raw),
            raw_status=said.raw,
            occurred_at=dated or context.seen_at,
            status_since=said.since,
            seen_at=context.seen_at,
            source=context.source,
            dated_by_fetch=dated is None,
            snapshot_at=context.snapshot_at,
            details=said.details,
        )


class _Said(NamedTuple):
    """The contents of an order or an item."""

    raw: str
    occurred_at: datetime | None
    since: datetime | None
    details: Details
    unread: list[str]


class _Own:
    """The fields of an order's or an item's status and times."""

    def __init__(self, fields: OrderFields | ItemFields, times: TimeReader) -> None:
        self._status = compile_expression(fields.status or "@")
        self._since = _maybe(fields.status_since)
        self._changed = _maybe(fields.changed_at)
        self._times = times

    def word(self, payload: Any) -> str:
        found: str = required(self._status, payload, "status", values.word)
        return found

    def since(self, payload: Any, unread: list[str]) -> datetime | None:
        return optional(self._since, payload, "status_since", self._times, unread)

    def changed(self, payload: Any) -> datetime | None:
        return optional(self._changed, payload, "changed_at", self._times, [])


class PartReader:
    """Reads webhooks that contain a part of an order."""

    def __init__(self, fields: PartEvent, times: TimeReader, words: Words) -> None:
        self._times, self._words = times, words
        self._id = compile_expression(fields.id)
        self._item = _maybe(fields.item)
        self._status = _maybe(fields.status)
        self._changed = _maybe(fields.changed_at)
        self._facts = FactReader(fields.facts, times)

    def read(self, event: Any, context: Context) -> list[Report]:
        """The report of an event; empty if its status is one to ignore.

        :raises BadPayload: when its id, status or time can't be read
        """
        order_id = required(self._id, event, "id", values.identifier)
        item_id = required(self._item, event, "item", values.identifier) if self._item else order_id
        raw = required(self._status, event, "status", values.word) if self._status else None
        if raw is not None and self._words.ignores(raw):
            return []
        changed = None
        if self._changed is not None:
            changed = required(self._changed, event, "changed_at", self._times.instant)
        unread: list[str] = []
        details = self._facts.read(event, unread)
        finish_details(details, unread, context.connection, service_type=None)
        return [
            Report(
                connection=context.connection.id,
                order_id=order_id,
                item_id=item_id,
                status=self._words.table.get(raw) if raw is not None else None,
                raw_status=raw,
                occurred_at=changed or context.dated_at or context.seen_at,
                seen_at=context.seen_at,
                source=context.source,
                details=details,
            )
        ]


def finish_details(
    details: Details, unread: list[str], connection: Connection, *, service_type: str | None
) -> None:
    """Add facts that follow from others, and the names of unreadable facts."""
    if service_type or connection.service_type:
        details.setdefault("service_type", service_type or connection.service_type or "")
    if (reason := details.get("reason")) and (cause := cause_of(reason, connection.causes)):
        details["cause"] = cause
    if unread:
        details["unread"] = names_of(unread)


def required(read: Read, payload: Any, name: str, convert: Any) -> Any:
    """A field that is needed to identify the order or its status.

    :raises BadPayload: when it is missing or can't be read; names it, without its content
    """
    try:
        value = read(payload)
        found = None if value is None else convert(value)
    except Unfit:
        raise BadPayload(f"not the expected order: {name}: its expression doesn't fit") from None
    except (ValueError, ArithmeticError) as error:
        raise BadPayload(f"not the expected order: {name}: {error}") from None
    if found is None:
        raise BadPayload(f"not the expected order: {name}: missing")
    return found


def optional(
    read: Read | None, payload: Any, name: str, times: TimeReader, unread: list[str]
) -> datetime | None:
    """An optional time; if it is unreadable, its name is added to ``unread``."""
    if read is None:
        return None
    try:
        value = read(payload)
        return None if value is None else times.instant(value)
    except (Unfit, ValueError, ArithmeticError):
        unread.append(name)
        return None


def _maybe(expression: str | None) -> Read | None:
    return compile_expression(expression) if expression else None


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)
