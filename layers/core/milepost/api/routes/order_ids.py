"""Order ids: the items that have a given name."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.dependencies import Given
from milepost.api.filters import check_connections
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.path_parameters import order_lookup, unknown_order
from milepost.queries.order_lookup import UnknownOrder

router = Router()


class OrderIds(Shape):
    """The items that a name means."""

    orders: list[str] = Field(examples=[["offergrid-main:ord_1:item_1"]])


@router.get(
    "/order-ids",
    summary="The ids of the items that a name matches: an id, a reference, a customer's email",
    tags=["orders"],
    operation_id="look_up_orders",
    responses=may_answer(200, 404),
)
def look_up_orders(
    services: Given,
    *,
    order: Annotated[
        str,
        Query(
            description="`connection:order:item`, `connection:order`, the provider's id, a whole "
            "reference, or a customer's whole email.",
            min_length=1,
            max_length=1000,
        ),
    ],
    connection: Annotated[
        str | None,
        Query(
            description="The order's connection; `order` is then the provider's id.", max_length=64
        ),
    ] = None,
) -> OrderIds:
    check_connections([connection] if connection is not None else None, services)
    try:
        found = order_lookup(services).find(order, connection=connection)
    except UnknownOrder as error:
        raise unknown_order(error) from None
    return OrderIds(orders=[key.path_id for key in found])
