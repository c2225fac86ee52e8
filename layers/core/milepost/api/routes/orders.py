"""Orders: one order with its timeline, and its notices."""

from aws_lambda_powertools.event_handler.api_gateway import Router

from milepost.api.dependencies import Given, Services
from milepost.api.forecast_schema import forecast_view
from milepost.api.json_model import Shape
from milepost.api.notice_schema import NoticeView, notice_view
from milepost.api.openapi import may_answer
from milepost.api.order_schema import OrderView, order_view
from milepost.api.path_parameters import OrderPath, item_key, order_key
from milepost.api.problems import NotFound
from milepost.notifications.notice import NoticeId
from milepost.orders.order import OrderKey

router = Router()


class NoticesView(Shape):
    """Notices, in the order in which they were announced."""

    notices: list[NoticeView]


@router.get(
    "/orders/<order_id>",
    summary="One order: its status, its timeline, and what comes next",
    tags=["orders"],
    operation_id="show_order",
    responses=may_answer(200, 404),
)
def show_order(order_id: OrderPath, services: Given) -> OrderView:
    key = item_key(order_id)
    tracked = services.orders.read(key) if key else None
    if key is None or tracked is None:
        key = order_key(order_id, services)
        tracked = services.orders.read(key)
    if tracked is None:
        raise NotFound(f"There is no order {key.path_id}.")
    connection = services.connections.all().get(key.connection)
    return order_view(
        tracked,
        connection=connection,
        notices=notices_of(key, services),
        now=services.clock(),
        forecast=forecast_view(
            tracked, connection, table=services.forecasts.read(key.connection), now=services.clock()
        ),
    )


@router.get(
    "/orders/<order_id>/notices",
    summary="The notices of an order: recipients, channels and outcomes",
    tags=["orders", "notices"],
    operation_id="list_notices_of_order",
    responses=may_answer(200, 404),
)
def list_notices(order_id: OrderPath, services: Given) -> NoticesView:
    # The log is kept longer than orders, so it is read first.
    key = item_key(order_id)
    found = notices_of(key, services) if key else []
    return NoticesView(notices=found or notices_of(order_key(order_id, services), services))


def notices_of(key: OrderKey, services: Services) -> list[NoticeView]:
    """The log's entries of this item; the log stores those of one provider order together."""
    entries = services.notices.of_order(key)
    return [notice_view(one) for one in entries if NoticeId.parse(one["id"]).key == key]
