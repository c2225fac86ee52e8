"""Each provider's list as a model: minimal orders that each contain one word."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.providers.base import Provider, Response
from milepost.providers.offergrid import Offergrid
from milepost.providers.rabot import Rabot
from milepost.providers.spirii import Spirii
from milepost.providers.subs import Subs
from tests.builders import OFFERGRID, RABOT
from tests.unit.polling.polls import Wire, World


@dataclass(frozen=True)
class Model:
    """The form of a provider's orders, pages and events, and the field that contains an order's
    word.
    """

    connection: Connection
    provider: Provider
    order: Callable[[str, str, datetime], dict[str, Any]]
    event: Callable[[str, str, datetime], dict[str, Any]] | None
    word: Callable[[Details], str | None]
    changed: Callable[[dict[str, Any]], str]
    page: Callable[[list[bytes], str | None, int, dict[str, str]], bytes]
    """Of these orders, with a cursor for what follows them if anything does, of so many in all."""
    since: str = ""
    limit: str = "limit"


def with_orders(envelope: dict[str, Any], orders: list[bytes]) -> bytes:
    return json.dumps(envelope).encode().replace(b'"HERE"', b"[" + b",".join(orders) + b"]")


def cursor_page(
    orders: list[bytes], cursor: str | None, _total: int, _query: dict[str, str]
) -> bytes:
    return with_orders({"orders": "HERE", "nextCursor": cursor}, orders)


def offset_page(
    orders: list[bytes], cursor: str | None, _total: int, _query: dict[str, str]
) -> bytes:
    data = {"orders": "HERE"}
    return with_orders(
        {"isSuccess": True, "error": None, "data": data, "hasMoreItems": cursor is not None},
        orders,
    )


def spirii_page(
    orders: list[bytes], cursor: str | None, _total: int, _query: dict[str, str]
) -> bytes:
    paging = {"has_more": cursor is not None, "next_cursor": cursor}
    return with_orders({"data": "HERE", "pagination": paging}, orders)


def numbered_page(
    orders: list[bytes], _cursor: str | None, total: int, query: dict[str, str]
) -> bytes:
    last = max(1, -(-total // int(query["per_page"])))
    return with_orders({"data": "HERE", "page": int(query["page"]), "last_page": last}, orders)


def _offergrid(id: str, word: str, at: datetime) -> dict[str, Any]:
    instant = format_instant(at)
    item = {"itemId": "i", "status": "accepted", "accountNumber": word, "updatedAt": instant}
    return {"orderId": id, "updatedAt": instant, "items": [item]}


def _offergrid_event(id: str, word: str, at: datetime) -> dict[str, Any]:
    instant = format_instant(at)
    event = {"event": "order.status_changed", "newStatus": "accepted", "accountNumber": word}
    return {**event, "orderId": id, "itemId": "i", "timestamp": instant}


def _spirii(id: str, word: str, at: datetime) -> dict[str, Any]:
    return {"id": id, "status": "Pending", "order_number": word, "updated_at": format_instant(at)}


def _subs(id: str, word: str, at: datetime) -> dict[str, Any]:
    instant = format_instant(at)
    return {"id": id, "milestone": "Inspection Initiated", "spn": word, "updated_at": instant}


def _rabot(id: str, word: str, _at: datetime) -> dict[str, Any]:
    return {"contractNumber": id, "state": "Processing", "tariffName": word}


MODELS = {
    "offergrid": Model(
        OFFERGRID,
        Offergrid(),
        _offergrid,
        _offergrid_event,
        lambda details: details.get("account_number"),
        lambda order: order["updatedAt"],
        cursor_page,
        "updatedSince",
    ),
    "spirii": Model(
        replace(OFFERGRID, id="spirii-ev", provider="spirii"),
        Spirii(),
        _spirii,
        lambda id, word, at: {
            "event": "order.updated",
            "created_at": format_instant(at),
            "data": {"order": _spirii(id, word, at)},
        },
        lambda details: details.get("reference"),
        lambda order: order["updated_at"],
        spirii_page,
        "updated_since",
    ),
    "subs": Model(
        replace(OFFERGRID, id="subs-grid", provider="subs"),
        Subs(),
        _subs,
        lambda id, word, at: {
            "event": "service_request.updated",
            "created_at": format_instant(at),
            "data": {"service_request": _subs(id, word, at)},
        },
        lambda details: details.get("spn"),
        lambda order: order["updated_at"],
        numbered_page,
        "updated_since",
        "per_page",
    ),
    "rabot": Model(
        RABOT,
        Rabot(),
        _rabot,
        None,
        lambda details: details.get("offer", {}).get("name"),
        lambda _order: "",
        offset_page,
    ),
}


@dataclass(frozen=True, order=True)
class Listed:
    """An order on a list: its position, its time of change, and its JSON."""

    place: str
    changed: str
    raw: bytes


def world_of(name: str, orders: Callable[[], list[Listed]], *, limit: int) -> World:
    """A connection to this provider, whose list has these orders."""
    model = MODELS[name]

    def rule(query: dict[str, str]) -> Response:
        found = sorted(one for one in orders() if one.changed >= query.get(model.since, ""))
        total, size = len(found), int(query[model.limit])
        if "page" in query:
            found = found[(int(query["page"]) - 1) * size :]
        elif "offset" in query:
            found = found[int(query["offset"]) :]
        elif "cursor" in query:
            found = [one for one in found if one.place > query["cursor"]]
        served = found[:size]
        cursor = served[-1].place if len(found) > size else None
        return Response(200, {}, model.page([one.raw for one in served], cursor, total, query))

    connection = replace(model.connection, page_size=limit)
    world = World(connection, model.provider, Wire(rule))
    world.credentials = {"api_key": "k", "token": "t", "client_id": "c", "client_secret": "s"}
    return world
