"""Imports a team's existing orders from the rows of a table.

A row becomes a report like any other, dated by when its status was entered. So later reports of the
provider take precedence, and importing the same row again changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias, cast
from zoneinfo import ZoneInfo

from milepost.actions.refresh import ActionContext
from milepost.common.email_addresses import is_email
from milepost.common.errors import BadPayload
from milepost.common.identifiers import read_id
from milepost.common.status import Status
from milepost.common.timestamps import NotATime, format_instant, read_day, read_instant
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import (
    LostRace,
    OrderStore,
    RecordOutcome,
    UnstorableOrder,
    record,
)
from milepost.orders.report import Report, Source, refuse_future
from milepost.providers.base import Provider, rules_of

Row: TypeAlias = Mapping[str, Any]
"""Values by the names of ``FIELDS``."""

_DETAILS: Final[Mapping[str, tuple[str, ...]]] = {
    "reference": ("reference",),
    "service_type": ("service_type",),
    "customer_name": ("customer", "name"),
    "customer_business": ("customer", "business"),
    "customer_email": ("customer", "email"),
    "customer_phone": ("customer", "phone"),
    "customer_number": ("customer", "number"),
    "street": ("address", "street"),
    "unit": ("address", "unit"),
    "postcode": ("address", "postcode"),
    "city": ("address", "city"),
    "region": ("address", "region"),
    "country": ("address", "country"),
    "product": ("offer", "name"),
    "product_id": ("offer", "id"),
    "supplier": ("offer", "supplier"),
    "account_number": ("account_number",),
    "meter_number": ("meter_number",),
    "malo": ("malo",),
    "melo": ("melo",),
    "spn": ("spn",),
    "serial_number": ("charge_box", "serial_number"),
    "charge_box_model": ("charge_box", "model"),
}
"""Columns of plain facts, and the place of each in an order's details."""
_TIMES: Final = ("appointment", "ordered_at")
REQUIRED: Final = ("order_id", "status", "since")
FIELDS: Final = (
    "order_id",
    "item_id",
    "status",
    "since",
    *_TIMES,
    *_DETAILS,
)
"""The columns that a table may have."""
_LONGEST: Final = 2_000
_NO_ORDER: Final = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError),
)
"""Exceptions that are raised for a single invalid stored order; never for an outage."""


class ImportOutcome(StrEnum):
    """The outcome of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    """The order already had it."""
    REFUSED = "refused"
    """The row can't be imported: the reason says what to correct."""
    FAILED = "failed"
    """The row is valid, but could not be stored: import it again."""


class BadRow(Exception):
    """A row can't be read; the message says why, without the row's contents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The outcome of one row: its order, and the reason if it was refused."""

    outcome: ImportOutcome
    order: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class _NothingWritten:
    """Reads the stored orders but writes nothing, for a dry run. Implements ``OrderStore``."""

    orders: OrderStore

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self.orders.read(key)

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        """Reports success without writing anything."""


def import_row(row: Row, *, tools: ActionContext, announce: bool, dry_run: bool) -> Imported:
    """Import one row as an order of a connection.

    :param announce: whether people are notified of what it changes
    :param dry_run: whether to say what would become of it, and keep nothing
    """
    conversation, now = tools.conversation, tools.clock()
    connection, provider = conversation.connection, conversation.provider
    try:
        report = read_row(row, connection=connection, provider=provider, now=now)
    except BadRow as why:
        return Imported(outcome=ImportOutcome.REFUSED, why=str(why))
    key = OrderKey.of(report)
    try:
        return _take_in(report, key, tools=tools, announce=announce, dry_run=dry_run)
    except LostRace:
        return Imported(
            outcome=ImportOutcome.FAILED, order=key.path_id, why="the order is too busy"
        )
    except UnstorableOrder as why:
        return Imported(outcome=ImportOutcome.REFUSED, order=key.path_id, why=str(why))
    except _NO_ORDER as error:
        kind = type(error).__name__
        return Imported(
            outcome=ImportOutcome.FAILED,
            order=key.path_id,
            why=f"the stored order can't be read or changed: {kind}",
        )


def _take_in(
    report: Report, key: OrderKey, *, tools: ActionContext, announce: bool, dry_run: bool
) -> Imported:
    conversation = tools.conversation
    is_new = tools.orders.read(key) is None
    recorded = record(
        report,
        orders=_NothingWritten(tools.orders) if dry_run else tools.orders,
        rules=rules_of(conversation.provider, conversation.connection),
        now=tools.clock(),
        announce=announce,
        erasures=tools.erasures,
    )
    if recorded.outcome is RecordOutcome.ERASED:
        return Imported(
            outcome=ImportOutcome.REFUSED, order=key.path_id, why="its customer was erased"
        )
    if recorded.outcome is RecordOutcome.DUPLICATE:
        return Imported(outcome=ImportOutcome.UNCHANGED, order=key.path_id)
    outcome = ImportOutcome.NEW if is_new else ImportOutcome.CHANGED
    return Imported(outcome=outcome, order=key.path_id)


def read_row(row: Row, *, connection: Connection, provider: Provider, now: datetime) -> Report:
    """The report for a row.

    :raises BadRow: when a column lacks, isn't known, or can't be read
    """
    said = dict(_texts(row))
    order_id = _id(said, "order_id")
    item_id = _item_id(said, order_id, provider)
    status, raw_status = _status(said, connection, provider)
    details = _details(said, connection)
    zone = ZoneInfo(connection.time_zone)
    if raw_status is not None and (read := rules_of(provider, connection).read_status):
        status = read(raw_status, details)
    report = Report(
        connection=connection.id,
        order_id=order_id,
        item_id=item_id,
        status=status,
        raw_status=raw_status,
        occurred_at=_instant(said, "since", zone),
        seen_at=now,
        source=Source.POLL,
        details=details,
    )
    try:
        refuse_future([report], now=now)
    except BadPayload as error:
        raise BadRow(f"since: {error}") from None
    return report


def _texts(row: Row) -> Iterator[tuple[str, str]]:
    """The values of the row; an empty cell has no value."""
    for name, value in row.items():
        if name not in FIELDS:
            raise BadRow(f"there is no column {name[:64]!r}; there are: {', '.join(FIELDS)}")
        if value is None or isinstance(value, bool | list | dict):
            if value is not None:
                raise BadRow(f"{name}: no text")
            continue
        text = str(value).strip()
        if len(text) > _LONGEST:
            raise BadRow(f"{name}: longer than {_LONGEST:,} characters")
        if any(not one.isprintable() and one not in "\n\t\r\xa0\u202f" for one in text):
            raise BadRow(f"{name}: has a control character in it")
        if text:
            yield name, text


def _id(said: Mapping[str, str], name: str) -> str:
    if name not in said:
        raise BadRow(f"{name}: missing")
    try:
        return read_id(said[name])
    except (BadPayload, ValueError) as error:
        raise BadRow(f"{name}: {error}") from None


def _item_id(said: Mapping[str, str], order_id: str, provider: Provider) -> str:
    if provider.has_items:
        if "item_id" not in said:
            raise BadRow("item_id: missing; this provider's orders have items")
        return _id(said, "item_id")
    if "item_id" in said and _id(said, "item_id") != order_id:
        raise BadRow("item_id: this provider's orders have no items: leave it out")
    return order_id


def _status(
    said: Mapping[str, str], connection: Connection, provider: Provider
) -> tuple[Status | None, str | None]:
    """The canonical status, and the raw status if the row has one of the provider's words."""
    if "status" not in said:
        raise BadRow("status: missing")
    word = said["status"]
    read = rules_of(provider, connection).read_status
    if read is not None and read(word, {}) is not None:
        return None, word
    name = word.casefold().replace(" ", "_")
    if name in set(Status) - {Status.UNKNOWN}:
        return Status(name), None
    raise BadRow(f"status: neither a word of {provider.name} nor one of {', '.join(_STATUSES)}")


_STATUSES: Final = tuple(str(one) for one in Status if one is not Status.UNKNOWN)


def _details(said: Mapping[str, str], connection: Connection) -> Details:
    details: dict[str, Any] = {}
    for name, (first, *rest) in _DETAILS.items():
        if name not in said:
            continue
        if name == "customer_email" and not is_email(said[name]):
            raise BadRow("customer_email: no email address")
        if rest:
            details.setdefault(first, {})[rest[0]] = said[name]
        else:
            details[first] = said[name]
    zone = ZoneInfo(connection.time_zone)
    if "ordered_at" in said:
        details["ordered_at"] = format_instant(_instant(said, "ordered_at", zone))
    if "appointment" in said:
        is_day = len(said["appointment"]) == len("2026-03-01")
        details["appointment"] = (
            _day(said, "appointment")
            if is_day
            else format_instant(_instant(said, "appointment", zone))
        )
    return cast(Details, details)


def _instant(said: Mapping[str, str], name: str, zone: ZoneInfo) -> datetime:
    """The instant of a text; a day is converted to its beginning in the connection's time zone."""
    if name not in said:
        raise BadRow(f"{name}: missing")
    try:
        return read_instant(said[name], zone=zone)
    except NotATime as error:
        raise BadRow(f"{name}: {error}") from None


def _day(said: Mapping[str, str], name: str) -> str:
    try:
        return read_day(said[name]).isoformat()
    except NotATime as error:
        raise BadRow(f"{name}: {error}") from None
