"""Links to the tracking page of an order: make one, revoke all of them."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import Field

from milepost.api.dependencies import Given, Recorded, Services
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.path_parameters import OrderPath, order_key
from milepost.api.problems import Conflict, NotFound
from milepost.common.timestamps import format_instant
from milepost.orders.order import OrderKey
from milepost.tracking_page.link import TrackingIsOff

router = Router()


class TrackingLinkView(Shape):
    """A link that shows its order to whoever has it."""

    order: str = Field(description="The id of the order.")
    path: str = Field(
        description="Below the API's URL. It needs no token: give it to the customer alone.",
        examples=["/track/1.eyJvIjpbIm9m.dGhlIHNpZ25hdHVyZQ"],
    )
    expires: str = Field(description="An instant in UTC.")


@router.get(
    "/orders/<order_id>/tracking-link",
    summary="A link to the page on which the customer follows this order",
    tags=["orders"],
    operation_id="show_tracking_link",
    responses=may_answer(200, 404, 409),
)
def show_tracking_link(order_id: OrderPath, services: Given) -> TrackingLinkView:
    key = _existing(order_id, services)
    connection = services.connections.get(key.connection)
    try:
        made = services.tracking_links.make(key, connection, now=services.clock())
    except TrackingIsOff:
        raise Conflict(
            f"The connection {key.connection} has no tracking page: set `tracking` in its settings."
        ) from None
    return TrackingLinkView(order=key.path_id, path=made.url, expires=format_instant(made.expires))


@router.delete(
    "/orders/<order_id>/tracking-link",
    summary="Revoke every link to this order's tracking page; links made later work",
    tags=["orders"],
    operation_id="revoke_tracking_links",
    status_code=204,
    responses=may_answer(204, 404),
)
def revoke_tracking_links(order_id: OrderPath, services: Given, change: Recorded) -> Response[str]:
    key = _existing(order_id, services)
    change.concerns(connection=key.connection, order=key.path_id)
    services.tracking_links.revoke(key, at=services.clock())
    return Response(status_code=204, body="")


def _existing(order_id: str, services: Services) -> OrderKey:
    """The order that the path names, unless its customer was erased.

    :raises NotFound: when there is none
    """
    key = order_key(order_id, services)
    tracked = services.orders.read(key)
    if tracked is None or tracked.erased_at is not None:
        raise NotFound(f"There is no order {key.path_id} whose customer could follow it.")
    return key
