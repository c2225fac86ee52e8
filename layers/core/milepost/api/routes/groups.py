"""Groups: the items of one provider order, and their common status."""

from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import Field

from milepost.api.dependencies import Given
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.order_schema import AttentionView, attention_views
from milepost.api.path_parameters import GroupPath, group_key
from milepost.api.problems import NotFound
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.orders.groups import summarize_group
from milepost.orders.order import TrackedOrder

router = Router()


class ItemView(Shape):
    """One item of a group."""

    id: str
    item_id: str
    status: Status
    raw_status: str | None
    since: str
    reference: str | None
    service_type: str | None
    appointment: str | None
    attention: list[AttentionView]


class GroupView(Shape):
    """The items of one provider order."""

    id: str = Field(examples=["offergrid-main:ord_1"])
    connection: str
    order_id: str
    code: str = Field(examples=["partly_rejected"])
    text: str = Field(examples=["3 items: 2 accepted, 1 rejected"])
    counts: dict[Status, int]
    items: list[ItemView]


@router.get(
    "/groups/<group_id>",
    summary="The items of one provider order, and their common status",
    tags=["orders"],
    operation_id="show_group",
    responses=may_answer(200, 404),
)
def show_group(group_id: GroupPath, services: Given) -> GroupView:
    key = group_key(group_id)
    items = services.orders.read_group(key.connection, key.order_id)
    identity = key.path_id.rpartition(":")[0]
    if not items:
        raise NotFound(f"There is no order {identity}.")
    summary = summarize_group(one.order for one in items)
    return GroupView(
        id=identity,
        connection=key.connection,
        order_id=key.order_id,
        code=summary.code,
        text=summary.text,
        counts={Status(status): count for status, count in summary.counts.items()},
        items=[_item(one) for one in items],
    )


def _item(tracked: TrackedOrder) -> ItemView:
    order = tracked.shown
    return ItemView(
        id=order.key.path_id,
        item_id=order.key.item_id,
        status=order.status,
        raw_status=order.raw_status,
        since=format_instant(order.since),
        reference=order.details.get("reference"),
        service_type=order.details.get("service_type"),
        appointment=order.appointment,
        attention=attention_views(order),
    )
