"""Commissions: what completed orders have earned, what was paid, and what is overdue."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.dependencies import Given, Services
from milepost.api.filters import ConnectionFilter, check_connections
from milepost.api.json_model import Shape
from milepost.api.months import Month, first_of, month_before
from milepost.api.openapi import may_answer
from milepost.api.pagination import (
    MOST_IN_A_SMALL_PAGE,
    BadCursor,
    Cursor,
    read_cursor,
    write_cursor,
)
from milepost.common.status import Status
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.connection import Connection
from milepost.connections.matching_terms import any_recurs
from milepost.orders.order import Order, OrderKey
from milepost.queries.commission import (
    EARNING,
    Commission,
    State,
    commissions,
    may_earn,
)
from milepost.queries.order_list import Place, Wanted

router = Router()

_BACK: Final = timedelta(days=366)
_STATUSES: Final = (*sorted(EARNING), Status.CANCELLED)
"""Statuses of orders that earn commission, and of those that earned it until they were
cancelled."""


class CommissionView(Shape):
    """The commission of one order for one month."""

    order: str = Field(examples=["offergrid-main:ord_1:item_1"])
    connection: str
    reference: str | None
    month: str = Field(description="The month in which it was earned.", examples=["2026-03"])
    due_on: str = Field(examples=["2026-04-15"])
    amount: str = Field(description="Exact.", examples=["75.50"])
    currency: str
    state: State


class CommissionList(Shape):
    """A page of commissions."""

    commissions: list[CommissionView]
    next: str | None = Field(
        description="The cursor of the next page; none after the last one. A page may be short, "
        "even empty, and still have a next one."
    )


@router.get(
    "/commissions",
    summary="Commissions by order: expected, paid, overdue",
    tags=["figures"],
    operation_id="list_commissions",
    responses=may_answer(200),
)
def list_commissions(
    services: Given,
    *,
    month: Annotated[
        Month | None,
        Query(
            description="The month in which they are due. By default: those of "
            "orders that were closed within a year, and all "
            "recurring ones."
        ),
    ] = None,
    connection: ConnectionFilter = None,
    state: Annotated[list[State] | None, Query(description="One or several.")] = None,
    limit: Annotated[
        int,
        Query(ge=1, le=MOST_IN_A_SMALL_PAGE, description="Maximum number of orders on a page."),
    ] = 50,
    cursor: Annotated[Cursor | None, Query(description="`next` of a page.")] = None,
) -> CommissionList:
    check_connections(connection, services)
    known = services.connections.all()
    paying = {
        name: one
        for name, one in known.items()
        if may_earn(one) and (not connection or name in connection)
    }
    if not paying:
        return CommissionList(commissions=[], next=None)
    wanted = Wanted(
        asked_at=services.clock(),
        statuses=_STATUSES,
        connections=frozenset(paying),
        first_day=_closed_from(month, paying.values(), now=services.clock()),
    )
    name = canonical_json(["commissions", month, sorted(paying), sorted(state or ())])
    after = None
    if cursor is not None:
        wanted, after = _continue(wanted, cursor, name, services)
    zones = {one.id: one.time_zone for one in known.values()}
    page = services.lists.page(wanted, zones=zones, after=after, limit=limit)
    orders = _read(services, [one.key for one in page.orders])
    return CommissionList(
        commissions=[
            _view(order, one)
            for order in orders
            for one in commissions(order, paying[order.key.connection], now=wanted.asked_at)
            if _is_due_in(one, month) and (not state or one.state in state)
        ],
        next=_cursor(page.last, wanted, name, services),
    )


def _closed_from(
    month: str | None, connections: Iterable[Connection], *, now: datetime
) -> date | None:
    """The earliest closing time of orders on the list; None if it doesn't matter."""
    if any(any_recurs(one.commission) for one in connections):
        return None
    return month_before(first_of(month)) if month else (now - _BACK).date()


def _read(services: Services, keys: Sequence[OrderKey]) -> list[Order]:
    found = (services.orders.read(key) for key in keys)
    return [one.order for one in found if one is not None]


def _is_due_in(one: Commission, month: str | None) -> bool:
    return month in (None, f"{one.due_on:%Y-%m}")


def _view(order: Order, one: Commission) -> CommissionView:
    return CommissionView(
        order=one.key.path_id,
        connection=one.key.connection,
        reference=order.details.get("reference"),
        month=one.month,
        due_on=one.due_on.isoformat(),
        amount=f"{one.amount:f}",
        currency=one.currency,
        state=one.state,
    )


def _continue(wanted: Wanted, cursor: str, name: str, services: Services) -> tuple[Wanted, Place]:
    """The list as of its first page's request: what was overdue then, and back to the same day."""
    said = read_cursor(cursor, of_list=name, keys=services.cursor_keys.keys())
    try:
        asked_at, first_day, next_date, shard, key = said
        place = Place(next_date, shard, OrderKey(*key))
        day = date.fromisoformat(first_day) if first_day else None
        return replace(wanted, asked_at=parse_instant(asked_at), first_day=day), place
    except (TypeError, ValueError):
        # Signed by another version of Milepost.
        raise BadCursor from None


def _cursor(place: Place | None, wanted: Wanted, name: str, services: Services) -> str | None:
    if place is None:
        return None
    key = [place.key.connection, place.key.order_id, place.key.item_id]
    day = wanted.first_day.isoformat() if wanted.first_day else None
    said = [format_instant(wanted.asked_at), day, place.next_date, place.shard, key]
    return write_cursor(said, of_list=name, keys=services.cursor_keys.keys())
