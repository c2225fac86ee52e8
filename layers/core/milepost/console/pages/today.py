"""The first page: the orders that need attention today, the most urgent of each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from milepost.api.listed_order_schema import ListedOrder, listed_view
from milepost.api.routes.connections import list_connections
from milepost.api.routes.notice_lists import NoticeList, list_notices
from milepost.api.routes.order_lists import wanted_orders
from milepost.connections.health import Condition
from milepost.console.order_columns import USUAL_COLUMNS
from milepost.console.order_filters import read_filters
from milepost.console.page_context import Part, Visit
from milepost.console.request import Values
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.notifications.notice import State
from milepost.queries.order_list import Page

pages = Pages()

ROWS: Final = 5
"""Maximum number of orders in each section; the others are on its list."""
_WELL: Final = frozenset({Condition.WORKS, Condition.NOT_POLLED})
_NOT_SENT: Final = (State.FAILED, State.BOUNCED, State.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page: its heading, the filter of its list, and its text when empty."""

    name: str
    filter: tuple[str, str]
    nothing: str

    @property
    def query(self) -> Values:
        return Values([self.filter])


SECTIONS: Final = (
    Section("Overdue", ("due", "overdue"), "Nothing is late."),
    Section("Due this week", ("due", "this_week"), "Nothing is due this week."),
    Section("Needs attention", ("attention", "any"), "No order needs attention."),
    Section("Waiting for the customer", ("waiting", "any"), "No order waits for its customer."),
    Section("Rejected", ("status", "rejected"), "No order was rejected."),
)


@dataclass(frozen=True, slots=True)
class Orders:
    """The first orders of a section, whether there are more, and how many, such as ``99+``."""

    orders: Sequence[ListedOrder]
    more: bool
    number: str


@pages.get("/console")
def show_today(visit: Visit) -> Answer:
    """Orders, notices and connections are read in parallel; a part that can't be read doesn't
    affect the others. Notices and connections are as they were up to a minute ago."""
    narrowed_to = visit.services.narrowed_to
    parts = visit.parts(
        orders=partial(_orders, visit),
        notices=lambda: visit.recent.read(
            ("notices", narrowed_to), partial(_notices_not_sent, visit)
        ),
        connections=lambda: visit.recent.read(
            ("connections", narrowed_to), partial(_connections_in_trouble, visit)
        ),
    )
    orders = parts["orders"]
    found = orders.value or [None for _ in SECTIONS]
    return visit.page(
        "today.html",
        sections=[
            (one, Part(value, orders.problem)) for one, value in zip(SECTIONS, found, strict=True)
        ],
        notices=parts["notices"],
        not_sent=Values([("state", state) for state in _NOT_SENT]).text,
        connections=parts["connections"],
        columns=USUAL_COLUMNS,
    )


def _orders(visit: Visit) -> list[Orders]:
    """The orders of each section, from one read for all sections."""
    wanted = [wanted_orders(visit.services, **read_filters(one.query)) for one in SECTIONS]
    return [
        Orders(
            [listed_view(one) for one in page.orders],
            more=page.last is not None,
            number=_number(page),
        )
        for page in visit.services.finder.first_pages(wanted, limit=ROWS)
    ]


def _notices_not_sent(visit: Visit) -> NoticeList:
    return list_notices(visit.services, state=list(_NOT_SENT), limit=ROWS)


def _connections_in_trouble(visit: Visit) -> list[Any]:
    found = list_connections(visit.services).items
    return [one for one in found if one.health.condition not in _WELL]


def _number(page: Page) -> str:
    """The number of orders as text, such as ``99+`` if there are more than were counted."""
    number = max(page.counted, len(page.orders))
    return str(number) if page.counted_all or page.last is None else f"{number}+"
