"""Orders in the form of the console's lists."""

from milepost.common.status import Status
from milepost.orders.order import OrderKey
from milepost.queries.order_list import Listed


def listed(**changes: object) -> Listed:
    fields: dict[str, object] = {
        "key": OrderKey("offergrid-home", "ord_1", "item_1"),
        "provider": "offergrid",
        "status": Status.ACCEPTED,
        "raw_status": "accepted",
        "since": "2026-03-01T09:00:00Z",
        "next_date": "2026-03-05T09:00:00Z",
        "reference": "R-1",
    }
    return Listed(**(fields | changes))  # type: ignore[arg-type]
