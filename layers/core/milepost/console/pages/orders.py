"""The list of orders: filters, columns and sorting in the address, views, and a file of it."""

from functools import partial
from typing import Any, Final

from milepost.api.filters import check_words
from milepost.api.listed_order_schema import listed_view
from milepost.api.routes.order_lists import (
    OrderList,
    likely_ends,
    list_orders,
    outlooks_of,
    wanted_orders,
)
from milepost.api.routes.views import ViewView, list_views
from milepost.common.status import Status
from milepost.console.batch_form import offered_actions
from milepost.console.order_columns import COLUMNS, chosen_columns
from milepost.console.order_filters import (
    MORE,
    is_same_list,
    read_filters,
    read_sort,
    set_filters,
    tidy,
    view_query,
)
from milepost.console.page_context import Visit
from milepost.console.pages import order
from milepost.console.request import Values
from milepost.console.responses import Answer, csv_download
from milepost.console.routing import Pages
from milepost.exports.list_columns import ORDERS
from milepost.forecasts.listed_orders import UNKNOWN
from milepost.orders.attention import CODES
from milepost.orders.customer_waits import DEFAULT_WAIT_DAYS
from milepost.queries.list_choices import Due

pages = Pages()

ROWS: Final = 50
MOST_IN_FILE: Final = 2_000
"""Orders of a file that is made while the browser waits."""


@pages.get("/console/orders", tidy=tidy)
def show_orders(visit: Visit) -> Answer:
    """A page of the list."""
    query = tidy(visit.query)
    filters, sort = read_filters(visit.query), read_sort(visit.query)
    cursor = visit.query.one("cursor") or None
    parts = visit.parts(
        found=partial(_found, visit, filters, sort=sort, cursor=cursor),
        views=lambda: list_views(visit.services, visit.caller).views,
    )
    connections = visit.services.connections.all()
    return visit.page(
        "orders.html",
        list=parts["found"],
        kept=parts["views"],
        tabs=_tabs(visit, parts["views"].value or []),
        filters=set_filters(visit.query),
        query=query,
        rest=query.without("cursor").text,
        sort=sort,
        columns=chosen_columns(visit.query),
        all_columns=COLUMNS,
        connections=visit.services.connection_ids(),
        providers=sorted({one.provider for one in connections.values()}),
        attention_codes=sorted(CODES),
        waits=sorted(DEFAULT_WAIT_DAYS),
        dues=list(Due),
        statuses=list(Status),
        more_is_set=any(visit.query.all(name) for name in MORE),
        actions=offered_actions(connections.values()) if visit.caller.is_operator else [],
        most_in_file=MOST_IN_FILE,
    )


@pages.get("/console/orders/download")
def download_orders(visit: Visit) -> Answer:
    """The whole list as a file; a long one is made by a job."""
    wanted = wanted_orders(visit.services, **read_filters(visit.query))
    finder = visit.services.finder
    found, more = finder.matching(wanted, text=visit.query.one("q") or None, most=MOST_IN_FILE)
    if not found:
        check_words(wanted, visit.services)
    if more:
        rest = tidy(visit.query).without("cursor").also("list", "orders")
        return visit.go_to(f"/console/exports/new?{rest.text}")
    ends = partial(likely_ends, visit.services)
    orders = finder.in_order(found, read_sort(visit.query), ends=ends)
    known = outlooks_of(visit.services, orders)
    rows = [listed_view(one, known.get(one.key, UNKNOWN)).model_dump(mode="json") for one in orders]
    return csv_download(rows, ORDERS, name="orders.csv")


def _found(visit: Visit, filters: dict[str, Any], **how: Any) -> OrderList:
    return list_orders(visit.services, **filters, **how, limit=ROWS)


def _tabs(visit: Visit, views: list[ViewView]) -> list[tuple[ViewView | None, str, bool]]:
    """Each view, its address, and whether it is the one that is shown; first all open orders."""
    tabs: list[tuple[ViewView | None, str, bool]] = [
        (None, "", is_same_list(visit.query, Values()))
    ]
    for one in views:
        query = view_query(one.filters)
        tabs.append((one, query.text, is_same_list(query, visit.query)))
    return tabs


pages.include(order.pages)
