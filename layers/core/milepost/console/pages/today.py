"""The first page: the orders that need attention today, the most urgent of each kind."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from milepost.api.routes.connections import list_connections
from milepost.api.routes.notice_lists import NoticeList, list_notices
from milepost.api.routes.order_lists import OrderList, list_orders
from milepost.connections.health import Condition
from milepost.console.order_columns import USUAL_COLUMNS
from milepost.console.order_filters import read_filters
from milepost.console.page_context import Part, Visit
from milepost.console.request import Values
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.notifications.notice import State

pages = Pages()

ROWS: Final = 5
"""Orders of each part; the rest is on the list behind it."""
_WELL: Final = frozenset({Condition.WORKS, Condition.NOT_POLLED})
_NOT_SENT: Final = (State.FAILED, State.BOUNCED, State.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its heading, the filter of its list, and what it says when empty."""

    name: str
    filter: tuple[str, str]
    nothing: str

    @property
    def query(self) -> Values:
        return Values([self.filter])


SECTIONS: Final = (
    Section("Overdue", ("due", "overdue"), "Nothing is late."),
    Section("Due this week", ("due", "this_week"), "Nothing is due this week."),
    Section("Needs attention", ("attention", "any"), "No order needs a look."),
    Section("Waiting for the customer", ("waiting", "any"), "No order waits for its customer."),
    Section("Rejected", ("status", "rejected"), "No order was rejected."),
)


@pages.get("/console")
def show_today(visit: Visit) -> Answer:
    """Every part is read side by side; one that can't be read doesn't hide the others."""
    reads: dict[str, Callable[[], Any]] = {
        one.name: partial(_orders_of, visit, one) for one in SECTIONS
    }
    parts = visit.parts(
        **reads,
        notices=partial(_notices_not_sent, visit),
        connections=partial(_connections_in_trouble, visit),
    )
    return visit.page(
        "today.html",
        sections=[(one, parts[one.name]) for one in SECTIONS],
        notices=parts["notices"],
        not_sent=Values([("state", state) for state in _NOT_SENT]).text,
        connections=parts["connections"],
        number=_number,
        columns=USUAL_COLUMNS,
    )


def _orders_of(visit: Visit, section: Section) -> OrderList:
    return list_orders(visit.services, **read_filters(section.query), limit=ROWS)


def _notices_not_sent(visit: Visit) -> NoticeList:
    return list_notices(visit.services, state=list(_NOT_SENT), limit=ROWS)


def _connections_in_trouble(visit: Visit) -> list[Any]:
    found = list_connections(visit.services).items
    return [one for one in found if one.health.condition not in _WELL]


def _number(part: Part) -> str:
    """How many there are: as many as are shown, or more than that."""
    shown = len(part.value.orders)
    return f"{shown}+" if part.value.next else str(shown)
