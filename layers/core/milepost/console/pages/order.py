"""One order: its status, next step, timeline, and actions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from milepost.api.idempotency_key import new_key
from milepost.api.order_schema import OrderView
from milepost.api.routes.groups import show_group
from milepost.api.routes.orders import show_order
from milepost.api.routes.tracking_links import show_tracking_link
from milepost.connections.connection import Connection
from milepost.console.labels import label, words
from milepost.console.order_actions import ADVICE, forms_of, read_body
from milepost.console.order_facts import grouped_facts
from milepost.console.order_timeline import timeline_of
from milepost.console.page_context import Visit
from milepost.console.rendering import segment
from milepost.console.resend_form import look_again, show_resend
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.console.times import zone_of
from milepost.orders.details import Details
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of

pages = Pages()


@pages.get("/console/orders/{order}")
def show(visit: Visit) -> Answer:
    """The order with all its details."""
    # The API's route decodes percent signs of the path; here they are already decoded.
    order = show_order(visit.path["order"].replace("%", "%25"), visit.services)
    connection, operates = _connection(order, visit), visit.operates(order.connection)
    reads: dict[str, Callable[[], Any]] = {
        "group": lambda: show_group(order.group.replace("%", "%25"), visit.services)
    }
    if connection is not None and connection.tracking is not None and order.erased_at is None:
        reads["tracking"] = lambda: _tracking(order, visit)
    parts = visit.parts(**reads)
    return visit.page(
        "order.html",
        order=order,
        address=_address(order.id),
        group=parts["group"],
        facts=grouped_facts(order.details),
        events=timeline_of(order),
        tracking=parts.get("tracking"),
        operates=operates,
        forms=forms_of(order, connection) if operates else [],
        advice=ADVICE,
        new_key=new_key,
        at_provider=_at_provider(order, connection),
        who=_customer(order),
        customer=_customer_id(order),
    )


@pages.post("/console/orders/{order}/actions/{action}")
def act(visit: Visit) -> Answer:
    """Run an action on the order."""
    order, action = visit.path["order"], visit.path["action"]
    made = visit.changes.make(
        "POST",
        f"/orders/{segment(order)}/actions/{segment(action)}",
        body=read_body(visit.form, zone=zone_of(visit.request)),
        key=visit.form.one("key"),
    )
    return visit.go_to(_address(order), done=_done(made))


@pages.post("/console/orders/{order}/actions/{action}/call-off")
def call_off(visit: Visit) -> Answer:
    """Cancel a planned action."""
    order, action = visit.path["order"], visit.path["action"]
    visit.changes.make(
        "DELETE",
        f"/orders/{segment(order)}/actions/{segment(action)}/planned",
        key=visit.form.one("key"),
    )
    return visit.go_to(_address(order), done=f"{label(action)} is cancelled.")


@pages.post("/console/orders/{order}/tracking-link/revoke")
def revoke_tracking_links(visit: Visit) -> Answer:
    """Make every link to the order's tracking page invalid; the page then shows a new one."""
    order = visit.path["order"]
    visit.changes.make("DELETE", f"/orders/{segment(order)}/tracking-link")
    done = "Every earlier link to the tracking page is invalid. The order's page has a new one."
    return visit.go_to(_address(order), done=done)


@pages.get("/console/orders/{order}/notices/{notice}/resend")
def look_before_resending(visit: Visit) -> Answer:
    """The mail as it would be sent now."""
    return show_resend(visit, visit.path["notice"], address=_resend_address(visit))


@pages.post("/console/orders/{order}/notices/{notice}/resend")
def resend(visit: Visit) -> Answer:
    """Send a mail again, rendered from the order as it is now."""
    if again := look_again(visit, address=_resend_address(visit)):
        return again
    body: dict[str, Any] = {"force": bool(visit.form.one("force"))}
    if visit.form.one("to"):
        body["to"] = visit.form.one("to")
    sent = visit.changes.make(
        "POST",
        f"/notices/{segment(visit.path['notice'])}/resend",
        body=body,
        key=visit.form.one("key"),
    )
    done = f"The mail is sent to {sent['recipient']} again."
    return visit.go_to(_address(visit.path["order"]), done=done)


def _resend_address(visit: Visit) -> str:
    return f"{_address(visit.path['order'])}/notices/{segment(visit.path['notice'])}/resend"


def _address(order: str) -> str:
    return f"/console/orders/{segment(order)}"


@dataclass(frozen=True, slots=True)
class _Link:
    """The link to the tracking page, and when it expires."""

    url: str
    expires: str


def _tracking(order: OrderView, visit: Visit) -> _Link:
    made = show_tracking_link(order.id.replace("%", "%25"), visit.services)
    return _Link(f"{visit.services.public_url()}{made.path}", made.expires)


def _customer(order: OrderView) -> str:
    customer = order.details.get("customer") or {}
    return customer.get("name") or customer.get("business") or ""


def _customer_id(order: OrderView) -> str:
    return customer_id_of(cast(Details, order.details), OrderKey.parse(order.id))


def _done(made: dict[str, Any]) -> str:
    title = label(made["action"])
    if made["result"] == "done" and made["action"] == "note":
        return "The note is on the timeline."
    said = made["outcome"]
    answered = f" ({said})" if said and said != made["result"] else ""
    return f"{title}: {words(made['result'])}{answered}."


def _at_provider(order: OrderView, connection: Connection | None) -> str | None:
    """The order's page in the provider's own web application."""
    if connection is None or connection.order_page is None:
        return None
    # An id that consists only of dots would lead to another page.
    if not (order.order_id.strip(".") and order.item_id.strip(".")):
        return None
    page = connection.order_page.replace("{order_id}", quote(order.order_id, safe=""))
    return page.replace("{item_id}", quote(order.item_id, safe=""))


def _connection(order: OrderView, visit: Visit) -> Connection | None:
    return visit.services.connections.all().get(order.connection)
