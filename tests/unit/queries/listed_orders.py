"""Orders in the form of order lists."""

from typing import Any

from milepost.common.status import Status
from milepost.common.timestamps import parse_instant, sortable, stored_moment
from milepost.queries.order_list import Listed
from tests.builders import KEY


def listed(next_date: str, **changed: Any) -> Listed:
    fields: dict[str, Any] = {
        "key": KEY,
        "provider": "offergrid",
        "status": Status.ACCEPTED,
        "raw_status": "accepted",
        "since": "2026-03-01T00:00:00Z",
        "next_date": sortable(stored_moment(next_date) or parse_instant(next_date)),
    }
    return Listed(**fields | changed)
