"""Compares two versions of a provider's file, using the stack's orders and quarantined payloads."""

from base64 import b64decode
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cli.api import OrdersApi
from cli.aws_errors import explain
from cli.errors import Fault
from milepost.aws.errors import AWS_FAILED
from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.common.strict_json import read_object
from milepost.common.timestamps import parse_instant
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.providers.base import OrderNamed
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.readable_parts import read_event, read_order

MOST_ORDERS: Final = 1_000
MOST_PAYLOADS: Final = 100
EVERY_STATUS: Final = tuple(map(str, Status))
"""Without a status, only open orders are listed."""


@dataclass(slots=True)
class Effects:
    """The differences between the versions."""

    orders: list[str] = field(default_factory=list)
    payloads: list[str] = field(default_factory=list)
    looked_at: Counter[str] = field(default_factory=Counter)
    not_asked: str | None = None

    @property
    def lines(self) -> list[str]:
        return [*self.orders, *self.payloads]


def effects_of(
    api: OrdersApi,
    connections: list[Connection],
    *,
    before: DeclaredProvider | None,
    after: DeclaredProvider,
) -> Effects:
    """The orders and quarantined payloads that would be read differently; nothing is written."""
    found = Effects()
    try:
        for connection in connections:
            _orders(api, connection, before, after, found)
            _payloads(api, connection, before, after, found)
    except Fault as fault:
        found.not_asked = str(fault)
    except AWS_FAILED as error:
        found.not_asked = explain(error)
    return found


def _orders(
    api: OrdersApi,
    connection: Connection,
    before: DeclaredProvider | None,
    after: DeclaredProvider,
    found: Effects,
) -> None:
    pages = api.pages(
        "/orders",
        items="orders",
        resume_by="cursor",
        most=MOST_ORDERS,
        connection=connection.id,
        status=EVERY_STATUS,
    )
    for page in pages:
        for one in page["orders"]:
            found.looked_at["orders"] += 1
            raw, nothing = one["raw_status"] or "", Details()
            was = before.statuses.read_status(raw, nothing) if before else None
            becomes = after.statuses.read_status(raw, nothing)
            if was != becomes:
                shown = becomes or ("ignored" if after.ignores(raw) else "unknown (attention)")
                found.orders.append(f"{one['id']}: {raw!r} was {was or 'unknown'}, is {shown}")


def _payloads(
    api: OrdersApi,
    connection: Connection,
    before: DeclaredProvider | None,
    after: DeclaredProvider,
    found: Effects,
) -> None:
    pages = api.pages(
        "/quarantine",
        items="items",
        resume_by="after",
        most=MOST_PAYLOADS,
        connection=connection.id,
    )
    for page in pages:
        for one in page["items"]:
            found.looked_at["payloads"] += 1
            kept = api.get(f"/quarantine/{one['id']}")
            was = reading(kept, before, connection) if before else "nothing"
            becomes = reading(kept, after, connection)
            if was != becomes:
                found.payloads.append(f"{one['id']}: was {was}; is {becomes}")


def reading(kept: Any, provider: DeclaredProvider, connection: Connection) -> str:
    """The result of reading a quarantined payload, in a few words without its contents."""
    at: datetime = parse_instant(kept["received_at"])
    try:
        said = read_object(b64decode(kept["base64"]))
        if kept["source"] == "poll":
            found = read_order(provider, said, connection=connection, requested_at=at)
        else:
            found = read_event(provider, said, connection=connection, seen_at=at, judged_at=at)
    except OrderNamed:
        return "an order to fetch"
    except BadPayload as error:
        return f"unreadable ({error})"
    if found.unreadable and not found.reports:
        return f"unreadable ({found.unreadable[0].reason})"
    bad = len(found.unreadable)
    statuses = ", ".join(str(one.status or "unknown status") for one in found.reports) or "nothing"
    return statuses + (f" and {bad} unreadable" if bad else "")
