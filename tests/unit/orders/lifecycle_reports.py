"""Reports for tests of the lifecycle."""

from milepost.common.strict_json import canonical_json
from milepost.orders.aws.table import order_item
from milepost.orders.order import Order, TrackedOrder
from tests.builders import OFFERGRID


def as_bytes(order: Order) -> bytes:
    item = order_item(TrackedOrder(order=order, version=1), connection=OFFERGRID, new=())
    return canonical_json(item).encode()
