"""Envelopes around orders: pages, responses, events, and the requests for them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from milepost.common.errors import BadPayload
from milepost.common.timestamps import NotATime, read_instant
from milepost.connections.connection import Connection
from milepost.providers.base import BrokenPage, Json, SignInFailed
from milepost.providers.payload_types import LONE_SURROGATE, trim_text


def orders_on(body: Json, name: str) -> list[Json]:
    """The orders of a page, in the list with this name; an element that isn't an order counts as an
    unreadable one.

    :raises BrokenPage: when there is no list
    """
    orders = body.get(name)
    if not isinstance(orders, list):
        raise BrokenPage(f"the page has no list of orders ({name})")
    return orders


def object_in(body: Json, *names: str) -> Json:
    """The object at this path of names.

    :raises BrokenPage: when there is none
    """
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise BrokenPage(f"the answer has no order ({'.'.join(names) or 'at its top'})")
    return found


def payload_in(event: Json, *names: str) -> Json:
    """The object at this path of names in an event.

    :raises BadPayload: when there is none
    """
    try:
        return object_in(event, *names)
    except BrokenPage:
        raise BadPayload(f"not the expected event: {'.'.join(names)}: missing") from None


def made_at(event: Json, *, seen_at: datetime) -> datetime:
    """When an event was created (``created_at``); if missing, when it was received."""
    try:
        return min(read_instant(event.get("created_at")), seen_at)
    except NotATime:
        return seen_at


def words_in(body: Json, *names: str) -> str | None:
    """The text at this path of names, trimmed; None if there is none."""
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return trim_text(LONE_SURROGATE.sub("", found)) if isinstance(found, str) else None


def one_segment(id: str) -> str:
    """An id as one segment of a URL path, with any characters encoded."""
    return quote(id, safe="")


def newest_change(orders: Iterable[Any], name: str) -> datetime | None:
    """The latest time of change on a page. Orders without a valid one are skipped; they are
    quarantined later."""
    changes = []
    for text in {one for order in orders if isinstance(one := _field(order, name), str)}:
        try:
            changes.append(read_instant(text))
        except NotATime:
            continue
    return max(changes, default=None)


def _field(order: Any, name: str) -> Any:
    return order.get(name) if isinstance(order, Mapping) else None


def credential(connection: Connection, credentials: Mapping[str, str], name: str) -> str:
    """One of the credentials of a connection.

    :raises SignInFailed: when it isn't set
    """
    if not credentials.get(name):
        raise SignInFailed(f"connection {connection.id} has no {name}")
    return credentials[name]


def bearer(token: str) -> dict[str, str]:
    """The headers of a request with a bearer token."""
    return {"authorization": f"Bearer {token}", "accept": "application/json"}
