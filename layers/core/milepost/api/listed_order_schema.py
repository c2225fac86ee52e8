"""The API's schema of an order in a list, with all or with chosen fields."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from milepost.api.forecast_schema import IntervalView, interval_view
from milepost.api.json_model import Shape
from milepost.api.order_schema import AttentionView, WaitView, wait_view
from milepost.common.status import Status
from milepost.forecasts.listed_orders import UNKNOWN, Outlook
from milepost.orders.order import OrderKey
from milepost.providers.registry import name_of
from milepost.queries.order_list import Listed


class CustomerName(Shape):
    """The customer's name."""

    id: str = Field(description="The same for all orders of one customer; it is no secret.")
    name: str | None = Field(description="The business, else the person.")


class ListedOrder(Shape):
    """An order of a list."""

    id: str = Field(examples=["offergrid-main:ord_1:item_1"])
    group: str
    connection: str
    provider: str
    provider_name: str = Field(examples=["Offergrid"])
    order_id: str
    item_id: str
    status: Status
    raw_status: str | None
    since: str = Field(description="When the status was entered, by the provider's clock.")
    next_date: str = Field(
        description="The appointment, or else when the present stage should "
        "end; for a closed order, when it closed."
    )
    customer: CustomerName
    product: str | None
    supplier: str | None
    place: str | None = Field(description="Postcode and town.", examples=["10115 Berlin"])
    reference: str | None
    service_type: str | None
    appointment: str | None
    attention: list[AttentionView]
    waiting: WaitView | None = Field(
        description="What the customer has to do first; meanwhile the order is not overdue."
    )
    slow: float | None = Field(
        description="The time in seconds within which 90% of past orders had "
        "left this stage, if this order has been in it for longer; "
        "null otherwise, and if too few orders are known."
    )
    forecast: IntervalView | None = Field(
        description="When it will be completed, by past orders of the same age in the same stage; "
        "null of a closed order, and while too few orders are known."
    )
    updated_at: str | None = Field(description="When the order was last updated.")


FIELDS: Final = tuple(ListedOrder.model_fields)
OF_FORECASTS: Final = frozenset({"slow", "forecast"})
"""Fields for which the tables of forecasts are read."""


def _fields(said: object) -> list[str]:
    """Names of fields; each text may have several, separated by commas."""
    texts = said if isinstance(said, list) else [said]
    names = [name.strip() for text in texts for name in str(text).split(",")]
    if strange := [name for name in names if name not in FIELDS]:
        raise ValueError(f"there is no field {strange[0][:64]!r}; there are: {', '.join(FIELDS)}")
    return list(dict.fromkeys(names))


Fields = Annotated[list[str], BeforeValidator(_fields)]


def listed_view(one: Listed, outlook: Outlook = UNKNOWN) -> ListedOrder:
    """The order with all fields."""
    return ListedOrder(
        id=one.key.path_id,
        group=one.key.path_id.rpartition(":")[0],
        connection=one.key.connection,
        provider=one.provider,
        provider_name=name_of(one.provider),
        order_id=one.key.order_id,
        item_id=one.key.item_id,
        status=one.status,
        raw_status=one.raw_status,
        since=one.since,
        next_date=one.next_date,
        customer=CustomerName(id=one.customer_id, name=one.customer_name),
        product=one.product,
        supplier=one.supplier,
        place=one.place,
        reference=one.reference,
        service_type=one.service_type,
        appointment=one.appointment,
        attention=[AttentionView(id=a.id, code=a.code, text=a.text) for a in one.attention],
        waiting=wait_view(one.waiting),
        slow=outlook.slow,
        forecast=interval_view(outlook.end) if outlook.end else None,
        updated_at=one.updated_at,
    )


def chosen(
    orders: Iterable[Listed],
    fields: Sequence[str] | None,
    *,
    outlooks: Callable[[Sequence[Listed]], Mapping[OrderKey, Outlook]],
) -> list[ListedOrder | dict[str, Any]]:
    """The orders of a list; with ``fields``, only these fields, in this order.

    :param outlooks: finds what forecasts say of them; asked only if some of that is shown
    """
    listed = list(orders)
    known = outlooks(listed) if fields is None or OF_FORECASTS & set(fields) else {}
    views = [listed_view(one, known.get(one.key, UNKNOWN)) for one in listed]
    if fields is None:
        return list(views)
    return [{name: said[name] for name in fields} for said in (one.model_dump() for one in views)]
