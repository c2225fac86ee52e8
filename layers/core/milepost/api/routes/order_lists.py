"""Lists of orders: by status, customer, due date and other filters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.days import Day
from milepost.api.dependencies import Given, Services
from milepost.api.filters import (
    check_connections,
    check_provider,
    check_waiting,
    check_words,
)
from milepost.api.instants import Instant
from milepost.api.json_model import Shape
from milepost.api.listed_order_schema import Fields, ListedOrder, chosen
from milepost.api.openapi import may_answer
from milepost.api.pagination import BadCursor, Cursor, Limit, read_cursor, write_cursor
from milepost.api.problems import Fault, Problem
from milepost.common.status import Status, normal_form
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import format_instant, parse_instant
from milepost.forecasts.listed_orders import Outlook, outlooks
from milepost.orders.lifecycle import OPEN_BY_PROGRESS
from milepost.orders.order import OrderKey
from milepost.queries.list_choices import Due, Sort
from milepost.queries.order_finder import (
    MOST_COUNTED,
    MOST_FOUND,
    MOST_SORTED,
    Count,
    TooManyToSort,
)
from milepost.queries.order_list import Listed, Place, Wanted

router = Router()


class MatchingOrders(Shape):
    """How many orders match the filters."""

    number: int
    more: bool = Field(description="Whether there are, or may be, more than `number`.")


class OrderList(Shape):
    """A page of a list."""

    orders: list[ListedOrder | dict[str, Any]] = Field(
        description="Sorted as requested; with `fields`, each has only these fields."
    )
    next: str | None = Field(
        description="The cursor of the next page; none after the last one. A page may be short, "
        "even empty, and still have a next one."
    )
    counts: dict[Status, int] = Field(
        description="The number of orders in each status at these connections, "
        "regardless of the other filters."
    )
    matching: MatchingOrders | None = Field(
        description="The number of orders on all pages of the list, if it is "
        "known without reading more than this page, or with "
        "`count=true`."
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
        Query(
            description="Words or their beginnings; the order has all of them: customer's name, "
            "business, address, email, phone and number; ids; reference; meter, MaLo, MeLo, SPN, "
            "account, serial and invoice numbers. Of every status, up to "
            f"{MOST_FOUND} orders."
        ),
    ] = None,
    waiting: Annotated[
        Text | None,
        Query(description="What it waits for from the customer, such as `payment`, or `any`."),
    ] = None,
    reference: Annotated[
        Text | None, Query(description="How each of these words begins in the reference.")
    ] = None,
    customer: Annotated[
        Text | None,
        Query(
            description="A customer's id, or how words of the name, business, email, phone or "
            "customer number begin."
        ),
    ] = None,
    product: Annotated[
        Text | None, Query(description="Words of the product or its supplier, or their beginnings.")
    ] = None,
    place: Annotated[
        Text | None, Query(description="Words of the address, or their beginnings.")
    ] = None,
    updated_since: Annotated[
        Instant | None,
        Query(description="Something new was recorded of the order at this time or later."),
    ] = None,
    sort: Annotated[
        Sort,
        Query(description=f"By anything but the next date, lists of up to {MOST_SORTED:,} orders."),
    ] = Sort.NEXT_DATE,
    fields: Annotated[
        Fields | None, Query(description="The fields to show, such as `id,status,customer`.")
    ] = None,
    count: Annotated[
        bool, Query(description=f"Count the list's orders, up to {MOST_COUNTED:,}.")
    ] = False,
    limit: Limit = 50,
    cursor: Annotated[Cursor | None, Query(description="`next` of a page.")] = None,
) -> OrderList:
    wanted = wanted_orders(
        services,
        status=status,
        connection=connection,
        provider=provider,
        raw_status=raw_status,
        service_type=service_type,
        attention=attention,
        due=due,
        first_day=first_day,
        last_day=last_day,
        q=q,
        waiting=waiting,
        reference=reference,
        customer=customer,
        product=product,
        place=place,
        updated_since=updated_since,
    )
    page = _Page(q=q, sort=sort, fields=fields, count=count, limit=limit, cursor=cursor)
    return _read_page(page, wanted, services)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """Which page of a list is requested, and how it is shown."""

    q: str | None
    sort: Sort
    fields: Fields | None
    count: bool
    limit: int
    cursor: str | None


def _read_page(asked: _Page, wanted: Wanted, services: Services) -> OrderList:
    name = _name_of(wanted, asked.q, asked.sort)
    after = None
    if asked.cursor is not None:
        wanted, after = _continue(wanted, asked.cursor, name, services)
    finder = services.finder
    try:
        page, counts = finder.page_and_counts(
            wanted,
            text=asked.q,
            sort=asked.sort,
            after=after,
            limit=services.rows(asked.limit),
            ends=partial(likely_ends, services),
        )
    except TooManyToSort:
        raise _too_many_to_sort() from None
    if not page.orders and asked.cursor is None:
        check_words(wanted, services)
    matching = None
    if asked.cursor is None and page.last is None:
        matching = _matching(Count(len(page.orders), page.more))
    elif asked.count:
        matching = _matching(finder.count(wanted, text=asked.q))
    return OrderList(
        orders=chosen(page.orders, asked.fields, outlooks=partial(outlooks_of, services)),
        next=_cursor(page.last, wanted, name, services),
        counts=counts,
        matching=matching,
    )


def outlooks_of(services: Services, orders: Iterable[Listed]) -> dict[OrderKey, Outlook]:
    """What forecasts say of the open ones of these orders: one read."""
    return outlooks(
        orders,
        tables=services.forecasts,
        connections=services.connections.all(),
        now=services.clock(),
    )


def likely_ends(services: Services, orders: Iterable[Listed]) -> dict[OrderKey, datetime]:
    """When these orders will probably be completed; without those of which nobody knows."""
    found = outlooks_of(services, orders)
    return {key: one.end.likely for key, one in found.items() if one.end and one.end.likely}


def wanted_orders(
    services: Services,
    *,
    status: Sequence[Status] | None = None,
    connection: Sequence[str] | None = None,
    due: Due | None = None,
    first_day: date | None = None,
    last_day: date | None = None,
    q: str | None = None,
    **rest: Any,
) -> Wanted:
    """The orders that the filters of ``list_orders`` select; without a status, open orders, except
    in a search.

    :param rest: fields of ``Wanted`` with the same names
    :raises Problem: 422 for an unknown connection or provider, or invalid days
    """
    _check_days(due, first_day, last_day)
    check_connections(connection, services)
    check_provider(rest.get("provider"), services)
    check_waiting(rest.get("waiting"))
    return Wanted(
        asked_at=services.clock(),
        statuses=tuple(status or (Status if q else OPEN_BY_PROGRESS)),
        connections=frozenset(connection or ()),
        due=due,
        first_day=first_day,
        last_day=last_day,
        **rest,
    )


def _matching(counted: Count) -> MatchingOrders:
    return MatchingOrders(number=counted.number, more=counted.more)


def _too_many_to_sort() -> Problem:
    what = f"more than {MOST_SORTED:,} orders: choose some by filters, or sort by next_date"
    return Problem(422, f"The list has {what}.", errors=[Fault(where="query.sort", what=what)])


def _check_days(due: Due | None, first: date | None, last: date | None) -> None:
    if due is not None and (first or last):
        what = "either `due`, or `from` and `to`"
        raise Problem(422, f"Ask for {what}.", errors=[Fault(where="query.due", what=what)])
    if first and last and last < first:
        what = "`to` is a day before `from`"
        raise Problem(422, f"{what}.", errors=[Fault(where="query.to", what=what)])


def _name_of(wanted: Wanted, q: str | None, sort: Sort) -> str:
    """The identity of the list: cursors of other lists are refused."""
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
        wanted.waiting,
        wanted.reference,
        wanted.customer,
        wanted.product,
        wanted.place,
        wanted.updated_since and format_instant(wanted.updated_since),
        sort,
        q,
    )
    return canonical_json(list(filters))


def _continue(wanted: Wanted, cursor: str, name: str, services: Services) -> tuple[Wanted, Place]:
    """The list as of its first page's request: "this week" stays the same week."""
    said = read_cursor(cursor, of_list=name, keys=services.cursor_keys.keys())
    try:
        asked_at, next_date, shard, key = said
        place = Place(next_date, shard, OrderKey(*key))
        return replace(wanted, asked_at=parse_instant(asked_at)), place
    except (TypeError, ValueError):
        # Signed by another version of Milepost.
        raise BadCursor from None


def _cursor(place: Place | None, wanted: Wanted, name: str, services: Services) -> str | None:
    if place is None:
        return None
    key = [place.key.connection, place.key.order_id, place.key.item_id]
    said = [format_instant(wanted.asked_at), place.next_date, place.shard, key]
    return write_cursor(said, of_list=name, keys=services.cursor_keys.keys())
