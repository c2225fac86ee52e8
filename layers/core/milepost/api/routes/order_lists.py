"""Lists of orders: by where they stand, whose they are, and when something is due."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.days import Day
from milepost.api.dependencies import Given, Services
from milepost.api.filters import check_connections, check_provider, check_service_type, unknown
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.order_schema import AttentionView, WaitView, wait_view
from milepost.api.pagination import BadCursor, read_cursor, write_cursor
from milepost.api.problems import Fault, Problem
from milepost.common.status import Status, normal_form
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import format_instant, parse_instant
from milepost.orders.attention import CODES
from milepost.orders.order import OrderKey
from milepost.queries.order_list import (
    ANY_ATTENTION,
    OPEN,
    Due,
    Listed,
    Page,
    Place,
    Wanted,
    is_wanted,
)

router = Router()

MOST_FOUND: Final = 500
"""Orders that one search looks at."""
_NO_ZONE: Final = "UTC"


class ListedOrder(Shape):
    """An order of a list."""

    id: str = Field(examples=["offergrid-main:ord_1:item_1"])
    group: str
    connection: str
    provider: str
    order_id: str
    item_id: str
    status: Status
    raw_status: str | None
    since: str
    next_date: str = Field(
        description="The appointment, else when the present stage should be over; of a closed "
        "order, when it closed."
    )
    reference: str | None
    service_type: str | None
    appointment: str | None
    attention: list[AttentionView]
    waiting: WaitView | None = Field(
        description="What it waits for, if for the customer: it is not overdue meanwhile."
    )


class OrderList(Shape):
    """A page of a list."""

    orders: list[ListedOrder] = Field(description="By their next date.")
    next: str | None = Field(
        description="The cursor of the next page; none after the last one. A page may be short, "
        "even empty, and still have a next one."
    )
    counts: dict[Status, int] = Field(
        description="Orders by status at these connections, whatever the other filters."
    )


Text = Annotated[str, Field(min_length=1, max_length=200)]


@router.get(
    "/orders",
    summary="Orders by their next date; open ones, unless a status asks for closed ones",
    tags=["orders"],
    operation_id="list_orders",
    responses=may_answer(200),
)
def list_orders(
    services: Given,
    *,
    status: Annotated[list[Status] | None, Query(description="One or several.")] = None,
    connection: Annotated[list[Text] | None, Query(description="One or several.")] = None,
    provider: Annotated[Text | None, Query()] = None,
    raw_status: Annotated[
        Text | None, Query(description="The provider's own word, in any case and white space.")
    ] = None,
    service_type: Annotated[Text | None, Query()] = None,
    attention: Annotated[
        Text | None, Query(description="The code of a reason to look, or `any`.")
    ] = None,
    due: Annotated[
        Due | None, Query(description="In the time zone of each order's connection.")
    ] = None,
    first_day: Annotated[
        Day | None, Query(alias="from", description="First day of the next date.")
    ] = None,
    last_day: Annotated[
        Day | None, Query(alias="to", description="Last day of the next date.")
    ] = None,
    q: Annotated[
        Text | None,
        Query(description="The beginning of a reference's word, or a customer's whole email."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=4000, description="`next` of a page.")] = None,
) -> OrderList:
    _check_days(due, first_day, last_day)
    check_connections(connection, services)
    check_provider(provider, services)
    wanted = Wanted(
        asked_at=services.clock(),
        statuses=tuple(status or (Status if q else OPEN)),
        connections=frozenset(connection or ()),
        provider=provider,
        raw_status=raw_status,
        service_type=service_type,
        attention=attention,
        due=due,
        first_day=first_day,
        last_day=last_day,
    )
    name = _name_of(wanted, q)
    after = None
    if cursor is not None:
        wanted, after = _continue(wanted, cursor, name, services)
    zones = {one.id: one.time_zone for one in services.connections.all().values()}
    page = (
        services.lists.page(wanted, zones=zones, after=after, limit=limit)
        if q is None
        else _found(q, wanted, services, after=after, limit=limit)
    )
    if not page.orders and page.last is None and cursor is None:
        _check_words(wanted, services)
    return OrderList(
        orders=[_listed(one) for one in page.orders],
        next=_cursor(page.last, wanted, name, services),
        counts=_counts(wanted, services),
    )


def _check_words(wanted: Wanted, services: Services) -> None:
    """A filter that found nothing was for something that there is."""
    code, service_type = wanted.attention, wanted.service_type
    if code is not None and code not in (ANY_ATTENTION, *CODES):
        raise unknown("attention", code, CODES)
    check_service_type(service_type, services)


def _check_days(due: Due | None, first: date | None, last: date | None) -> None:
    if due is not None and (first or last):
        what = "either `due`, or `from` and `to`"
        raise Problem(422, f"Ask for {what}.", errors=[Fault(where="query.due", what=what)])
    if first and last and last < first:
        what = "`to` is a day before `from`"
        raise Problem(422, f"{what}.", errors=[Fault(where="query.to", what=what)])


def _name_of(wanted: Wanted, q: str | None) -> str:
    """What makes it this list and no other: a cursor of another one means nothing here."""
    filters: Sequence[Any] = (
        sorted(wanted.statuses),
        sorted(wanted.connections),
        wanted.provider,
        wanted.raw_status and normal_form(wanted.raw_status),
        wanted.service_type,
        wanted.attention,
        wanted.due,
        str(wanted.first_day),
        str(wanted.last_day),
        q,
    )
    return canonical_json(list(filters))


def _continue(wanted: Wanted, cursor: str, name: str, services: Services) -> tuple[Wanted, Place]:
    """The list as its first page was asked for: "this week" stays the week that it was then."""
    said = read_cursor(cursor, of_list=name, keys=services.cursor_keys.keys())
    try:
        asked_at, next_date, shard, key = said
        place = Place(next_date, shard, OrderKey(*key))
        return replace(wanted, asked_at=parse_instant(asked_at)), place
    except (TypeError, ValueError):
        # Signed by another version of ours.
        raise BadCursor from None


def _cursor(place: Place | None, wanted: Wanted, name: str, services: Services) -> str | None:
    if place is None:
        return None
    key = [place.key.connection, place.key.order_id, place.key.item_id]
    said = [format_instant(wanted.asked_at), place.next_date, place.shard, key]
    return write_cursor(said, of_list=name, keys=services.cursor_keys.keys())


def _found(q: str, wanted: Wanted, services: Services, *, after: Place | None, limit: int) -> Page:
    """What a search finds: few enough to be sorted here."""
    connections = wanted.connections or services.connection_ids()
    keys = (
        services.search.find_by_email(q)
        if "@" in q
        else services.search.find_by_reference(q, connections=connections)
    )
    known = services.connections.all()
    zones = {name: one.time_zone for name, one in known.items()}
    matching = [
        one
        for one in services.lists.look_up(list(keys)[:MOST_FOUND])
        if is_wanted(one, wanted, zone=zones.get(one.key.connection, _NO_ZONE))
    ]
    return _page_of(matching, after=after, limit=limit)


def _page_of(matching: Iterable[Listed], *, after: Place | None, limit: int) -> Page:
    places = sorted(((one.next_date, one.key), one) for one in matching)
    if after is not None:
        places = [place for place in places if place[0] > (after.next_date, after.key)]
    orders = [one for _, one in places[:limit]]
    if len(places) <= limit:
        return Page(orders, None)
    return Page(orders, Place(orders[-1].next_date, "", orders[-1].key))


def _counts(wanted: Wanted, services: Services) -> dict[Status, int]:
    providers = {name: one.provider for name, one in services.connections.all().items()}
    providers |= {name: one.provider or "" for name, one in services.connections.unusable().items()}
    names = [
        name
        for name, provider in providers.items()
        if (not wanted.connections or name in wanted.connections)
        and wanted.provider in (None, provider)
    ]
    counts: dict[Status, int] = {}
    for statuses in services.figures.counts(names).values():
        for status, number in statuses.items():
            counts[status] = counts.get(status, 0) + number
    return {status: counts[status] for status in Status if counts.get(status)}


def _listed(one: Listed) -> ListedOrder:
    return ListedOrder(
        id=one.key.path_id,
        group=one.key.path_id.rpartition(":")[0],
        connection=one.key.connection,
        provider=one.provider,
        order_id=one.key.order_id,
        item_id=one.key.item_id,
        status=one.status,
        raw_status=one.raw_status,
        since=one.since,
        next_date=one.next_date,
        reference=one.reference,
        service_type=one.service_type,
        appointment=one.appointment,
        attention=[AttentionView(id=a.id, code=a.code, text=a.text) for a in one.attention],
        waiting=wait_view(one.waiting),
    )
