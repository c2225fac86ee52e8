"""The list of orders: filters in the address, counts, pages."""

from typing import Final

from milepost.api.routes.order_lists import OrderList, list_orders
from milepost.common.status import Status
from milepost.console.answers import Answer
from milepost.console.order_filters import read_filters, set_filters
from milepost.console.pages import order
from milepost.console.routing import Pages
from milepost.console.visit import Visit
from milepost.orders.attention import CODES

pages = Pages()

VIEWS: Final = (
    ("Open", ""),
    ("This week", "due=this_week"),
    ("Next week", "due=next_week"),
    ("Overdue", "due=overdue"),
    ("Needs attention", "attention=any"),
    ("Waiting for the customer", "waiting=any"),
    ("Rejected", "status=rejected"),
    ("Completed", "status=completed&status=active"),
)
"""The system's views: a name, and the filters that it stands for."""
ROWS: Final = 50


@pages.get("/console/orders")
def show_orders(visit: Visit) -> Answer:
    """A page of the list."""
    filters = read_filters(visit.query)
    found: OrderList = list_orders(
        visit.services, **filters, limit=ROWS, cursor=visit.query.one("cursor") or None
    )
    connections = visit.services.connections.all()
    return visit.page(
        "orders.html",
        found=found,
        views=VIEWS,
        filters=set_filters(visit.query),
        query=visit.query,
        view=visit.query.without("cursor").text,
        connections=sorted(connections),
        providers=sorted({one.provider for one in connections.values()}),
        attention_codes=sorted(CODES),
        statuses=list(Status),
    )


pages.include(order.pages)
