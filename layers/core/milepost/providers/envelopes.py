"""What stands around an order: pages, answers, events, and the requests for them."""

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
    """The orders of a page, under this name; what stands among them and is none, is one unreadable.

    :raises BrokenPage: when there is no list
    """
    orders = body.get(name)
    if not isinstance(orders, list):
        raise BrokenPage(f"the page has no list of orders ({name})")
    return orders


def object_in(body: Json, *names: str) -> Json:
    """The object that stands below these names.

    :raises BrokenPage: when there is none
    """
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise BrokenPage(f"the answer has no order ({'.'.join(names) or 'at its top'})")
    return found


def payload_in(event: Json, *names: str) -> Json:
    """The object that an event carries below these names.

    :raises BadPayload: when there is none
    """
    try:
        return object_in(event, *names)
    except BrokenPage:
        raise BadPayload(f"not the expected event: {'.'.join(names)}: missing") from None


def made_at(event: Json, *, seen_at: datetime) -> datetime:
    """When an event was made (``created_at``); when it came, if it doesn't say so."""
    try:
        return min(read_instant(event.get("created_at")), seen_at)
    except NotATime:
        return seen_at


def words_in(body: Json, *names: str) -> str | None:
    """The text that stands below these names, trimmed; None when there is none."""
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return trim_text(LONE_SURROGATE.sub("", found)) if isinstance(found, str) else None


def one_segment(id: str) -> str:
    """An id as one segment of a path, whatever it is made of."""
    return quote(id, safe="")


def newest_change(orders: Iterable[Any], name: str) -> datetime | None:
    """The latest time of change of a page; an order without a good one is quarantined later."""
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
    """One of the credentials that people set for a connection.

    :raises SignInFailed: when it isn't set
    """
    if not credentials.get(name):
        raise SignInFailed(f"connection {connection.id} has no {name}")
    return credentials[name]


def bearer(token: str) -> dict[str, str]:
    """The headers of a request with a bearer token."""
    return {"authorization": f"Bearer {token}", "accept": "application/json"}
